// Session: what happens before the first step.
#include <ATen/Parallel.h>

#include <limits>

#include "vaetl/core/device.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/train/frozen.hpp"
#include "vaetl/train/session.hpp"

namespace vaetl {
namespace {

// JSON has no number for what is not finite: it was written as null.
std::map<std::string, double> read_entry(const Json& json) {
  std::map<std::string, double> entry;
  for (const auto& [name, value] : json.items()) {
    entry[name] = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  }
  return entry;
}

}  // namespace

Session::Session(const TrainerOptions& options, const std::vector<std::shared_ptr<Callback>>& callbacks, Task task)
    : options_(options), callbacks_(callbacks), task_(std::move(task)), progress_{*task_.model} {
  check_groups(*task_.model);
  for (const Stream& stream : task_.data.streams) {
    if (stream.data.size() == 0) throw DataError({"stream " + stream.name, "examples", "an empty set", {}});
  }
  task_.model->to(choose_device(options_.device));
  check_monitor();
  prepare_data();
  prepare_objective();
  if (options_.ema_decay > 0) average_.emplace(*task_.model, options_.ema_decay);
  begin_epoch(0);  // refuses what leaves nothing to train, before anything is written
  prepare_folder();
  run_.options = to_json(options_);
  if (options_.resume != "never") resume();
  cache_features();
}

void Session::check_monitor() const {
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

Preprocess Session::fit_preprocess() {
  Model& model = *task_.model;
  const Dataset& train = task_.data.streams[0].data;
  Preprocess preprocess;
  if (!task_.data.preprocess.empty())
    preprocess = Preprocess::fit(task_.data.preprocess, train);
  else if (!model.preprocess().is_null())
    preprocess = Preprocess::from_json(model.preprocess());
  else
    preprocess = Preprocess::standard(train, model.signature());
  model.set_preprocess(preprocess.json());
  return preprocess;
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
  steps_per_epoch_ = feed.steps_per_epoch();
  steps_ = options_.steps > 0 ? options_.steps : options_.epochs * steps_per_epoch_;
  feed_.emplace(std::move(feed), options_.workers < 0 ? automatic_workers(task_.data) : options_.workers, steps_);
}

void Session::prepare_data() {
  feed_from(fit_preprocess());
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
  if (!options_.directory.empty()) make_folder(std::filesystem::path(options_.directory) / "checkpoints");
}

void Session::resume() {
  if (options_.directory.empty()) throw ConfigError({"trainer.resume", "a run folder", "none", "set directory"});
  const auto last = folder("last");
  if (!has_checkpoint(last)) {
    if (options_.resume == "auto") return;
    throw FileError({last.string(), "a checkpoint to go on from", "none", "train without resume"});
  }
  const Json state = load_checkpoint(last, trained());
  try {
    step_ = state.at("step").get<std::int64_t>();
    noted_ = state.at("noted").get<std::int64_t>();
    if (!state.at("best").is_null()) best_ = state.at("best").get<double>();
    seconds_before_ = state.at("seconds").get<double>();
    ledger_.load_state(state.at("ledger"));
    for (const auto& entry : state.at("history")) run_.history.push_back(read_entry(entry));
    if (state.at("steps_per_epoch") != steps_per_epoch_ || state.at("seed") != options_.seed) {
      throw ConfigError(
          {"resume",
           fmt::format("{} steps an epoch and seed {}", state.at("steps_per_epoch").dump(), state.at("seed").dump()),
           fmt::format("{} and {}", steps_per_epoch_, options_.seed),
           "resume with the same data, batch size and seed"});
    }
    const int threads = state.at("threads").get<int>();
    if (threads != at::get_num_threads()) {
      tell(fmt::format("{} threads now, {} before: results may differ in the last bits", at::get_num_threads(),
                       threads));
    }
  } catch (const nlohmann::json::exception& error) {
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
