#include "vaetl/train/optimizers/adam.hpp"

#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>

namespace vaetl::optim {

void Adam::update(const Lists& l, double scale) {
  at_rate(l, scale, [&](const auto& lr) {
    at::_fused_adam_(l.parameters, l.gradients, l.slots[0], l.slots[1], {}, l.counters, lr, options_.beta1,
                     options_.beta2, options_.weight_decay * l.weight_decay_scale, options_.eps, /*amsgrad=*/false,
                     /*maximize=*/false);
  });
}

void AdamW::update(const Lists& l, double scale) {
  at_rate(l, scale, [&](const auto& lr) {
    at::_fused_adamw_(l.parameters, l.gradients, l.slots[0], l.slots[1], {}, l.counters, lr, options_.beta1,
                      options_.beta2, options_.weight_decay * l.weight_decay_scale, options_.eps, /*amsgrad=*/false,
                      /*maximize=*/false);
  });
}

}  // namespace vaetl::optim
