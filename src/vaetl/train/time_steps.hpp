// How long a step takes, by a training of a few; internal to train.
#pragma once
#include <memory>

#include "vaetl/train/trainer.hpp"

namespace vaetl {

struct StepTime {
  double seconds = 0;  // of a typical step
  double peak_mb = 0;  // of the tensors that it makes
};

// Trains for `seconds` at least, after two steps that are not timed. What Trainer::fit throws.
StepTime time_steps(const TrainerOptions& options, const std::shared_ptr<Model>& model,
                    const std::shared_ptr<Objective>& objective, const Pipeline& data, const Tuning& tuning,
                    double seconds);

}  // namespace vaetl
