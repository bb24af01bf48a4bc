// The one training loop: batches, updates, optimisers, schedules, clipping, callbacks, checkpoints, resume. It knows no
// model and no objective by name.
//
//   auto run = Trainer({.epochs = 10, .batch_size = 256}).fit(model, objective, data.train);
//
// A step: `accumulate` batches, and for each update with (step + 1) % every == 0: seed, gradients on its groups alone,
// backward, clip, optimiser; then the averaged weights, where there are any. All that counts steps (schedules, the log,
// validation, checkpoints) counts updates, not batches. Losses stay on the device until they are logged. A checkpoint
// falls between steps.
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
#include "vaetl/train/plateau.hpp"
#include "vaetl/train/tuning.hpp"

namespace vaetl {

struct TrainerOptions {
  std::int64_t epochs = 10;  // passes over the first stream; 0, without steps: nothing is trained, all else is done
  std::int64_t steps = 0;    // > 0 takes the place of epochs
  std::int64_t batch_size = 128;
  Spec<Optimizer> optimizer = {"adamw", Json::object()};
  Schedule lr_curve = 1.0;  // factor on the learning rate over the whole training
  // A factor besides, which falls when `monitor`, or the loss, stands still.
  std::optional<PlateauOptions> plateau = {};
  bool decay_norms_and_biases = true;  // false: parameters of fewer than two dimensions have no weight decay
  std::int64_t accumulate = 1;         // batches an update, whose gradient is that of all of them as one batch
  double clip_norm = 0;                // > 0: gradients of an update are scaled to at most this norm (train/clip.hpp)
  double clip_value = 0;               // > 0: every gradient is held in [−value, value]
  double clip_adaptive = 0;            // > 0: each unit's gradient is at most this share of its weights, by norm
  double ema_decay = 0;                // > 0: averaged weights are validated and returned (train/average.hpp)
  double swa_from = 0;                 // > 0: so are their plain means from this share of the training on
  std::string device = "auto";
  std::string precision = "float32";  // bfloat16: forward passes by autocast; weights, losses and updates stay float32
  // auto: where the device has graphs (CUDA), a step is captured and replayed; the same numbers, without a launch an
  // operator. What cannot be captured runs as it is, and a notice says why.
  std::string graph = "off";
  double max_minutes = 0;        // > 0: training ends then, properly; a resumed run may go on with more
  std::int64_t max_samples = 0;  // > 0: the most examples of the first stream that are seen, over all epochs
  std::int64_t patience = 0;     // > 0: so many entries of the history without a better `monitor` end the training
  std::string on_divergence = "stop";  // rewind: to the last entry, at half the rate
  std::string monitor = {};            // a validation metric: its best epoch is kept as checkpoints/best and returned
  std::string directory = {};          // run folder: metrics.jsonl and checkpoints/; empty: nothing is written
  std::string resume = "never";  // auto: from checkpoints/last where there is one; must: an error where there is none
  std::int64_t checkpoint_every = 0;  // steps; 0: at the end of epochs, five seconds apart at least
  std::int64_t keep = 0;              // besides checkpoints/last, so many of the newest as checkpoints/step-N
  std::int64_t log_every = 50;
  // Steps between two entries of the history, each with its validation: exactly, with validate_at "step"; at least, and
  // at the end of an epoch, with "epoch".
  std::int64_t validate_every = 50;
  std::string validate_at = "epoch";
  std::uint64_t seed = 0;
  bool checks = true;  // before the first step look for usual mistakes and say so (train/checks.hpp)
  std::int64_t workers =
      -1;  // threads that prepare batches ahead; −1: automatic_workers(data). The batches are the same
  static constexpr auto fields() {
    using T = TrainerOptions;
    return std::tuple{
        field("epochs", &T::epochs, "passes over the first stream; 0: nothing is trained", between(0, 1e9)),
        field("steps", &T::steps, "number of steps; above 0 it takes the place of epochs", between(0, 1e12)),
        field("batch_size", &T::batch_size, "examples a batch", between(1, 1e9)),
        field("accumulate", &T::accumulate, "batches a step, whose update is that of all of them as one",
              between(1, 1e6)),
        field("optimizer", &T::optimizer,
              "sgd, adam, adamw, rmsprop, adagrad, lars, lamb, lbfgs or sam, with options such as lr"),
        field("decay_norms_and_biases", &T::decay_norms_and_biases,
              "false: parameters of fewer than two dimensions have no weight decay"),
        field("lr_curve", &T::lr_curve, "factor on the learning rate over training: a number or a curve", at_least(0)),
        field("plateau", &T::plateau, "the rate falls when monitor, or without one the loss, stands still"),
        field("clip_norm", &T::clip_norm, "largest gradient norm; 0: no clipping", at_least(0)),
        field("clip_value", &T::clip_value, "largest absolute value of a gradient; 0: no clipping", at_least(0)),
        field("clip_adaptive", &T::clip_adaptive,
              "largest gradient norm of a unit, as a share of its weights' norm; 0: no clipping", at_least(0)),
        field("ema_decay", &T::ema_decay,
              "decay of averaged weights, once a step, which are validated and returned; 0: none",
              between(0, 0.9999999)),
        field("swa_from", &T::swa_from,
              "share of the training after which weights are averaged evenly, validated and returned; 0: never",
              between(0, 0.999)),
        field("device", &T::device, "auto, cpu, cuda, cuda:N"),
        choice("precision", &T::precision,
               "of forward passes; bfloat16 pays on processors that compute in it, for recurrent and larger models",
               {"float32", "bfloat16"}),
        choice("graph", &T::graph, "on CUDA: auto captures a step as a graph of the device and replays it",
               {"off", "auto"}),
        field("monitor", &T::monitor, "validation metric whose best epoch is kept"),
        field("patience", &T::patience, "validations without a better monitor that end the training; 0: never",
              at_least(0)),
        field("max_minutes", &T::max_minutes, "of training, over all resumed parts; 0: no limit", at_least(0)),
        field("max_samples", &T::max_samples, "most examples seen over all epochs; 0: no limit", at_least(0)),
        choice("on_divergence", &T::on_divergence,
               "when a loss is not finite: stop, or rewind to the last validation at half the rate",
               {"stop", "rewind"}),
        field("directory", &T::directory, "run folder; empty: nothing is written"),
        choice("resume", &T::resume, "go on from the last checkpoint", {"never", "auto", "must"}),
        field("checkpoint_every", &T::checkpoint_every,
              "steps between checkpoints; 0: at the end of epochs, five seconds apart at least", at_least(0)),
        field("keep", &T::keep, "checkpoints kept besides the last and the best", between(0, 1e6)),
        field("log_every", &T::log_every, "steps between logged losses", at_least(1)),
        field("validate_every", &T::validate_every, "steps between validations", at_least(1)),
        choice("validate_at", &T::validate_at,
               "epoch: at the first end of one after validate_every steps; step: then, within an epoch too",
               {"epoch", "step"}),
        field("seed", &T::seed, "key of order, augmentation and noise"),
        field("checks", &T::checks, "before the first step, look for usual mistakes and say so in a line each"),
        field(
            "workers", &T::workers,
            "threads that prepare batches ahead, never changing them; -1: where the data are decoded as they are read",
            between(-1, 64))};
  }
  void validate() const;
};

// What a training left besides the model.
struct Run {
  Json options = {};                                        // the TrainerOptions, resolved
  std::vector<std::map<std::string, double>> history = {};  // one entry an epoch: terms, validation metrics, seconds
  std::map<std::string, double> metrics = {};             // of the returned weights: the last entry, or the best one's
  std::int64_t steps = 0, epochs = 0, resumed_from = -1;  // resumed_from: the step, −1 for a fresh run
  double seconds = 0;                                     // of training in this process
  double waiting = 0;                                     // seconds of these that it waited for batches
  std::string ended = {};    // why training ended before its last step: patience, max_minutes; empty: it did not
  std::int64_t rewinds = 0;  // after a divergence, each at half the rate before
  bool interrupted = false;  // a callback asked to stop; resume goes on
  std::vector<std::string> warnings = {};  // of the checks before the first step, a line each
  double peak_memory_mb = 0;               // of this process, resident; 0: not known on this system
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

  // The usual mistakes that are found before the first step, a line each (train/checks.hpp), and the errors of fit()'s
  // set-up; nothing is trained or written. As after fit() the model has its preprocessing and is in evaluation mode,
  // and LibTorch's default generators are seeded.
  std::vector<std::string> check(std::shared_ptr<Model> model, std::shared_ptr<Objective> objective,
                                 const Pipeline& data, const Tuning& tuning = {},
                                 const std::vector<std::string>& validation_metrics = {});

 private:
  TrainerOptions options_;
  std::vector<std::shared_ptr<Callback>> callbacks_;
};

}  // namespace vaetl
