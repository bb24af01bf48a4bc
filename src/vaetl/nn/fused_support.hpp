// Which tensors the fused functions take, and how they share their rows out. Internal to nn.
#pragma once
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>
#include <c10/util/FunctionRef.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "vaetl/core/parallel.hpp"
#include "vaetl/nn/kernels/product.hpp"
#include "vaetl/nn/plain_forms.hpp"

namespace vaetl::nn {

// Rows worth a thread, whose start and barrier take about 10 microseconds: of loops that wait for memory, and of those
// that compute an exponential of every value.
constexpr std::int64_t quick_values = 131072, slow_values = 16384;
inline std::int64_t rows_a_thread(std::int64_t row_size, std::int64_t values) {
  return std::max<std::int64_t>(1, values / std::max<std::int64_t>(1, row_size));
}

// What fused forms take.
inline bool plain_float(const at::Tensor& x) {
  return x.defined() && x.device().is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided &&
         !PlainForms::wanted();
}

// A bias for each of a weight's outputs.
inline bool fits_weight(const at::Tensor& bias, const at::Tensor& weight) {
  return plain_float(bias) && bias.dim() == 1 && bias.is_contiguous() && bias.size(0) == weight.size(0);
}

// A fused function calls operators in part, or none: a profile shall tell it like one.
class Recorded {
 public:
  explicit Recorded(const char* name) : function_(at::RecordScope::FUNCTION) {
    if (function_.isActive()) function_.before(name);
  }

 private:
  at::RecordFunction function_;
};

inline kernels::Matrix matrix_of(const at::Tensor& x) {
  return {x.const_data_ptr<float>(), x.size(0), x.size(1), x.stride(0), x.stride(1)};
}

// c ← a b, plain matrices of floats, c's rows without gaps: on the calling thread alone.
void multiply(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b);

inline bool same_plain(const at::Tensor& a, const at::Tensor& b) {
  return a.dim() >= 2 && a.numel() > 0 && a.sizes() == b.sizes() && plain_float(a) && plain_float(b) &&
         a.is_contiguous() && b.is_contiguous();
}

inline std::int64_t row_size(const at::Tensor& x) { return x.numel() / x.size(0); }

at::Tensor for_each_value(const at::Tensor& of_rows, const at::Tensor& values);  // (N) against (N, …)

// compute(row, values before the row's first, values of a row) over all rows of x.
template <class Compute>
void for_rows(const at::Tensor& x, Compute compute) {
  const std::int64_t size = row_size(x);
  parallel_ranges(x.size(0), rows_a_thread(size, slow_values), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) compute(row, row * size, size);
  });
}

// Each row's values times its own factor.
at::Tensor scaled_rows(const at::Tensor& values, const at::Tensor& factors);

// What autocast has computed in bfloat16, for functions that are quicker in float32 all the same.
inline bool cast_by_autocast(const at::Tensor& x) {
  return x.device().is_cpu() && x.scalar_type() == at::kBFloat16 && at::autocast::is_autocast_enabled(at::kCPU);
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
