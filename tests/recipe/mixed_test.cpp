// Mixed labels all the way from a recipe: mixup learns from true labels and from shuffled ones it does not.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::recipe {
namespace {

Json mixed_recipe(const std::string& transform) {
  Json json = testing::toy_recipe();
  json["data"]["augment"] = Json::array({Json{{"name", transform}}});
  json["trainer"]["steps"] = 80;
  return json;
}

double accuracy(const Json& json, bool shuffled = false) {
  at::set_num_threads(1);
  RunSettings settings{
      .device = "cpu", .artefacts = false, .data = testing::toy_cache({.random_train_labels = shuffled})};
  return run(parse(json), settings).summary["metrics"]["accuracy"].get<double>();
}

TEST(MixedLabels, LearnFromLabelsOnly) {
  for (const char* transform : {"mixup", "cutmix"}) {
    EXPECT_GT(accuracy(mixed_recipe(transform)), 0.9) << transform;  // chance is 0.25
    // 40 test images of 10 a class: 0.25 ± 0.07 by chance.
    EXPECT_LT(accuracy(mixed_recipe(transform), /*shuffled=*/true), 0.6) << transform;
  }
}

TEST(MixedLabels, TwoViewsAreRefused) {
  Json json = mixed_recipe("mixup");
  json["data"]["views"] = 2;
  testing::expect_error<ConfigError>([&] { accuracy(json); }, {"augment[0]", "\"mixup\" with 2 views"});
}

}  // namespace
}  // namespace vaetl::recipe
