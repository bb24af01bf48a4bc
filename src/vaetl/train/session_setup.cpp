// Session: what happens before the first step.
#include <ATen/Parallel.h>

#include "vaetl/core/device.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/train/features.hpp"
#include "vaetl/train/frozen.hpp"
#include "vaetl/train/session.hpp"

namespace vaetl {
namespace {

// The most steps with no more than `samples` examples; the last batch of an epoch may be smaller.
std::int64_t steps_within(std::int64_t samples, std::int64_t size, std::int64_t batch, std::int64_t steps_per_epoch) {
  const std::int64_t epoch = std::min(size, steps_per_epoch * batch);
  const std::int64_t steps = samples / epoch * steps_per_epoch + samples % epoch / batch;
  if (steps > 0) return steps;
  throw ConfigError({"trainer.max_samples", fmt::format("at least {}, the examples of a step", std::min(batch, epoch)),
                     std::to_string(samples), "allow more, or make batches smaller"});
}

}  // namespace

Session::Session(const TrainerOptions& options, const std::vector<std::shared_ptr<Callback>>& callbacks, Task task)
    : options_(options),
      callbacks_(callbacks),
      task_(std::move(task)),
      training_(task_.data.streams.at(0).data),
      progress_{*task_.model} {
  check_groups(*task_.model);
  for (const Stream& stream : task_.data.streams) {
    if (stream.data.size() == 0) throw DataError({"stream " + stream.name, "examples", "an empty set", {}});
  }
  task_.model->to(choose_device(options_.device));
  check_monitor();
  prepare_data();
  prepare_objective();
  prepare_average();
  tune();  // refuses what leaves nothing to train, before anything is written
  progress_.directory = options_.directory;
  progress_.data = &task_.data;
  prepare_folder();
  run_.options = to_json(options_);
  if (options_.resume != "never") resume();
  if (averaged()) progress_.averaged = &average_->model();
  if (options_.checks && step_ == 0 && steps_ > 0) check();
}

void Session::check_monitor() const {
  if (options_.on_divergence == "rewind" && options_.directory.empty()) {
    throw ConfigError({"trainer.on_divergence", "a run folder, whose checkpoint a rewind goes back to", "none",
                       "set directory, or leave on_divergence at \"stop\""});
  }
  if (options_.monitor.empty() && options_.patience > 0) {
    throw ConfigError({"trainer.patience", "a validation metric to watch", "none", "set monitor"});
  }
  if (options_.monitor.empty()) return;
  if (!task_.data.validation) {
    throw ConfigError({"trainer.monitor", "validation data to choose the best epoch by", "none",
                       "set data.validation, or leave monitor empty"});
  }
  const auto& metrics = task_.metrics;
  if (std::count(metrics.begin(), metrics.end(), options_.monitor)) return;
  throw ConfigError(
      {"trainer.monitor", "one of the validation metrics (" + join(metrics) + ")", "\"" + options_.monitor + "\"", {}});
}

void Session::check_shapes(const Batch& example) const {
  const auto inputs = task_.model->signature().inputs;
  for (const auto& [stream, fields] : example) {
    for (const auto& [name, info] : inputs) {
      const bool by_labels = name == "condition" && !fields.has(name);  // condition_of() reads the labels then
      const auto found = fields[by_labels ? "target" : name].sizes().slice(1).vec();
      if (shape_fits(info.shape, found)) continue;
      throw DataError({"stream " + stream, "\"" + name + "\" of shape " + shape_text(info.shape), shape_text(found),
                       "describe the model with this input shape, or choose other data"});
    }
  }
}

void Session::feed_from(const Preprocess& preprocess) {
  Feed feed(task_.data, preprocess, {options_.batch_size, options_.seed, device_of(*task_.model)});
  batches_per_epoch_ = feed.steps_per_epoch();
  steps_per_epoch_ = (batches_per_epoch_ + options_.accumulate - 1) / options_.accumulate;
  steps_ = options_.steps > 0 ? options_.steps : options_.epochs * steps_per_epoch_;
  if (options_.max_samples > 0) {
    const Stream& first = task_.data.streams[0];
    const std::int64_t batch = (first.batch_size > 0 ? first.batch_size : options_.batch_size) * options_.accumulate;
    steps_ = std::min(steps_, steps_within(options_.max_samples, first.data.size(), batch, steps_per_epoch_));
  }
  const std::int64_t batches = steps_ / steps_per_epoch_ * batches_per_epoch_ +
                               std::min(steps_ % steps_per_epoch_ * options_.accumulate, batches_per_epoch_);
  feed_.emplace(std::move(feed), options_.workers < 0 ? automatic_workers(task_.data) : options_.workers, batches);
}

void Session::prepare_data() {
  feed_from(fit_preprocess(*task_.model, task_.data));
  check_shapes(feed_->at(0, 0));
  progress_.steps_per_epoch = steps_per_epoch_;
  progress_.steps = steps_;
}

// After the checkpoint is loaded: the features are those of the weights that train on.
void Session::cache_features() {
  const FrozenPlan plan = plan_frozen(*task_.model, *task_.objective, task_.data, task_.tuning);
  if (plan.frozen && plan.why_not.empty()) {
    task_.data = with_features(*task_.model, task_.data);
    feed_from(Preprocess::from_json(task_.model->preprocess()));  // of the targets: no input is left
    tell("the frozen part runs once: its features are cached");
  } else if (plan.frozen) {
    tell("the frozen part runs at every step: " + plan.why_not);
  }
}

void Session::prepare_objective() {
  Objective& objective = *task_.objective;
  const Batch example = feed_->at(0, 0);
  check_used(objective.needs());
  check_needs(objective.needs(), *task_.model, example, "objective");
  seed(random_key(options_.seed, Purpose::init));
  objective.bind(*task_.model, example);
  objective.to(device_of(*task_.model));
  updates_ = objective.updates();
  for (std::size_t i = 0; i < updates_.size(); ++i) {
    optimizers_.push_back(registry<Optimizer>().make(options_.optimizer, "trainer.optimizer"));
  }
}

// Data that nothing reads would be a mistake in a name.
void Session::check_used(const Needs& needs) const {
  for (const Stream& stream : task_.data.streams) {
    if (!std::count(needs.streams.begin(), needs.streams.end(), stream.name)) {
      throw ConfigError({"data." + stream.name, "a stream that the objective reads (" + join(needs.streams) + ")",
                         quote(stream.name), did_you_mean(stream.name, needs.streams)});
    }
    if (stream.views > needs.views) {
      throw ConfigError({"data." + stream.name + ".views",
                         fmt::format("at most {}, as the objective reads", needs.views),
                         std::to_string(stream.views),
                         {}});
    }
  }
}

void Session::prepare_folder() {
  if (options_.directory.empty()) return;
  make_folder(std::filesystem::path(options_.directory) / "checkpoints");
  remove_unfinished(std::filesystem::path(options_.directory) / "checkpoints");
}

void Session::resume() {
  if (options_.directory.empty()) throw ConfigError({"trainer.resume", "a run folder", "none", "set directory"});
  const auto last = folder("last");
  if (!has_checkpoint(last)) {
    if (options_.resume == "auto") return;
    throw FileError({last.string(), "a checkpoint to go on from", "none", "train without resume"});
  }
  const Json state = restore("last");
  try {
    seconds_before_ = state.at("seconds").get<double>();
    run_.rewinds = state.value("rewinds", std::int64_t{0});
    const int threads = state.at("threads").get<int>();
    if (threads != at::get_num_threads()) {
      tell(fmt::format("{} threads now, {} before: results may differ in the last bits", at::get_num_threads(),
                       threads));
    }
  } catch (const nlohmann::json::exception&) {
    throw FileError({(last / "state.json").string(), "the state of a checkpoint", "other JSON", "train afresh"});
  }
  if (step_ > steps_) {
    throw ConfigError({"resume", fmt::format("at least {} steps, as many as are done", step_), std::to_string(steps_),
                       "raise epochs or steps"});
  }
  run_.resumed_from = step_;
  tell(fmt::format("resumed at step {} of {}", step_, steps_));
}

std::filesystem::path Session::folder(const std::string& which) const {
  return std::filesystem::path(options_.directory) / "checkpoints" / which;
}

}  // namespace vaetl
