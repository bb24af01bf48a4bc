#include "vaetl/train/average.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>

#include <algorithm>

#include "vaetl/core/random.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/nn/statistics.hpp"
#include "vaetl/train/buffers.hpp"

namespace vaetl {
namespace {

void take_modes(Model& model, const Model& from) {
  const auto modules = model.modules(), sources = from.modules();
  for (std::size_t i = 0; i < modules.size(); ++i) modules[i]->train(sources[i]->is_training());
}

// Batch norms that would follow what they see, counted from 0.
std::size_t restart_counters(Model& model) {
  const at::NoGradGuard no_grad;
  std::size_t count = 0;
  for (const auto& module : model.modules()) {
    auto* norm = dynamic_cast<nn::BatchNorm*>(module.get());
    if (!norm || !norm->is_training()) continue;
    norm->num_batches_tracked.zero_();
    ++count;
  }
  return count;
}

}  // namespace

double AverageRule::rate(std::int64_t step) const {
  if (first > 0) return 1 / static_cast<double>(step - first + 1);
  const auto t = static_cast<double>(step);
  return 1 - std::min(decay, (1 + t) / (10 + t));
}

AveragedWeights::AveragedWeights(const Model& model, AverageRule rule)
    : rule_(rule),
      averaged_(clone(model)),
      weights_(model.parameters()),
      averages_(averaged_->parameters()),
      buffers_(model.buffers()),
      copies_(averaged_->buffers()) {}

void AveragedWeights::update(std::int64_t step) {
  if (!rule_.begun(step)) return;
  const at::NoGradGuard no_grad;
  at::_foreach_lerp_(averages_, weights_, rule_.rate(step));
  if (!buffers_.empty()) at::_foreach_copy_(copies_, buffers_);
}

void recompute_statistics(Model& averaged, const Model& trained, Objective& objective, const Feed& feed,
                          std::uint64_t seed, Span span) {
  take_modes(averaged, trained);
  if (restart_counters(averaged) == 0) return;
  SavedBuffers saved(objective);
  const nn::CumulativeStatistics means;
  const auto updates = objective.updates();
  for (std::int64_t step = 0; step < feed.steps_per_epoch(); ++step) {
    const Batch batch = feed.at(0, step);
    for (std::size_t i = 0; i < updates.size(); ++i) {
      vaetl::seed(random_key(seed, Purpose::evaluate, 0, step, static_cast<std::int64_t>(i)));
      Pass pass(averaged, batch, {.progress = 1.0, .first_in_epoch = step == 0, .span = span});
      pass.tap(objective.needs().taps);
      objective.terms(i, pass);
    }
  }
  saved.restore();
}

}  // namespace vaetl
