#include "vaetl/nn/blocks.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "nn/models.hpp"
#include "nn/numeric_gradient.hpp"
#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"

namespace vaetl::testing::blocks_test {
namespace {

using nn::AfterOptions;
using nn::ConvBlock;
using nn::DenseBlock;
using nn::Downsample;
using nn::UpBlock;
using Names = std::vector<std::string>;

Names names_of(const torch::nn::Module& module) {
  Names names;
  for (const auto& [name, tensor] : state(module)) names.push_back(name);
  return names;
}

TEST(Activation, KnowsItsClosedSet) {
  for (std::string_view name : nn::activations) {
    if (name.empty()) continue;
    EXPECT_NO_THROW(nn::Activation{std::string(name)});
  }
  expect_error<ConfigError>(
      [] { nn::Activation("rulu"); },
      {"activation: expected one of relu, leaky_relu, leaky_relu_0.2, tanh, sigmoid, gelu, elu, silu, found "
       "\"rulu\"; did you mean \"relu\"?"});
  const at::Tensor x = at::randn({3});
  EXPECT_TRUE(nn::Activation()(x).is_same(x));
}

TEST(Activation, MonotoneOnesCommuteWithMaxima) {
  seed(0);
  const at::Tensor x = at::randn({2, 3, 6, 6}) * 3;
  auto halve = [](const at::Tensor& t) { return at::max_pool2d(t, {2, 2}); };
  int kept = 0;
  for (std::string_view name : nn::activations) {
    if (name.empty()) continue;
    const nn::Activation activation{std::string(name)};
    // But for the last bit: a vectorised exponential and a scalar one round differently.
    const bool commutes = at::allclose(activation(halve(x)), halve(activation(x.clone())), 1e-6, 1e-7);
    EXPECT_EQ(activation.monotone(), commutes) << name;
    kept += commutes;
  }
  EXPECT_EQ(kept, 6);  // all but gelu and silu
}

TEST(Blocks, NameTheirParametersAsTheModelsPromise) {
  nn::Sequence blocks;
  blocks.add(std::make_shared<ConvBlock>(nn::ConvBlockOptions{}, AfterOptions{"relu", true}));
  blocks.add(std::make_shared<DenseBlock>(4, 2, AfterOptions{"relu"}));
  EXPECT_EQ(names_of(blocks),
            (Names{"0.conv.bias", "0.conv.weight", "0.norm.bias", "0.norm.num_batches_tracked", "0.norm.running_mean",
                   "0.norm.running_var", "0.norm.weight", "1.dense.bias", "1.dense.weight"}));
}

TEST(Blocks, HalveAndDoubleAnySize) {
  for (std::int64_t height : {17, 28, 32}) {
    for (std::int64_t width : {9, 17, 28}) {
      const at::Tensor x = at::randn({2, 1, height, width});
      ConvBlock pool({.in = 1, .out = 3, .kernel = 5}, {"relu"});
      ConvBlock stride({.in = 1, .out = 3, .kernel = 5, .downsample = Downsample::stride}, {"relu"});
      const nn::Size2 half = {height / 2, width / 2};
      EXPECT_EQ(pool.forward(x).sizes(), at::IntArrayRef({2, 3, half[0], half[1]}));
      EXPECT_EQ(stride.forward(x).sizes(), at::IntArrayRef({2, 3, (height + 1) / 2, (width + 1) / 2}));
      UpBlock up({.in = 3, .out = 1, .kernel = 5, .from = half, .to = {height, width}}, {});
      EXPECT_EQ(up.forward(at::randn({2, 3 * half[0] * half[1]})).sizes(), x.sizes());
    }
  }
}

TEST(Blocks, UpsamplingReachesEveryInnerPixelEquallyOften) {
  for (std::int64_t kernel : {1, 3, 5}) {
    UpBlock up({.in = 1, .out = 1, .kernel = kernel, .from = {6, 6}, .to = {12, 12}}, {});
    const at::NoGradGuard no_grad;
    for (auto& parameter : up.parameters()) parameter.fill_(1);
    const at::Tensor inner = up.forward(at::ones({1, 36})).slice(2, 4, 8).slice(3, 4, 8);
    EXPECT_TRUE(at::equal(inner, at::ones_like(inner) * inner.max())) << "kernel " << kernel;
  }
}

TEST(Blocks, GradientsAreTheirDifferences) {
  seed(0);
  for (const AfterOptions& after : {AfterOptions{"tanh", true}, AfterOptions{"gelu"}}) {
    DenseBlock dense(4, 3, after);
    ConvBlock conv({.in = 2, .out = 2}, after);
    UpBlock up({.in = 1, .out = 2, .from = {2, 3}, .to = {5, 6}}, after);
    const at::Tensor x = at::randn({3, 4}, at::kDouble).requires_grad_();
    const at::Tensor image = at::randn({2, 2, 4, 4}, at::kDouble).requires_grad_();
    const at::Tensor code = at::randn({2, 6}, at::kDouble).requires_grad_();
    auto check = [](nn::Block& block, const at::Tensor& input) {
      block.to(at::kDouble);
      std::vector<at::Tensor> variables = block.parameters();
      variables.push_back(input);
      expect_gradients([&] { return block.forward(input); }, variables);
    };
    check(dense, x);
    check(conv, image);
    check(up, code);
  }
}

TEST(Blocks, DropOnlyInTraining) {
  seed(0);
  DenseBlock block(8, 400, AfterOptions{"sigmoid", false, 0.25});
  const at::Tensor x = at::randn({1, 8});
  const at::Tensor dropped = block.forward(x);
  const auto zeros = (dropped == 0).sum().item<std::int64_t>();
  EXPECT_NEAR(static_cast<double>(zeros), 100, 5 * std::sqrt(400 * 0.25 * 0.75));
  block.eval();
  const at::Tensor whole = block.forward(x);
  EXPECT_EQ((whole == 0).sum().item<std::int64_t>(), 0);
  EXPECT_TRUE(at::allclose(dropped, whole.div(0.75).masked_fill(dropped == 0, 0)));
}

TEST(Blocks, WantOddKernels) {
  expect_error<ConfigError>([] { ConvBlock({.in = 1, .out = 1, .kernel = 4}, {}); },
                            {"kernel: expected an odd size, so that padding keeps the image's, found 4"});
  expect_error<ConfigError>(
      [] {
        UpBlock({.in = 1, .out = 1, .kernel = 2, .from = {1, 1}, .to = {2, 2}}, {});
      },
      {"found 2"});
}

}  // namespace
}  // namespace vaetl::testing::blocks_test
