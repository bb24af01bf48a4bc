#include "vaetl/objectives/contractive.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include "vaetl/nn/second_gradients.hpp"

namespace vaetl::objectives {
namespace {

// ‖vᵀ ∂h/∂x‖² of each example, with its own gradient.
at::Tensor squared_slope(const at::Tensor& code, const at::Tensor& x, const at::Tensor& v) {
  const auto slopes = torch::autograd::grad({code}, {x}, {v}, /*retain_graph=*/true, /*create_graph=*/true);
  return slopes[0].flatten(1).square().sum(1);
}

at::Tensor estimated_slope(const at::Tensor& code, const at::Tensor& x) {
  return squared_slope(code, x, at::empty_like(code).bernoulli_(0.5).mul_(2).sub_(1));
}

at::Tensor exact_slope(const at::Tensor& code, const at::Tensor& x) {
  at::Tensor sum;
  for (std::int64_t j = 0; j < code.size(1); ++j) {
    at::Tensor v = at::zeros_like(code);
    v.select(1, j).fill_(1);
    const at::Tensor one = squared_slope(code, x, v);
    sum = sum.defined() ? sum + one : one;
  }
  return sum;
}

}  // namespace

Terms Contractive::terms(std::size_t /*update*/, Pass& pass) {
  const at::AutoGradMode with_gradients(true);  // the slope itself is one
  const nn::SecondGradients wanted;
  Fields fields = pass.fields();
  const at::Tensor x = fields.input().detach().requires_grad_();
  fields.set("input", x);
  const at::Tensor code = require<Encoder>(pass.model()).encode(fields);
  return Terms{}.add("contraction", pass.mean(options_.exact ? exact_slope(code, x) : estimated_slope(code, x)));
}

}  // namespace vaetl::objectives
