#include "vaetl/nn/fused_support.hpp"

#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/autograd.h>

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
