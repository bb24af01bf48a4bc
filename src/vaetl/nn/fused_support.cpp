#include "vaetl/nn/fused_support.hpp"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/autograd.h>

#include "vaetl/nn/kernels/kernels.hpp"

namespace vaetl::nn {

void multiply(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b) {
  constexpr std::int64_t few_rows = 4;  // b would be copied for no more than that
  at::Tensor result = c;
  if (a.size(0) < few_rows || !kernels::quick_products()) {
    at::mm_out(result, a, b);
  } else {
    kernels::product(result.mutable_data_ptr<float>(), c.stride(0), matrix_of(a), matrix_of(b));
  }
}

at::Tensor for_each_value(const at::Tensor& of_rows, const at::Tensor& values) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(values.dim()), 1);
  shape[0] = values.size(0);
  return of_rows.view(shape);
}

at::Tensor scaled_rows(const at::Tensor& values, const at::Tensor& factors) {
  at::Tensor result = at::empty_like(values);
  const at::Tensor of_rows = factors.contiguous();
  const float *scale = of_rows.const_data_ptr<float>(), *from_values = values.const_data_ptr<float>();
  float* out = result.mutable_data_ptr<float>();
  for_rows(values, [&](std::int64_t row, std::int64_t from, std::int64_t size) {
    kernels::scaled(out + from, from_values + from, scale[row], size);
  });
  return result;
}

std::vector<at::Tensor> differentiable_gradients(torch::autograd::AutogradContext& context,
                                                 const std::vector<at::Tensor>& inputs,
                                                 const std::vector<at::Tensor>& gradients, const Plain& plain) {
  std::vector<at::Tensor> own, wanted, result(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    own.push_back(inputs[i].defined() ? inputs[i].view_as(inputs[i]) : inputs[i]);
    if (context.needs_input_grad(i)) wanted.push_back(own.back());
  }
  const auto found = torch::autograd::grad(plain(own), wanted, gradients, /*retain_graph=*/true, /*create_graph=*/true);
  for (std::size_t i = 0, next = 0; i < inputs.size(); ++i) {
    if (context.needs_input_grad(i)) result[i] = found[next++];
  }
  return result;
}

}  // namespace vaetl::nn
