// Which tensors the fused functions take, and how they share their rows out. Internal to nn.
#pragma once
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>

#include "vaetl/core/parallel.hpp"

namespace vaetl::nn {

// Rows worth a thread, whose start and barrier take about 10 microseconds: of loops that wait for memory, and of those
// that compute an exponential of every value.
constexpr std::int64_t quick_values = 131072, slow_values = 16384;
inline std::int64_t rows_a_thread(std::int64_t row_size, std::int64_t values) {
  return std::max<std::int64_t>(1, values / std::max<std::int64_t>(1, row_size));
}

inline bool plain_float(const at::Tensor& x) {
  return x.defined() && x.device().is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided;
}

// A bias for each of a weight's outputs.
inline bool fits_weight(const at::Tensor& bias, const at::Tensor& weight) {
  return plain_float(bias) && bias.dim() == 1 && bias.is_contiguous() && bias.size(0) == weight.size(0);
}

inline bool fusible() { return !at::autocast::is_autocast_enabled(at::kCPU); }

}  // namespace vaetl::nn
