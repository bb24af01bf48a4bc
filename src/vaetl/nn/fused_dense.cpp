#include <ATen/core/grad_mode.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tanh.h>
#include <torch/csrc/autograd/custom_function.h>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/fused_support.hpp"
#include "vaetl/nn/kernels/kernels.hpp"

namespace vaetl::nn {
namespace {

using kernels::Rule;

at::Tensor plain_dense(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const Activation& activation) {
  return activation(at::linear(x, weight, bias));
}

void activate_in_place(at::Tensor& y, Rule rule) {
  if (rule == Rule::sigmoid) y.sigmoid_();
  if (rule == Rule::tanh) y.tanh_();
  if (rule == Rule::elu) at::elu_(y);
}

at::Tensor dense_forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Derivative rule) {
  at::Tensor y = at::mm(x, weight.t());
  float* values = y.mutable_data_ptr<float>();
  const float* offsets = bias.const_data_ptr<float>();
  const std::int64_t columns = y.size(1);
  parallel_ranges(y.size(0), rows_a_thread(columns, quick_values), [&](std::int64_t first, std::int64_t last) {
    kernels::add_bias(values + first * columns, offsets, last - first, columns, rule.rule, rule.slope);
  });
  activate_in_place(y, rule.rule);
  return y;
}

// Columns are shared out among the threads, so that the bias's gradient is summed in one order whatever their number.
at::Tensor before_activation(const at::Tensor& gradient, const at::Tensor& y, at::Tensor& of_bias, Derivative rule) {
  const at::Tensor given = gradient.contiguous();
  at::Tensor before = rule.rule == Rule::identity ? given : at::empty_like(given);
  of_bias = at::empty({given.size(1)}, given.options());
  const kernels::DenseGradient job{given.const_data_ptr<float>(),
                                   (y.defined() ? y : given).const_data_ptr<float>(),
                                   rule.rule == Rule::identity ? nullptr : before.mutable_data_ptr<float>(),
                                   of_bias.mutable_data_ptr<float>(),
                                   given.size(0),
                                   given.size(1),
                                   rule.rule,
                                   rule.slope};
  parallel_ranges(job.columns, rows_a_thread(job.rows, quick_values),
                  [&](std::int64_t first, std::int64_t last) { kernels::dense_gradient(job, first, last); });
  return before;
}

// The same by operators that can be differentiated again.
at::Tensor differentiable_before(const at::Tensor& g, const at::Tensor& y, Derivative rule) {
  switch (rule.rule) {
    case Rule::identity:
      return g;
    case Rule::relu:
      return g * y.gt(0);
    case Rule::leaky_relu:
      return g * (y.gt(0) * (1 - rule.slope) + rule.slope);
    case Rule::sigmoid:
      return g * (1 - y) * y;
    case Rule::tanh:
      return g * (1 - y * y);
    case Rule::elu:
      return g * at::where(y.gt(0), at::ones_like(y), y + 1);
  }
  return g;
}

struct DenseFunction : torch::autograd::Function<DenseFunction> {
  using Context = torch::autograd::AutogradContext;
  using Tensors = torch::autograd::variable_list;

  static at::Tensor forward(Context* context, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            std::int64_t rule, double slope) {
    const at::AutoDispatchBelowADInplaceOrView below;
    const Derivative derivative{static_cast<Rule>(rule), static_cast<float>(slope)};
    at::Tensor y = dense_forward(x, weight, bias, derivative);
    // The identity's gradient needs no y: what follows may overwrite it.
    context->save_for_backward({x, weight, derivative.rule == Rule::identity ? at::Tensor() : y});
    context->saved_data["rule"] = rule;
    context->saved_data["slope"] = slope;
    return y;
  }

  static Tensors backward(Context* context, const Tensors& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &y = saved[2];
    const Derivative rule{static_cast<Rule>(context->saved_data["rule"].toInt()),
                          static_cast<float>(context->saved_data["slope"].toDouble())};
    at::Tensor before, of_bias;
    if (at::GradMode::is_enabled()) {
      before = differentiable_before(gradients[0], y, rule);
      of_bias = before.sum(0);
    } else {
      before = before_activation(gradients[0], y, of_bias, rule);
    }
    return {context->needs_input_grad(0) ? at::mm(before, weight) : at::Tensor(),
            context->needs_input_grad(1) ? at::mm(before.t(), x) : at::Tensor(),
            context->needs_input_grad(2) ? of_bias : at::Tensor(),
            {},
            {}};
  }
};

}  // namespace

at::Tensor dense(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const Activation& activation) {
  const auto rule = activation.derivative();
  const bool fits = x.dim() >= 2 && x.numel() > 0 && plain_float(x) && plain_float(weight) && weight.dim() == 2 &&
                    fits_weight(bias, weight);
  if (!rule || !fits || !fusible() || x.size(-1) != weight.size(1)) return plain_dense(x, weight, bias, activation);
  const at::Tensor rows = x.dim() == 2 ? x : x.reshape({-1, x.size(-1)});
  const at::Tensor y = DenseFunction::apply(rows, weight, bias, static_cast<std::int64_t>(rule->rule), rule->slope);
  if (x.dim() == 2) return y;
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return y.view(shape);
}

}  // namespace vaetl::nn
