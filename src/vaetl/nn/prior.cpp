#include "vaetl/nn/prior.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/special_ndtr.h>
#include <ATen/ops/zeros.h>

#include <numbers>

namespace vaetl::nn {

// Σ_d (z − mean_k)² / σ_k² is three products, so that nothing of size (N, K, Z) is made. It does not depend on where
// zero is; among the means the products round least.
at::Tensor Mixture::log_prob(const at::Tensor& z) const {
  const at::Tensor centre = components.mean.detach().mean(0);
  const at::Tensor point = z - centre, mean = components.mean - centre, precision = (-components.log_var).exp();
  const at::Tensor weighted = mean * precision;
  const at::Tensor distance =
      point.square().matmul(precision.t()) - 2 * point.matmul(weighted.t()) + (mean * weighted).sum(1);
  const at::Tensor log_volume =
      components.log_var.sum(1) + static_cast<double>(z.size(1)) * std::log(2 * std::numbers::pi);
  return at::logsumexp(log_weights - 0.5 * (distance + log_volume), 1);
}

at::Tensor Mixture::from_noise(const at::Tensor& noise) const {
  const at::Tensor rank = at::special_ndtr(noise.select(1, 0).contiguous());
  const at::Tensor below = log_weights.exp().cumsum(0);
  const at::Tensor chosen = at::searchsorted(below, rank, /*out_int32=*/false, /*right=*/true)
                                .clamp_max(log_weights.size(0) - 1);  // where the sum rounds to less than 1
  const at::Tensor deviation = (0.5 * components.log_var).exp();
  return components.mean.index_select(0, chosen) + deviation.index_select(0, chosen) * noise.slice(1, 1);
}

MixturePrior::MixturePrior(std::int64_t components, std::int64_t latent)
    : mean_(register_parameter("mean", at::randn({components, latent}))),
      log_var_(register_parameter("log_var", at::zeros({components, latent}))),
      logits_(register_parameter("logits", at::zeros({components}))) {}

Mixture MixturePrior::mixture() const { return {{mean_, log_var_}, at::log_softmax(logits_, 0)}; }

PseudoInputs::PseudoInputs(std::int64_t components, std::vector<std::int64_t> shape) {
  shape.insert(shape.begin(), components);
  inputs_ = register_parameter("inputs", at::randn(shape));
}

at::Tensor PseudoInputs::values() const { return inputs_.sigmoid(); }

Mixture PseudoInputs::mixture_of(const Gaussian& posteriors) {
  const std::int64_t count = posteriors.mean.size(0);
  return {posteriors, at::full({count}, -std::log(static_cast<double>(count)), posteriors.mean.options())};
}

}  // namespace vaetl::nn
