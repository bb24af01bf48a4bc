#include "vaetl/nn/pass.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "nn/models.hpp"
#include "support/expect_error.hpp"

namespace vaetl::testing::pass_test {
namespace {

TEST(Pass, EncodesAStreamOnce) {
  auto model = tiny();
  model->eval();
  const Batch batch = {{"train", inputs(3)}, {"target", inputs(2)}};
  Pass pass(*model, batch);
  const at::Tensor features = pass.features();
  EXPECT_TRUE(pass.features().is_same(features));
  EXPECT_EQ(pass.logits().sizes(), at::IntArrayRef({3, 2}));
  EXPECT_TRUE(pass.logits().is_same(pass.logits()));
  EXPECT_EQ(model->encodings, 1);
  EXPECT_EQ(pass.features("target").size(0), 2);
  EXPECT_EQ(model->encodings, 2);
  EXPECT_TRUE(at::equal(features, model->encode(batch.at("train"))));
}

TEST(Pass, TakesFeaturesThatAreThere) {
  auto model = tiny();
  Fields fields = inputs(3);
  fields.set("features", at::rand({3, 3}));
  const Batch batch = {{"train", fields}};
  Pass pass(*model, batch);
  EXPECT_TRUE(pass.features().is_same(fields["features"]));
  EXPECT_TRUE(at::equal(pass.logits(), model->classify(fields["features"])));
  EXPECT_EQ(model->encodings, 0);
}

TEST(Pass, EncodesAllViewsAtOnce) {
  auto model = tiny();
  model->eval();
  Fields fields = inputs(3), second = inputs(3);
  fields.set("input.1", second.input());
  const Batch batch = {{"train", fields}};
  Pass pass(*model, batch);
  const at::Tensor expected = at::cat({model->encode(fields), model->encode(second)});
  model->encodings = 0;
  EXPECT_TRUE(at::allclose(pass.view_features(), expected, 1e-6, 1e-6));
  EXPECT_TRUE(pass.view_features().is_same(pass.view_features()));
  EXPECT_EQ(model->encodings, 1);
}

TEST(Pass, NamesMissingStreamsAndCapabilities) {
  auto model = tiny();
  const Batch batch = {{"train", inputs(2)}, {"unlabelled", inputs(2)}}, none;
  Pass pass(*model, batch);
  expect_error<DataError>([&] { pass.fields("target"); },
                          {"batch: expected a stream \"target\", found only train, unlabelled; name it"});
  expect_error<DataError>([&] { Pass(*model, none).fields(); }, {"found no streams"});
  expect_error<ConfigError>([&] { pass.posterior(); }, {"the posterior: expected a model that offers Variational"});
  auto headless = tiny(0);
  expect_error<ConfigError>([&] { Pass(*headless, batch).logits(); }, {"logits", "Classifier"});
}

TEST(PassMean, WeighsExamples) {
  auto model = tiny();
  Fields fields = inputs(3);
  const Batch plain = {{"train", fields}};
  const at::Tensor values = at::tensor({1.0f, 2.0f, 6.0f});
  EXPECT_FLOAT_EQ(Pass(*model, plain).mean(values).item<float>(), 3);
  fields.set("weight", at::tensor({1.0f, 3.0f, 0.0f}));
  const Batch weighted = {{"train", fields}};
  const Pass pass(*model, weighted);
  EXPECT_FLOAT_EQ(pass.mean(values).item<float>(), 1.75);
  EXPECT_FLOAT_EQ(pass.mean(at::cat({values, 2 * values})).item<float>(), 2.625);  // two views share the weights
  fields.set("weight", at::zeros({3}));
  const Batch unweighted = {{"train", fields}};
  EXPECT_EQ(Pass(*model, unweighted).mean(values).item<float>(), 0);
  fields.set("weight", at::ones({2}));
  const Batch uneven = {{"train", fields}};
  expect_error<DataError>([&] { Pass(*model, uneven).mean(values); },
                          {"stream \"train\": expected 3 weights, one an example, found 2"});
  expect_error<Error>([&] { Pass(*model, plain).mean(values.view({3, 1})); }, {"Pass::mean", "(N)", "2 dimensions"});
}

TEST(PassValue, FollowsTheSchedule) {
  auto model = tiny();
  const Batch batch = {{"train", inputs(1)}};
  const Pass pass(*model, batch, {.progress = 0.25, .first_in_epoch = true});
  const at::Tensor value = pass.value(Schedule::linear(0, 2));
  EXPECT_EQ(value.dim(), 0);
  EXPECT_FLOAT_EQ(value.item<float>(), 0.5);
  EXPECT_EQ(value.scalar_type(), at::kFloat);
  EXPECT_TRUE(pass.first_in_epoch());
  EXPECT_EQ(pass.progress(), 0.25);
}

TEST(DeviceOf, IsTheFirstParametersOrTheCpu) {
  EXPECT_EQ(device_of(*tiny()), c10::Device(c10::kCPU));
  struct Empty final : torch::nn::Module {};
  EXPECT_EQ(device_of(Empty()), c10::Device(c10::kCPU));
}

}  // namespace
}  // namespace vaetl::testing::pass_test
