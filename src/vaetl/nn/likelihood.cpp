#include "vaetl/nn/likelihood.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/stack.h>

#include <numbers>

#include "vaetl/core/text.hpp"
#include "vaetl/nn/discrete_likelihood.hpp"
#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/sequence.hpp"
#include "vaetl/nn/variational.hpp"

namespace vaetl {

at::Tensor Likelihood::squared_distance(const at::Tensor& x) const { return nn::squared_distance(mean(), x); }

at::Tensor Gaussian::rsample() const { return nn::gaussian_sample(mean, log_var, at::randn_like(mean)); }

at::Tensor Gaussian::kl_to_standard() const { return nn::gaussian_kl(mean, log_var); }

at::Tensor Gaussian::log_prob(const at::Tensor& z) const {
  const at::Tensor scaled = (z - mean).square() * (-log_var).exp();
  return -0.5 * (scaled + log_var + std::log(2 * std::numbers::pi)).sum(1);
}

namespace nn {
namespace {

at::Tensor without_padding(const at::Tensor& ids, const at::Tensor& lengths) {
  return ids * before_end(lengths, ids.size(1));
}

[[noreturn]] void throw_unknown_likelihood(const std::string& name) {
  std::vector<std::string> names;
  for (std::string_view known : likelihoods) {
    if (!known.empty()) names.emplace_back(known);
  }
  throw ConfigError({"likelihood", "one of " + join(names), quote(name), did_you_mean(name, names)});
}

}  // namespace

at::Tensor softly_above(const at::Tensor& values, double low) { return at::softplus(values - low) + low; }

at::Tensor OfElements::log_prob(const at::Tensor& x) const { return log_prob_each(x).flatten(1).sum(1); }

at::Tensor Bernoulli::log_prob(const at::Tensor& x) const { return bernoulli_log_prob(logits_, x); }

at::Tensor Bernoulli::squared_distance(const at::Tensor& x) const { return sigmoid_squared_distance(logits_, x); }

at::Tensor Bernoulli::log_prob_each(const at::Tensor& x) const {
  return -at::binary_cross_entropy_with_logits(logits_, x, {}, {}, at::Reduction::None);
}

at::Tensor Bernoulli::mean() const { return at::sigmoid(logits_); }

at::Tensor Bernoulli::sample() const { return at::bernoulli(mean()); }

at::Tensor Bernoulli::masses(std::int64_t example) const {
  const at::Tensor logits = logits_[example].flatten().to(at::kCPU, at::kDouble);
  return at::sigmoid(at::stack({-logits, logits}, 1));
}

at::Tensor FixedGaussian::log_prob(const at::Tensor& x) const {
  const double values = x.size(0) == 0 ? 0 : static_cast<double>(x.numel() / x.size(0));
  const double constant = 0.5 * values * std::log(2 * std::numbers::pi * variance_);
  return nn::squared_distance(mean_, x) * (-0.5 / variance_) - constant;
}

at::Tensor FixedGaussian::log_prob_each(const at::Tensor& x) const {
  return (x - mean_).square() * (-0.5 / variance_) - 0.5 * std::log(2 * std::numbers::pi * variance_);
}

at::Tensor FixedGaussian::sample() const { return mean_ + std::sqrt(variance_) * at::randn_like(mean_); }

LearnedGaussian::LearnedGaussian(const at::Tensor& output)
    : mean_(output.select(1, 0)), log_sigma_(softly_above(output.select(1, 1), std::log(1.0 / 256))) {}

at::Tensor LearnedGaussian::log_prob_each(const at::Tensor& x) const {
  const at::Tensor scaled = (x - mean_) * (-log_sigma_).exp();
  return -(0.5 * scaled.square() + log_sigma_ + 0.5 * std::log(2 * std::numbers::pi));
}

at::Tensor LearnedGaussian::sample() const { return mean_ + log_sigma_.exp() * at::randn_like(mean_); }

at::Tensor log_prob_before(const Likelihood& likelihood, const at::Tensor& x, const at::Tensor& lengths) {
  if (!lengths.defined()) return likelihood.log_prob(x);
  if (!x.is_floating_point()) return likelihood.log_prob(without_padding(x, lengths));
  const at::Tensor each = likelihood.log_prob_each(x);
  if (!each.defined()) return likelihood.log_prob(x);
  return (each.reshape({x.size(0), x.size(1), -1}).sum(2) * before_end(lengths, x.size(1))).sum(1);
}

at::Tensor log_prob_of(const Likelihood& likelihood, const Fields& fields, const std::string& by) {
  return log_prob_before(likelihood, fields.input(), batch_lengths(fields, by));
}

at::Tensor mean_squared_error(const Likelihood& likelihood, const Fields& fields, const std::string& by) {
  const at::Tensor& x = fields.input();
  if (!fields.has("length") && x.numel() > 0) {
    return likelihood.squared_distance(x) / static_cast<double>(x.numel() / x.size(0));
  }
  return mean_each(at::mse_loss(likelihood.mean(), x, at::Reduction::None), fields, by);
}

at::Tensor mean_log_prob(const Likelihood& likelihood, const Fields& fields, const std::string& by) {
  const at::Tensor& x = fields.input();
  const at::Tensor lengths = batch_lengths(fields, by), log_prob = log_prob_before(likelihood, x, lengths);
  if (!x.is_floating_point()) {
    const at::Tensor ids = lengths.defined() ? without_padding(x, lengths) : x;
    return log_prob / (lengths_of_ids(ids) + 1).clamp_max(x.size(1));
  }
  if (!lengths.defined()) return log_prob / static_cast<double>(x[0].numel());
  return log_prob / (lengths * (x[0].numel() / x.size(1)));
}

std::int64_t likelihood_maps(const std::string& name) { return name == "bernoulli" || name == "gaussian" ? 1 : 2; }

std::shared_ptr<Likelihood> make_likelihood(const std::string& name, at::Tensor output, double sigma) {
  if (name == "bernoulli") return std::make_shared<Bernoulli>(std::move(output));
  if (name == "gaussian") return std::make_shared<FixedGaussian>(std::move(output), sigma * sigma);
  if (name == "learned_gaussian") return std::make_shared<LearnedGaussian>(output);
  if (name == "discretised_logistic") return std::make_shared<DiscretisedLogistic>(output);
  if (name == "beta_binomial") return std::make_shared<BetaBinomial>(output);
  throw_unknown_likelihood(name);
}

}  // namespace nn
}  // namespace vaetl
