#include "vaetl/train/optimizers/sgd.hpp"

#include <ATen/ops/_fused_sgd.h>

namespace vaetl::optim {

void Sgd::Options::validate() const {
  if (nesterov && momentum == 0) throw ConfigError({"sgd.nesterov", "a momentum above 0", "0", "set momentum"});
}

Sgd::Sgd(Options options)
    : FirstOrder(options.momentum > 0 ? std::vector<Slot>{{"momentum"}} : std::vector<Slot>{}), options_(options) {}

// From momentum 0 the first step's is μ 0 + g, the same as the kernel's own first step.
void Sgd::update(const Lists& l, double scale) {
  const at::TensorList momentum = l.slots.empty() ? at::TensorList{} : at::TensorList(l.slots[0]);
  at_rate(l, scale, [&](const auto& lr) {
    at::_fused_sgd_(l.parameters, l.gradients, momentum, options_.weight_decay * l.weight_decay_scale,
                    options_.momentum, lr, /*dampening=*/0.0, options_.nesterov, /*maximize=*/false,
                    /*is_first_step=*/false);
  });
}

}  // namespace vaetl::optim
