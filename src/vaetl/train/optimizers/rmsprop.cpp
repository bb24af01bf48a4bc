#include "vaetl/train/optimizers/rmsprop.hpp"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

namespace vaetl::optim {

RmsProp::RmsProp(Options options)
    : FirstOrder([&] {
        std::vector<Slot> slots = {{"square"}};
        if (options.centered) slots.push_back({"mean"});
        if (options.momentum > 0) slots.push_back({"momentum"});
        return slots;
      }()),
      options_(options) {}

// √s + ε. What is left of s − m² may be below 0 by rounding.
std::vector<at::Tensor> RmsProp::denominators(const Lists& l) const {
  std::vector<at::Tensor> result;
  if (options_.centered) {
    at::_foreach_lerp_(l.slots[1], l.gradients, 1 - options_.alpha);
    result = at::_foreach_addcmul(l.slots[0], l.slots[1], l.slots[1], -1);
    at::_foreach_clamp_min_(result, 0);
    at::_foreach_sqrt_(result);
  } else {
    result = at::_foreach_sqrt(l.slots[0]);
  }
  at::_foreach_add_(result, options_.eps);
  return result;
}

void RmsProp::update(const Lists& l, double scale) {
  const double lr = options_.lr * l.lr_scale * scale, decay = options_.weight_decay * l.weight_decay_scale;
  if (decay > 0) at::_foreach_add_(l.gradients, l.parameters, decay);
  at::_foreach_mul_(l.slots[0], options_.alpha);
  at::_foreach_addcmul_(l.slots[0], l.gradients, l.gradients, 1 - options_.alpha);
  const auto denominator = denominators(l);
  if (options_.momentum == 0) return at::_foreach_addcdiv_(l.parameters, l.gradients, denominator, -lr);
  const auto& momentum = l.slots.back();
  at::_foreach_mul_(momentum, options_.momentum);
  at::_foreach_addcdiv_(momentum, l.gradients, denominator, 1);
  at::_foreach_add_(l.parameters, momentum, -lr);
}

}  // namespace vaetl::optim
