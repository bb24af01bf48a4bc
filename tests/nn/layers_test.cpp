// Values against PyTorch's are in tests/models/parity_layers_test.cpp; here are gradients, initial values and errors.
#include "vaetl/nn/layers.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "nn/numeric_gradient.hpp"
#include "support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/core/random.hpp"

namespace vaetl::testing::layers_test {
namespace {

template <class Layer>
void check_gradients(Layer layer, at::IntArrayRef shape) {
  layer.to(at::kDouble);
  const at::Tensor x = at::randn(shape, at::kDouble).requires_grad_();
  expect_gradients([&] { return layer.forward(x); }, {x, layer.weight, layer.bias});
}

TEST(Layers, GradientsAreTheirDifferences) {
  seed(0);
  check_gradients(nn::Linear(4, 3), {5, 4});
  check_gradients(nn::Conv2d({.in = 2, .out = 3, .kernel = 3, .stride = 2, .padding = 1}), {2, 2, 5, 4});
  check_gradients(nn::Conv2d({.in = 1, .out = 2, .kernel = 3, .padding = 1}), {2, 1, 4, 3});
  check_gradients(nn::ConvTranspose2d({.in = 3, .out = 2, .kernel = 4, .stride = 2, .padding = 1}, {0, 1}),
                  {2, 3, 3, 2});
  check_gradients(nn::Conv2d({.in = 4, .out = 6, .kernel = 3, .padding = 1, .groups = 2}), {2, 4, 4, 3});
  check_gradients(nn::ConvTranspose2d({.in = 4, .out = 2, .kernel = 3, .stride = 2, .groups = 2}), {2, 4, 2, 3});
  check_gradients(nn::BatchNorm(3), {4, 3});
  check_gradients(nn::BatchNorm(2), {2, 2, 3, 2});
}

// U(−b, b) has variance b² / 3; of n draws the estimate's standard deviation is b² √(4 / 45 n), and 5 of those are
// allowed.
void expect_uniform(const at::Tensor& values, double bound) {
  const auto n = static_cast<double>(values.numel());
  EXPECT_LE(values.abs().max().item<double>(), bound);
  EXPECT_NEAR(values.square().mean().item<double>(), bound * bound / 3, 5 * bound * bound * std::sqrt(4 / (45 * n)));
}

TEST(Layers, StartAsInPyTorch) {
  seed(0);
  const nn::Linear linear(100, 50);
  expect_uniform(linear.weight, 0.1);
  expect_uniform(linear.bias, 0.1);
  const nn::Conv2d conv({.in = 4, .out = 64, .kernel = 5});
  expect_uniform(conv.weight, 0.1);
  expect_uniform(conv.bias, 0.1);
  const nn::ConvTranspose2d transposed({.in = 64, .out = 4, .kernel = 5});  // PyTorch counts the second dimension
  expect_uniform(transposed.weight, 0.1);
  const nn::BatchNorm norm(2);
  EXPECT_EQ(norm.weight.sum().item<float>(), 2);
  EXPECT_EQ(norm.bias.abs().sum().item<float>(), 0);
}

TEST(Layers, ConvolutionsKeepChannelsLast) {
  nn::Conv2d first({.in = 1, .out = 8, .kernel = 3, .padding = 1}), second({.in = 8, .out = 4, .kernel = 3});
  const at::Tensor h = first.forward(at::randn({2, 1, 6, 6}));
  EXPECT_TRUE(h.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(second.forward(h).is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(Layers, ConvolutionsWithoutBiasHaveNone) {
  nn::Conv2d conv({.in = 2, .out = 3, .kernel = 1, .bias = false});
  nn::ConvTranspose2d transposed({.in = 2, .out = 3, .kernel = 2, .stride = 2, .bias = false});
  EXPECT_EQ(conv.parameters().size(), 1u);
  EXPECT_EQ(transposed.parameters().size(), 1u);
  const at::Tensor zeros = at::zeros({1, 2, 2, 2});
  EXPECT_EQ(conv.forward(zeros).abs().sum().item<float>(), 0);
  EXPECT_EQ(transposed.forward(zeros).abs().sum().item<float>(), 0);
  expect_error<ConfigError>(
      [] { nn::Conv2d({.in = 4, .out = 6, .kernel = 3, .groups = 3}); },
      {"convolution: expected groups that divide 4 and 6 channels, found 3; change the channels"});
}

TEST(Layers, RefuseSizesThatCannotBeMeant) {
  expect_error<ConfigError>(
      [] { nn::Linear(1 << 20, 1 << 20); },
      {"layer: expected between 1 and 4294967296 weights, found a shape (1048576, 1048576); change"});
  expect_error<ConfigError>([] { nn::Linear(0, 3); }, {"found a shape (3, 0)"});
}

TEST(BatchNorm, TrackedInTrainingStillInEvaluation) {
  nn::BatchNorm norm(3);
  const at::Tensor x = at::randn({6, 3}) + 2;
  norm.forward(x);
  norm.forward(x);
  EXPECT_EQ(norm.num_batches_tracked.item<std::int64_t>(), 2);
  norm.eval();
  const at::Tensor mean = norm.running_mean.clone();
  norm.forward(x);
  EXPECT_EQ(norm.num_batches_tracked.item<std::int64_t>(), 2);
  EXPECT_TRUE(at::equal(norm.running_mean, mean));
}

TEST(BatchNorm, RefusesASingleValueInTraining) {
  nn::BatchNorm norm(3);
  expect_error<DataError>(
      [&] {
        norm.forward(at::randn({1, 3}));
      },
      {"batch norm: expected more than one value a channel in training, found a batch of shape (1, 3); "
       "use a larger batch"});
  expect_error<DataError>([&] { norm.forward(at::randn({1, 3, 1, 1})); }, {"(1, 3, 1, 1)"});
  EXPECT_EQ(norm.num_batches_tracked.item<std::int64_t>(), 0);
  EXPECT_NO_THROW(norm.forward(at::randn({1, 3, 2, 1})));  // as in PyTorch: two values a channel
  norm.eval();
  EXPECT_NO_THROW(norm.forward(at::randn({1, 3})));
}

}  // namespace
}  // namespace vaetl::testing::layers_test
