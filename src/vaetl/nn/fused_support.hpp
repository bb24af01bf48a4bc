// Which tensors the fused functions take. Internal to nn.
#pragma once
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>

namespace vaetl::nn {

// Rows whose loop is worth a thread: about 30 microseconds of work.
inline std::int64_t rows_a_thread(std::int64_t row_size) {
  constexpr std::int64_t values = 32768;
  return std::max<std::int64_t>(1, values / std::max<std::int64_t>(1, row_size));
}

inline bool plain_float(const at::Tensor& x) {
  return x.device().is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided;
}

inline bool fusible() { return !at::autocast::is_autocast_enabled(at::kCPU); }

}  // namespace vaetl::nn
