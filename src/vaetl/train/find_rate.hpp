// The learning-rate range test (arXiv:1506.01186, section 3.3, as fastai's lr_find does it): a few steps whose rate
// climbs exponentially, until the loss blows up. What is suggested is the rate at which the smoothed loss falls fastest
// per decade of the rate. The model is copied and stays as it is.
//
//   const RateSweep sweep = find_rate({.batch_size = 128}, *model, make<objectives::CrossEntropy>(), data.train);
//   if (sweep.suggestion) options.optimizer.options["lr"] = *sweep.suggestion;
#pragma once
#include <optional>
#include <vector>

#include "vaetl/train/trainer.hpp"

namespace vaetl {

struct FindRateOptions {
  double from = 1e-7, to = 10;
  std::int64_t steps = 100;
  double smoothing = 0.9;  // decay of the moving average of the loss, without its bias towards 0
  double blow_up = 4;      // the sweep ends where the smoothed loss is so many times its least
};

struct RateSweep {
  struct Point {
    double rate = 0, loss = 0, smoothed = 0;
  };
  std::vector<Point> points = {};
  std::optional<double> suggestion = {};  // none where the loss never fell
  bool blew_up = false;                   // the loss grew too large, or was not finite
  Json json() const;
};

// With the batches, optimiser and noise of these options; the loss is the sum of all that is minimised. `objective` is
// a fresh one, which is used up. ConfigError for an optimiser without a rate; what Trainer::fit throws, but for a
// divergence.
RateSweep find_rate(const TrainerOptions& options, const Model& model, std::shared_ptr<Objective> objective,
                    const Pipeline& data, const Tuning& tuning = {}, const FindRateOptions& how = {});

// The rate of steepest descent; none where there is none.
std::optional<double> steepest_rate(const std::vector<RateSweep::Point>& points);

// An optimiser's rate, or that of the one which it stands on ("base"), as sam does; none where there is none,
// which is a ConfigError for the other.
std::optional<double> learning_rate(const Spec<Optimizer>& optimizer);
Spec<Optimizer> with_learning_rate(Spec<Optimizer> optimizer, double rate);

// These options for a few steps that leave nothing behind: no folder, validation, checks or early end. Internal to
// train and recipe.
TrainerOptions for_trial(TrainerOptions options, std::int64_t steps);

}  // namespace vaetl
