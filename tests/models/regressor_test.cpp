// A head that puts out values instead of logits.
#include <ATen/ops/allclose.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/models/cnn.hpp"
#include "vaetl/models/mlp.hpp"
#include "vaetl/nn/pass.hpp"

namespace vaetl::testing::regressor_test {
namespace {

using Names = std::vector<std::string>;

std::shared_ptr<models::Mlp> regressor() {
  return make<models::Mlp>({.input = {5}, .widths = {4}, .classes = 0, .outputs = 2});
}

TEST(Regressor, IsAnMlpWithOutputs) {
  const auto model = regressor();
  EXPECT_EQ(capabilities(*model), (Names{"Encoder", "Regressor"}));
  EXPECT_EQ(model->groups().back().name, "head");
  Fields fields;
  fields.set("input", at::rand({3, 5}));
  const Batch batch = {{"train", fields}};
  Pass pass(*model, batch);
  EXPECT_EQ(pass.predictions().sizes(), at::IntArrayRef({3, 2}));
  EXPECT_TRUE(pass.predictions().is_same(pass.predictions())) << "computed once";
  const auto weights = model->named_parameters();
  EXPECT_TRUE(at::allclose(pass.predictions(),
                           pass.features().matmul(weights["head.weight"].t()) + weights["head.bias"], 0, 1e-6));
  expect_error<ConfigError>([&] { pass.logits(); }, {"logits: expected a model that offers Classifier"});
}

TEST(Regressor, ClassesAndOutputsExcludeEachOther) {
  expect_error<ConfigError>([] { make<models::Mlp>({.input = {5}, .outputs = 2}); },
                            {"mlp: expected classes or outputs, the other 0, found 10 and 2"});
  EXPECT_EQ(capabilities(*make<models::Mlp>({.input = {5}, .classes = 0})), Names{"Encoder"});
  const auto classifier = build(regressor()->classifier(3));
  EXPECT_EQ(capabilities(*classifier), (Names{"Encoder", "Classifier"}));
}

TEST(Regressor, WithoutOutputsItIsNone) {
  auto classifier = make<models::Mlp>({.input = {5}, .classes = 3});
  expect_error<ConfigError>(
      [&] { require<Regressor>(*classifier, "rmse"); },
      {"rmse: expected a model that offers Regressor, found \"mlp\", which offers Encoder, Classifier; "
       "give its description the number of \"outputs\", and 0 \"classes\""});
  expect_error<ConfigError>([&] { classifier->regress(at::rand({1, 256})); }, {"offers Regressor"});
}

}  // namespace
}  // namespace vaetl::testing::regressor_test
