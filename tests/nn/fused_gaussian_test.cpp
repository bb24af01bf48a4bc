// The Gaussian's terms of a VAE: equal to their parts in double, with gradients of gradients.
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>

#include "vaetl/nn/fused.hpp"

namespace vaetl::testing::fused_gaussian_test {
namespace {

using Function = std::function<at::Tensor(const at::Tensor& mean, const at::Tensor& log_var)>;

at::Tensor kl_by_parts(const at::Tensor& mean, const at::Tensor& log_var) {
  return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1);
}

at::Tensor wanted(const at::Tensor& values) { return values.detach().clone().requires_grad_(); }

// The value, the gradients of both inputs, and those of the squared gradients' sum.
std::vector<at::Tensor> all_of(const Function& function, const at::Tensor& mean, const at::Tensor& log_var) {
  const at::Tensor m = wanted(mean), v = wanted(log_var), y = function(m, v);
  const auto first = torch::autograd::grad({y.square().sum()}, {m, v}, {}, true);
  const auto again = torch::autograd::grad({function(m, v).square().sum()}, {m, v}, {}, true, /*create_graph=*/true);
  const at::Tensor sum = again[0].square().sum() + again[1].square().sum();
  const auto second = torch::autograd::grad({sum}, {m, v});
  return {y.detach(), first[0], first[1], second[0], second[1]};
}

// Float32 has 7 digits: as the largest value of each.
void expect_equal(const std::vector<at::Tensor>& found, const std::vector<at::Tensor>& expected) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double largest = expected[i].abs().max().item<double>();
    EXPECT_LT((found[i] - expected[i]).abs().max().item<double>(), 2e-6 * largest) << "part " << i;
  }
}

TEST(FusedGaussian, KlEqualsItsParts) {
  at::manual_seed(7);
  for (const std::int64_t size : {1, 2, 20, 31, 32, 100}) {
    const at::Tensor mean = at::randn({9, size}), log_var = at::randn({9, size}) * 3;
    expect_equal(all_of([](const auto& m, const auto& v) { return nn::gaussian_kl(m, v); }, mean, log_var),
                 all_of(kl_by_parts, mean.to(at::kDouble), log_var.to(at::kDouble)));
  }
}

TEST(FusedGaussian, SampleEqualsItsParts) {
  at::manual_seed(8);
  for (const auto& shape : {std::vector<std::int64_t>{9, 20}, {5, 1}, {2, 3, 40}}) {
    const at::Tensor mean = at::randn(shape), log_var = at::randn(shape) * 3, noise = at::randn(shape);
    const auto by = [](const at::Tensor& draws) {
      return [draws](const at::Tensor& m, const at::Tensor& v) { return nn::gaussian_sample(m, v, draws); };
    };
    expect_equal(all_of(by(noise), mean, log_var),
                 all_of(by(noise.to(at::kDouble)), mean.to(at::kDouble), log_var.to(at::kDouble)));
  }
}

TEST(FusedGaussian, ExtremesAreAsTheyShouldBe) {
  const at::Tensor log_var = at::tensor({-200.0F, -80.0F, 0.0F, 80.0F}).view({4, 1}), mean = at::zeros({4, 1});
  const at::Tensor found = nn::gaussian_kl(mean, log_var);
  EXPECT_TRUE(at::allclose(found, kl_by_parts(mean, log_var), 1e-5)) << found;
  EXPECT_TRUE(nn::gaussian_kl(mean, at::full({4, 1}, 200.0F)).isinf().all().item<bool>());
  const at::Tensor nan = at::full({4, 40}, std::numeric_limits<float>::quiet_NaN()), zero = at::zeros({4, 40});
  EXPECT_TRUE(nn::gaussian_kl(zero, nan).isnan().all().item<bool>());
  EXPECT_TRUE(nn::gaussian_kl(nan, zero).isnan().all().item<bool>());
  EXPECT_TRUE(nn::gaussian_sample(zero, nan, zero + 1).isnan().all().item<bool>());
}

}  // namespace
}  // namespace vaetl::testing::fused_gaussian_test
