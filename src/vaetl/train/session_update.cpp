// Session: one optimiser update.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include "vaetl/core/random.hpp"
#include "vaetl/train/session.hpp"

namespace vaetl {

Terms Session::update(std::size_t index, const Batch& batch, std::int64_t epoch, std::int64_t step_in_epoch) {
  const auto& sets = sets_[index];
  for (const auto& set : sets) {
    for (auto parameter : set.parameters) parameter.requires_grad_(true).mutable_grad().reset();
  }
  const double progress = static_cast<double>(step_) / static_cast<double>(steps_);
  seed(random_key(options_.seed, Purpose::noise, epoch, step_in_epoch, static_cast<std::int64_t>(index)));
  Pass pass(*task_.model, batch, progress, step_in_epoch == 0);
  Terms terms = task_.objective->backward(index, pass);
  {
    const at::NoGradGuard no_grad;
    clip(sets);
    for (const auto& set : sets) optimizers_[index]->update(set, options_.lr_curve.at(progress));
  }
  // Another update's backward must leave these alone: it finds no gradient wanted and none left over.
  for (const auto& set : sets) {
    for (auto parameter : set.parameters) parameter.mutable_grad().reset();
    if (updates_.size() == 1) continue;
    for (auto parameter : set.parameters) parameter.requires_grad_(false);
  }
  return terms;
}

// g ← g · min(1, limit / ‖g‖), the norm over all of the update's gradients; on the device, without reading it.
void Session::clip(const std::vector<ParameterSet>& sets) const {
  if (options_.clip_norm <= 0) return;
  std::vector<at::Tensor> gradients, norms;
  for (const auto& set : sets) {
    for (const auto& parameter : set.parameters) {
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    }
  }
  for (const auto& gradient : gradients) norms.push_back(at::linalg_vector_norm(gradient));
  const at::Tensor factor = (options_.clip_norm / (at::linalg_vector_norm(at::stack(norms)) + 1e-6)).clamp_max(1.0);
  for (auto& gradient : gradients) gradient.mul_(factor);
}

}  // namespace vaetl
