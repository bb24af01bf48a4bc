// Which tensors the fused functions take, and how they share their rows out. Internal to nn.
#pragma once
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

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

// A fused function's gradients by its plain form, which can be differentiated again: of those of its `inputs`, in their
// order, that the context wants. Each is taken apart from other places where it is read, which have gradients of their
// own.
using Plain = c10::function_ref<std::vector<at::Tensor>(const std::vector<at::Tensor>& inputs)>;
std::vector<at::Tensor> differentiable_gradients(torch::autograd::AutogradContext& context,
                                                 const std::vector<at::Tensor>& inputs,
                                                 const std::vector<at::Tensor>& gradients, const Plain& plain);

}  // namespace vaetl::nn
