#include "vaetl/train/optimizers/layerwise.hpp"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <cmath>

namespace vaetl::optim {
namespace {

// The matrices and kernels among the parameters, with what will be taken from them.
struct Layers {
  std::vector<at::Tensor> weights, steps;
};

Layers layers(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& steps) {
  Layers result;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].dim() < 2) continue;
    result.weights.push_back(parameters[i]);
    result.steps.push_back(steps[i]);
  }
  return result;
}

at::Tensor norms(const std::vector<at::Tensor>& tensors) { return at::stack(at::_foreach_norm(tensors)); }

// Multiplies every layer's step by its ratio, 1 where either norm is 0; on the device, without reading any.
void scale_steps(const Layers& layers, const at::Tensor& ratio, const at::Tensor& weight_norms,
                 const at::Tensor& step_norms) {
  const at::Tensor both = weight_norms.gt(0).logical_and_(step_norms.gt(0));
  at::_foreach_mul_(layers.steps, at::where(both, ratio, at::ones_like(ratio)).unbind());
}

}  // namespace

void Lars::update(const Lists& l, double scale) {
  const double lr = options_.lr * l.lr_scale * scale, decay = options_.weight_decay * l.weight_decay_scale;
  const Layers found = layers(l.parameters, l.gradients);
  at::Tensor weights, gradients;
  if (!found.weights.empty()) {
    weights = norms(found.weights);
    gradients = norms(found.steps);
  }
  if (decay > 0) at::_foreach_add_(l.gradients, l.parameters, decay);
  if (!found.weights.empty()) {
    scale_steps(found, options_.trust * weights / (gradients + decay * weights), weights, gradients);
  }
  at::_foreach_mul_(l.slots[0], options_.momentum);
  at::_foreach_add_(l.slots[0], l.gradients, lr);
  at::_foreach_add_(l.parameters, l.slots[0], -1);
}

void Lamb::update(const Lists& l, double scale) {
  const double lr = options_.lr * l.lr_scale * scale, decay = options_.weight_decay * l.weight_decay_scale;
  const auto steps = static_cast<double>(l.steps);
  at::_foreach_lerp_(l.slots[0], l.gradients, 1 - options_.beta1);
  at::_foreach_mul_(l.slots[1], options_.beta2);
  at::_foreach_addcmul_(l.slots[1], l.gradients, l.gradients, 1 - options_.beta2);
  auto denominator = at::_foreach_sqrt(l.slots[1]);
  at::_foreach_div_(denominator, std::sqrt(1 - std::pow(options_.beta2, steps)));
  at::_foreach_add_(denominator, options_.eps);
  at::_foreach_mul_(denominator, 1 - std::pow(options_.beta1, steps));
  const auto step = at::_foreach_div(l.slots[0], denominator);
  if (decay > 0) at::_foreach_add_(step, l.parameters, decay);
  const Layers found = layers(l.parameters, step);
  if (!found.weights.empty()) {
    const at::Tensor weights = norms(found.weights), moved = norms(found.steps);
    scale_steps(found, weights / moved, weights, moved);
  }
  at::_foreach_add_(l.parameters, step, -lr);
}

}  // namespace vaetl::optim
