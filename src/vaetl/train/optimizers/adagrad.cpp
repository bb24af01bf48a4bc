#include "vaetl/train/optimizers/adagrad.hpp"

#include <ATen/ops/_fused_adagrad.h>

namespace vaetl::optim {

void Adagrad::update(const Lists& l, double scale) {
  at::_fused_adagrad_(l.parameters, l.gradients, l.slots[0], l.counters, options_.lr * l.lr_scale * scale,
                      options_.lr_decay, options_.weight_decay * l.weight_decay_scale, options_.eps,
                      /*maximize=*/false);
}

}  // namespace vaetl::optim
