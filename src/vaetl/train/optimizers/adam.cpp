#include "vaetl/train/optimizers/adam.hpp"

#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>

namespace vaetl::optim {

void Adam::update(const Lists& l, double scale) {
  const auto step = [&](const auto& lr) {
    at::_fused_adam_(l.parameters, l.gradients, l.slots[0], l.slots[1], {}, l.counters, lr, options_.beta1,
                     options_.beta2, options_.weight_decay * l.weight_decay_scale, options_.eps, /*amsgrad=*/false,
                     /*maximize=*/false);
  };
  l.lr.defined() ? step(l.lr) : step(options_.lr * l.lr_scale * scale);
}

void AdamW::update(const Lists& l, double scale) {
  const auto step = [&](const auto& lr) {
    at::_fused_adamw_(l.parameters, l.gradients, l.slots[0], l.slots[1], {}, l.counters, lr, options_.beta1,
                      options_.beta2, options_.weight_decay * l.weight_decay_scale, options_.eps, /*amsgrad=*/false,
                      /*maximize=*/false);
  };
  l.lr.defined() ? step(l.lr) : step(options_.lr * l.lr_scale * scale);
}

}  // namespace vaetl::optim
