#include "vaetl/nn/prior.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/special_ndtr.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <numbers>

namespace vaetl::nn {

// Σ_d (z − mean_k)² / σ_k² is three products, so that nothing of size (N, K, Z) is made. It does not depend on where
// zero is; among the means the products round least.
at::Tensor Mixture::log_prob(const at::Tensor& z, const at::Tensor& condition) const {
  const at::Tensor centre = components.mean.detach().mean(0);
  const at::Tensor point = z - centre, mean = components.mean - centre, precision = (-components.log_var).exp();
  const at::Tensor weighted = mean * precision;
  const at::Tensor distance =
      point.square().matmul(precision.t()) - 2 * point.matmul(weighted.t()) + (mean * weighted).sum(1);
  const at::Tensor log_volume =
      components.log_var.sum(1) + static_cast<double>(z.size(1)) * std::log(2 * std::numbers::pi);
  return at::logsumexp(log_weights_of(condition) - 0.5 * (distance + log_volume), 1);
}

// The first component up to which the weights sum to the rank at least has a weight itself, for a rank above 0 and a
// total of exactly 1, whatever they round to.
at::Tensor Mixture::from_noise(const at::Tensor& noise, const at::Tensor& condition) const {
  const at::Tensor rank = at::special_ndtr(noise.slice(1, 0, 1)).clamp_min(std::numeric_limits<float>::min());
  const at::Tensor sums = log_weights_of(condition).exp().cumsum(-1);
  const at::Tensor below = sums / sums.slice(-1, sums.size(-1) - 1);
  const at::Tensor chosen = at::searchsorted(below, rank.contiguous()).squeeze(1);
  const at::Tensor deviation = (0.5 * components.log_var).exp();
  return components.mean.index_select(0, chosen) + deviation.index_select(0, chosen) * noise.slice(1, 1);
}

at::Tensor Mixture::log_weights_of(const at::Tensor& condition) const {
  return log_weights.dim() == 2 ? log_weights.index_select(0, condition) : log_weights;
}

MixturePrior::MixturePrior(std::int64_t components, std::int64_t latent, std::int64_t conditions)
    : mean_(register_parameter("mean", at::randn({components, latent}))),
      log_var_(register_parameter("log_var", at::zeros({components, latent}))),
      logits_(register_parameter("logits",
                                 conditions > 0 ? at::zeros({conditions, components}) : at::zeros({components}))) {}

Mixture MixturePrior::mixture() const { return {{mean_, log_var_}, at::log_softmax(logits_, -1)}; }

PseudoInputs::PseudoInputs(std::int64_t components, std::vector<std::int64_t> shape, std::int64_t conditions)
    : conditions_(conditions) {
  shape.insert(shape.begin(), components);
  inputs_ = register_parameter("inputs", at::randn(shape));
}

at::Tensor PseudoInputs::values() const { return inputs_.sigmoid(); }

at::Tensor PseudoInputs::condition() const {
  if (conditions_ == 0) return {};
  return at::arange(inputs_.size(0), inputs_.options().dtype(at::kLong)).remainder_(conditions_);
}

Mixture PseudoInputs::mixture_of(const Gaussian& posteriors) const {
  const std::int64_t count = posteriors.mean.size(0);
  const at::TensorOptions like = posteriors.mean.options();
  if (conditions_ == 0) return {posteriors, at::full({count}, -std::log(static_cast<double>(count)), like)};
  const at::Tensor classes = at::arange(conditions_, like.dtype(at::kLong)).unsqueeze(1);
  const at::Tensor members = condition().eq(classes).to(like);  // (C, K) of 0 and 1
  return {posteriors, (members / members.sum(1, /*keepdim=*/true)).log()};
}

}  // namespace vaetl::nn
