// Metrics with options, from a recipe to its results.
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::testing::recipe_metrics_test {
namespace {

TEST(RecipeMetrics, WithOptionsAreOneLine) {
  Json json = toy_vae_recipe();
  json["evaluate"] = {"elbo", Json{{"name", "nll"}, {"samples", 5}}, "nll?samples=20"};
  const recipe::Recipe parsed = recipe::parse(json);
  EXPECT_EQ(parsed.evaluate, (std::vector<std::string>{"elbo", "nll?samples=5", "nll?samples=20"}));
  EXPECT_EQ(recipe::resolve(parsed)["evaluate"][1], "nll?samples=5");
  json["data"]["validation"] = 0.25;
  const auto outcome = recipe::run(recipe::parse(json), {.device = "cpu", .artefacts = false, .data = toy_cache()});
  const Json& metrics = outcome.summary["metrics"];
  EXPECT_LE(metrics["nll?samples=20"].get<double>(), metrics["nll?samples=5"].get<double>() + 0.2);
  EXPECT_LT(metrics["nll?samples=5"].get<double>(), -metrics["elbo"].get<double>() + 0.2);
  // What is slow is not made at every epoch, unless it chooses the epoch.
  EXPECT_TRUE(outcome.summary["training"].contains("validation.elbo"));
  EXPECT_FALSE(outcome.summary["training"].contains("validation.nll?samples=5"));
  json["trainer"]["monitor"] = "nll?samples=5";
  const auto chosen = recipe::run(recipe::parse(json), {.device = "cpu", .artefacts = false, .data = toy_cache()});
  EXPECT_TRUE(chosen.summary["training"].contains("validation.nll?samples=5"));
}

TEST(RecipeMetrics, Mistakes) {
  const auto refused = [](const Json& metric, std::initializer_list<std::string_view> parts) {
    Json json = toy_vae_recipe();
    json["evaluate"] = {"elbo", metric};
    expect_error<ConfigError>([&] { recipe::parse(json); }, parts);
  };
  refused("nll?k=5", {"evaluate[1]", "\"k\"", "samples"});
  refused(Json{{"name", "nll"}, {"sample", 5}}, {"evaluate[1]", "\"sample\"", "did you mean \"samples\""});
  refused(Json{{"samples", 5}}, {"evaluate[1]", "name"});
  refused(Json{{"name", "nlll"}}, {"evaluate[1]", "did you mean \"nll\""});
}

}  // namespace
}  // namespace vaetl::testing::recipe_metrics_test
