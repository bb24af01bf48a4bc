// The one training loop: batches, updates, optimisers, schedules, clipping, callbacks, checkpoints, resume. It knows no
// model and no objective by name.
//
//   auto run = Trainer({.epochs = 10, .batch_size = 256}).fit(model, objective, data.train);
//
// A step: for each update with (step + 1) % every == 0: seed, gradients on its groups alone, backward, clip, fused
// optimiser; then the averaged weights, where there are any. Losses stay on the device until they are logged. A
// checkpoint falls between steps.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/core/schedule.hpp"
#include "vaetl/data/pipeline.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/train/callback.hpp"
#include "vaetl/train/optimizer.hpp"
#include "vaetl/train/tuning.hpp"

namespace vaetl {

struct TrainerOptions {
  std::int64_t epochs = 10;  // passes over the first stream
  std::int64_t steps = 0;    // > 0 takes the place of epochs
  std::int64_t batch_size = 128;
  Spec<Optimizer> optimizer = {"adamw", Json::object()};
  Schedule lr_curve = 1.0;  // factor on the learning rate over the whole training
  double clip_norm = 0;     // > 0: gradients of an update are scaled to at most this norm
  double ema_decay = 0;     // > 0: averaged weights are validated and returned (train/average.hpp)
  std::string device = "auto";
  std::string monitor = {};      // a validation metric: its best epoch is kept as checkpoints/best and returned
  std::string directory = {};    // run folder: metrics.jsonl and checkpoints/; empty: nothing is written
  std::string resume = "never";  // auto: from checkpoints/last where there is one; must: an error where there is none
  std::int64_t checkpoint_every = 0;  // steps; 0: at the end of epochs, five seconds apart at least
  std::int64_t log_every = 50;
  // Least number of steps between two entries of the history: an entry, with its validation, falls at the end of an
  // epoch.
  std::int64_t validate_every = 50;
  std::uint64_t seed = 0;
  std::int64_t workers =
      -1;  // threads that prepare batches ahead; −1: automatic_workers(data). The batches are the same
  static constexpr auto fields() {
    using T = TrainerOptions;
    return std::tuple{
        field("epochs", &T::epochs, "passes over the first stream", between(1, 1e9)),
        field("steps", &T::steps, "number of steps; above 0 it takes the place of epochs", between(0, 1e12)),
        field("batch_size", &T::batch_size, "examples a step", between(1, 1e9)),
        field("optimizer", &T::optimizer, "sgd, adam or adamw, with options such as lr"),
        field("lr_curve", &T::lr_curve, "factor on the learning rate over training: a number or a curve"),
        field("clip_norm", &T::clip_norm, "largest gradient norm; 0: no clipping", at_least(0)),
        field("ema_decay", &T::ema_decay,
              "decay of averaged weights, once a step, which are validated and returned; 0: none",
              between(0, 0.9999999)),
        field("device", &T::device, "auto, cpu, cuda, cuda:N"),
        field("monitor", &T::monitor, "validation metric whose best epoch is kept"),
        field("directory", &T::directory, "run folder; empty: nothing is written"),
        choice("resume", &T::resume, "go on from the last checkpoint", {"never", "auto", "must"}),
        field("checkpoint_every", &T::checkpoint_every,
              "steps between checkpoints; 0: at the end of epochs, five seconds apart at least", at_least(0)),
        field("log_every", &T::log_every, "steps between logged losses", at_least(1)),
        field("validate_every", &T::validate_every, "least steps between validations, each at the end of an epoch",
              at_least(1)),
        field("seed", &T::seed, "key of order, augmentation and noise"),
        field(
            "workers", &T::workers,
            "threads that prepare batches ahead, never changing them; -1: where the data are decoded as they are read",
            between(-1, 64))};
  }
};

// What a training left besides the model.
struct Run {
  Json options = {};                                        // the TrainerOptions, resolved
  std::vector<std::map<std::string, double>> history = {};  // one entry an epoch: terms, validation metrics, seconds
  std::map<std::string, double> metrics = {};             // of the returned weights: the last entry, or the best one's
  std::int64_t steps = 0, epochs = 0, resumed_from = -1;  // resumed_from: the step, −1 for a fresh run
  double seconds = 0;                                     // of training in this process
  double waiting = 0;                                     // seconds of these that it waited for batches
  bool interrupted = false;                               // a callback asked to stop; resume goes on
  // Where the run came from: recipe, data, software, device. zoo::save writes it into the card.
  Json recipe = {}, provenance = {};
};

class Trainer final {
 public:
  explicit Trainer(TrainerOptions options, std::vector<std::shared_ptr<Callback>> callbacks = {});

  // Trains `model` in place and returns it in evaluation mode, with its fitted preprocessing. It seeds LibTorch's
  // default generators for every update. DataError, ConfigError before the first step for what does not fit together;
  // DivergedError names step, term and the last good checkpoint; OutputError for a folder that cannot be written.
  Run fit(std::shared_ptr<Model> model, std::shared_ptr<Objective> objective, const Pipeline& data,
          const Tuning& tuning = {}, const std::vector<std::string>& validation_metrics = {});

 private:
  TrainerOptions options_;
  std::vector<std::shared_ptr<Callback>> callbacks_;
};

}  // namespace vaetl
