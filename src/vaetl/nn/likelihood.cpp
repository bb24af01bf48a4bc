#include "vaetl/nn/likelihood.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/sigmoid.h>

#include <numbers>

#include "vaetl/core/text.hpp"

namespace vaetl {

at::Tensor Gaussian::rsample() const { return mean + (0.5 * log_var).exp() * at::randn_like(mean); }

at::Tensor Gaussian::kl_to_standard() const { return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1); }

at::Tensor Gaussian::log_prob(const at::Tensor& z) const {
  const at::Tensor scaled = (z - mean).square() * (-log_var).exp();
  return -0.5 * (scaled + log_var + std::log(2 * std::numbers::pi)).sum(1);
}

namespace nn {
namespace {

at::Tensor sum_each(const at::Tensor& values) { return values.flatten(1).sum(1); }

}  // namespace

at::Tensor Bernoulli::log_prob(const at::Tensor& x) const {
  return -sum_each(at::binary_cross_entropy_with_logits(logits_, x, {}, {}, at::Reduction::None));
}

at::Tensor Bernoulli::mean() const { return at::sigmoid(logits_); }

at::Tensor Bernoulli::sample() const { return at::bernoulli(mean()); }

at::Tensor FixedGaussian::log_prob(const at::Tensor& x) const {
  const double values = x.size(0) == 0 ? 0 : static_cast<double>(x.numel() / x.size(0));
  const double constant = 0.5 * values * std::log(2 * std::numbers::pi * variance_);
  return sum_each((x - mean_).square()) * (-0.5 / variance_) - constant;
}

at::Tensor FixedGaussian::sample() const { return mean_ + std::sqrt(variance_) * at::randn_like(mean_); }

std::shared_ptr<Likelihood> make_likelihood(const std::string& name, at::Tensor output) {
  if (name == "bernoulli") return std::make_shared<Bernoulli>(std::move(output));
  if (name == "gaussian") return std::make_shared<FixedGaussian>(std::move(output));
  const std::vector<std::string> names = {"bernoulli", "gaussian"};
  throw ConfigError({"likelihood", "one of " + join(names), quote(name), did_you_mean(name, names)});
}

}  // namespace nn
}  // namespace vaetl
