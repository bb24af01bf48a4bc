// Batch norm, sum and relu in one: equal to their parts in double, for any number of channels and of pixels left over.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/layers.hpp"

namespace vaetl::testing::fused_batch_norm_test {
namespace {

using Tensors = std::vector<at::Tensor>;

struct Inputs {
  at::Tensor x, plus, weight, bias;
};

Inputs inputs(std::vector<std::int64_t> shape, bool with_plus) {
  const auto last = [](const at::Tensor& values) { return values.contiguous(at::MemoryFormat::ChannelsLast); };
  const std::int64_t channels = shape[1];
  return {last(at::randn(shape) * 3 + 7 * at::randn({1, channels, 1, 1})),
          with_plus ? last(at::randn(shape)) : at::Tensor(), at::randn({channels}), at::randn({channels})};
}

at::Tensor wanted(const at::Tensor& values, at::ScalarType type) {
  return values.defined() ? values.detach().to(type).clone().requires_grad_() : values;
}

// Value, running statistics, gradients of all inputs, and those of the squared gradients' sum.
Tensors all_of(const Inputs& in, at::ScalarType type, bool by_parts) {
  const at::Tensor x = wanted(in.x, type), plus = wanted(in.plus, type), weight = wanted(in.weight, type),
                   bias = wanted(in.bias, type);
  const auto options = at::TensorOptions(type);
  const at::Tensor mean = at::zeros({x.size(1)}, options), variance = at::ones({x.size(1)}, options);
  const auto compute = [&](const at::Tensor& running_mean, const at::Tensor& running_var) {
    if (!by_parts) return nn::norm_relu(x, plus, {weight, bias, running_mean, running_var, 0.1, 1e-5});
    const at::Tensor y = at::batch_norm(x, weight, bias, running_mean, running_var, true, 0.1, 1e-5, false);
    return at::relu(plus.defined() ? y + plus : y);
  };
  Tensors of = {x, weight, bias};
  if (plus.defined()) of.push_back(plus);
  const at::Tensor y = compute(mean, variance), factors = at::linspace(-1, 1, x.numel(), options).view(x.sizes());
  Tensors result = {y.detach(), mean, variance};
  const auto first = torch::autograd::grad({(y * factors).sum()}, of);
  const auto again = torch::autograd::grad({(compute({}, {}) * factors).sum()}, of, {}, true, /*create_graph=*/true);
  const auto second = torch::autograd::grad({again[0].square().sum()}, {x, weight});
  result.insert(result.end(), first.begin(), first.end());
  result.insert(result.end(), second.begin(), second.end());
  return result;
}

// Sums over n values of float32 differ by about √n roundings.
void expect_equal(const Tensors& found, const Tensors& expected) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double largest = std::max(1.0, expected[i].abs().max().item<double>());
    EXPECT_LT((found[i] - expected[i]).abs().max().item<double>(), 4e-6 * largest) << "part " << i;
  }
}

TEST(FusedBatchNorm, EqualsItsParts) {
  at::manual_seed(11);
  const std::vector<std::vector<std::int64_t>> shapes = {{2, 1, 3, 3},  {5, 3, 7, 5},  {3, 16, 9, 9},   {2, 20, 5, 7},
                                                         {4, 64, 6, 6}, {3, 70, 4, 4}, {8, 16, 40, 40}, {2, 5, 1, 1}};
  for (const auto& shape : shapes) {
    for (const bool with_plus : {false, true}) {
      SCOPED_TRACE(::testing::PrintToString(shape) + (with_plus ? " with a sum" : ""));
      const Inputs in = inputs(shape, with_plus);
      expect_equal(all_of(in, at::kFloat, false), all_of(in, at::kDouble, true));
    }
  }
}

TEST(FusedBatchNorm, AnotherLayoutAndAnotherTypeTakeThePlainForm) {
  at::manual_seed(12);
  Inputs in = inputs({3, 4, 5, 5}, true);
  in.x = in.x.contiguous();
  expect_equal(all_of(in, at::kFloat, false), all_of(in, at::kDouble, true));
  expect_equal(all_of(in, at::kDouble, false), all_of(in, at::kDouble, true));
}

TEST(FusedBatchNorm, TheNumberOfThreadsChangesNoBit) {
  at::manual_seed(13);
  const Inputs in = inputs({16, 16, 32, 32}, true);
  const int threads = at::get_num_threads();
  std::vector<Tensors> results;
  for (const int count : {1, 2}) {
    at::set_num_threads(count);
    const at::Tensor x = wanted(in.x, at::kFloat), weight = wanted(in.weight, at::kFloat);
    const at::Tensor y = nn::norm_relu(x, in.plus, {weight, in.bias});
    y.square().sum().backward();
    results.push_back({y.detach(), x.grad(), weight.grad()});
  }
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(results[0][i].equal(results[1][i])) << "part " << i;
}

TEST(FusedBatchNorm, WhatIsNotANumberIsSeen) {
  Inputs in = inputs({2, 3, 4, 4}, false);
  in.x[0][1][2][2] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor y = nn::norm_relu(in.x, {}, {in.weight, in.bias});
  EXPECT_TRUE(y.select(1, 1).isnan().any().item<bool>());
  EXPECT_FALSE(y.select(1, 0).isnan().any().item<bool>());
}

TEST(FusedBatchNorm, TheLayerCountsAndFollowsAsItsForwardDoes) {
  at::manual_seed(14);
  const Inputs in = inputs({4, 8, 6, 6}, true);
  nn::BatchNorm fused(8), plain(8);
  for (int step = 0; step < 3; ++step) {
    const at::Tensor expected = at::relu(plain.forward(in.x) + in.plus);
    EXPECT_TRUE(at::allclose(fused.relu_of(in.x, in.plus), expected, 1e-5, 1e-5));
  }
  EXPECT_EQ(fused.num_batches_tracked.item<std::int64_t>(), 3);
  EXPECT_TRUE(at::allclose(fused.running_mean, plain.running_mean, 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(fused.running_var, plain.running_var, 1e-5, 1e-5));
  fused.eval();
  plain.eval();
  EXPECT_TRUE(at::allclose(fused.relu_of(in.x), at::relu(plain.forward(in.x)), 1e-5, 1e-5));
}

}  // namespace
}  // namespace vaetl::testing::fused_batch_norm_test
