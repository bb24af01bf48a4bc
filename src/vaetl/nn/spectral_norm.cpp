#include "vaetl/nn/spectral_norm.hpp"

#include <ATen/ops/dot.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/randn.h>

#include "vaetl/nn/statistics.hpp"

namespace vaetl::nn {
namespace {

at::Tensor unit_length(const at::Tensor& vector) { return vector / vector.norm().clamp_min(1e-12); }

}  // namespace

SpectralNorm::SpectralNorm(torch::nn::Module& layer, const at::Tensor& weight)
    : original_(layer.register_parameter("weight_orig", weight)),
      u_(layer.register_buffer("weight_u", unit_length(at::randn({weight.size(0)})))),
      v_(layer.register_buffer("weight_v", unit_length(at::randn({weight.numel() / weight.size(0)})))) {}

at::Tensor SpectralNorm::weight(bool training) const {
  const at::Tensor matrix = original_.flatten(1);
  // Copies: a graph keeps them while the next forward pass moves the buffers.
  at::Tensor u = u_.clone(), v = v_.clone();
  if (training && !KeepStatistics::active()) {
    const at::NoGradGuard no_grad;
    v = unit_length(matrix.t().mv(u));
    u = unit_length(matrix.mv(v));
    v_.copy_(v);
    u_.copy_(u);
  }
  return original_ / u.dot(matrix.mv(v));
}

}  // namespace vaetl::nn
