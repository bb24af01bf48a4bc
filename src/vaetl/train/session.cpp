// Session: the loop.
#include "vaetl/train/session.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl {
namespace {

constexpr double kSecondsBetweenCheckpoints = 5;  // of checkpoints at epoch ends, where epochs are shorter

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) { return glob_match(p, name); });
}

bool has_group(const Model& model, const std::vector<std::string>& patterns, const std::string& group) {
  for (const auto& pattern : patterns) {
    if (pattern.starts_with("objective.")) continue;
    const auto names = match_groups(model, pattern, "update");
    if (std::count(names.begin(), names.end(), group)) return true;
  }
  return false;
}

// The parameters of one update, those with equal settings together.
std::vector<ParameterSet> parameter_sets(const Model& model, const Objective& objective, const Update& update,
                                         const std::map<std::string, GroupTuning>& tuning) {
  std::map<std::pair<double, double>, ParameterSet> sets;
  auto add = [&](const std::string& name, const at::Tensor& parameter, const GroupTuning& setting) {
    ParameterSet& set = sets[{setting.lr_scale, setting.weight_decay_scale}];
    set.lr_scale = setting.lr_scale;
    set.weight_decay_scale = setting.weight_decay_scale;
    set.names.push_back(name);
    set.parameters.push_back(parameter);
  };
  for (const auto& item : model.named_parameters()) {
    const std::string group = group_of(model, item.key());
    if (tuning.at(group).train && has_group(model, update.groups, group))
      add(item.key(), item.value(), tuning.at(group));
  }
  for (const auto& item : objective.named_parameters()) {
    if (any_matches(update.groups, "objective." + item.key())) add("objective." + item.key(), item.value(), {});
  }
  std::vector<ParameterSet> result;
  for (auto& [settings, set] : sets) result.push_back(std::move(set));
  return result;
}

}  // namespace

Run Session::run() {
  started_ = saved_ = std::chrono::steady_clock::now();
  progress_.step = step_;
  progress_.epoch = step_ / steps_per_epoch_;
  each(&Callback::on_begin);
  std::int64_t epoch = -1;
  while (!last() && !progress_.stop) {
    if (step_ / steps_per_epoch_ != epoch) begin_epoch(epoch = step_ / steps_per_epoch_);
    step(epoch, step_ % steps_per_epoch_);
    const bool epoch_ends = step_ % steps_per_epoch_ == 0 || last();
    if (epoch_ends && (step_ - noted_ >= options_.validate_every || last())) end_epoch(epoch);
    if (checkpoint_due(epoch_ends)) save();
  }
  finish();
  return std::move(run_);
}

// Few labels make epochs of a step or two: where the tuning stands as it was, so does what it decides.
void Session::begin_epoch(std::int64_t epoch) {
  progress_.epoch = epoch;
  Model& model = *task_.model;
  auto tuning = evaluate_tuning(task_.tuning, model, epoch);
  if (!sets_.empty() && tuning == tuning_now_) return;
  tuning_now_ = std::move(tuning);
  model.train();
  task_.objective->train();
  for (auto& parameter : model.parameters()) parameter.requires_grad_(false);
  for (const LayerGroup& group : model.groups()) {
    const bool frozen = !tuning_now_.at(group.name).train;
    for (const auto& module : group_modules(model, group)) {
      if (frozen) module->eval();
    }
  }
  sets_.clear();
  for (const Update& update : updates_) {
    sets_.push_back(parameter_sets(model, *task_.objective, update, tuning_now_));
  }
  for (const auto& sets : sets_) {
    if (!sets.empty()) continue;
    throw ConfigError({fmt::format("epoch {}", epoch), "parameters to train", "none: every layer group is frozen",
                       "leave a group out of freeze"});
  }
}

Batch Session::next_batch(std::int64_t epoch, std::int64_t step_in_epoch) {
  const auto asked = std::chrono::steady_clock::now();
  Batch batch = feed_->at(epoch, step_in_epoch);
  run_.waiting += seconds_since(asked);
  return batch;
}

void Session::step(std::int64_t epoch, std::int64_t step_in_epoch) {
  const Batch batch = next_batch(epoch, step_in_epoch);
  for (std::size_t i = 0; i < updates_.size(); ++i) {
    if ((step_ + 1) % updates_[i].every == 0) ledger_.record(step_, update(i, batch, epoch, step_in_epoch));
  }
  progress_.step = ++step_;
  if (average_) average_->update(step_);
  each(&Callback::on_step);
  if (step_ % options_.log_every == 0 || last()) log_point();
}

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

void Session::read_ledger() {
  const auto bad = ledger_.flush();
  if (!bad) return;
  const bool kept = !options_.directory.empty() && has_checkpoint(folder("last"));
  throw DivergedError(
      {"training", "a finite loss",
       fmt::format("{} = {} at step {} (epoch {})", bad->name, bad->value, bad->step + 1, bad->step / steps_per_epoch_),
       kept ? "lower the learning rate; the last good checkpoint is " + folder("last").string()
            : "lower the learning rate; no checkpoint was kept"});
}

void Session::log_point() {
  read_ledger();
  progress_.scalars = ledger_.take_window();
  each(&Callback::on_log);
}

void Session::end_epoch(std::int64_t epoch) {
  read_ledger();
  auto entry = ledger_.take_epoch();
  if (task_.data.validation && !task_.metrics.empty()) {
    for (const auto& [name, value] : evaluate(result(), *task_.data.validation, task_.metrics)) {
      entry["validation." + name] = value;
    }
  }
  entry["epoch"] = static_cast<double>(epoch);
  entry["step"] = static_cast<double>(step_);
  entry["lr_factor"] = options_.lr_curve.at(static_cast<double>(step_) / static_cast<double>(steps_));
  entry["seconds"] = seconds_before_ + seconds_since(started_);
  noted_ = step_;
  run_.history.push_back(entry);
  keep_best(entry);
  progress_.scalars = entry;
  each(&Callback::on_epoch);
}

void Session::finish() {
  if (!options_.directory.empty() && progress_.stop && !last()) save();
  run_.interrupted = progress_.stop && !last();
  run_.steps = step_;
  run_.epochs = (step_ + steps_per_epoch_ - 1) / steps_per_epoch_;
  run_.seconds = seconds_since(started_);
  if (!run_.history.empty()) run_.metrics = run_.history.back();
  if (average_) load_strict(*task_.model, vaetl::state(average_->model()), "the averaged weights");
  if (last()) load_best();
  for (auto& parameter : task_.model->parameters()) parameter.requires_grad_(true);
  task_.model->eval();
  each(&Callback::on_end);
}

bool Session::checkpoint_due(bool epoch_ends) const {
  if (options_.directory.empty()) return false;
  if (last()) return true;
  if (options_.checkpoint_every > 0) return step_ % options_.checkpoint_every == 0;
  return epoch_ends && seconds_since(saved_) >= kSecondsBetweenCheckpoints;
}

Json Session::state() const {
  return Json{{"step", step_},
              {"steps_per_epoch", steps_per_epoch_},
              {"noted", noted_},
              {"seed", options_.seed},
              {"threads", at::get_num_threads()},
              {"best", best_ ? Json(*best_) : Json()},
              {"seconds", seconds_before_ + seconds_since(started_)},
              {"ledger", ledger_.state()},
              {"history", run_.history},
              {"options", run_.options}};
}

void Session::save() {
  read_ledger();
  save_checkpoint(folder("last"), trained(), state());
  std::string lines;
  for (const auto& entry : run_.history) lines += Json(entry).dump() + "\n";
  write_atomically(std::filesystem::path(options_.directory) / "metrics.jsonl", lines);
  saved_ = std::chrono::steady_clock::now();
}

void Session::keep_best(const std::map<std::string, double>& entry) {
  if (options_.monitor.empty()) return;
  const double value = entry.at("validation." + options_.monitor);
  if (!std::isfinite(value)) return;
  const bool higher = make_metric(options_.monitor)->higher_is_better();
  if (best_ && (higher ? value <= *best_ : value >= *best_)) return;
  best_ = value;
  if (options_.directory.empty()) {
    best_weights_.clear();
    for (const auto& [name, tensor] : vaetl::state(result())) best_weights_[name] = tensor.detach().clone();
    return;
  }
  AtomicFolder target(folder("best"));
  write_safetensors(target.path() / "model.safetensors", vaetl::state(result()));
  write_atomically(target.path() / "state.json", Json(entry).dump());
  target.commit();
}

void Session::load_best() {
  if (!best_) return;
  if (!options_.directory.empty()) {
    best_weights_ = read_safetensors(folder("best") / "model.safetensors").tensors;
  }
  load_strict(*task_.model, best_weights_, "the best epoch");
  for (const auto& entry : run_.history) {
    if (entry.at("validation." + options_.monitor) == *best_) {
      run_.metrics = entry;
      break;
    }
  }
}

Trained Session::trained() {
  std::vector<std::string> names;
  for (const Update& update : updates_) names.push_back(update.name);
  return {*task_.model, *task_.objective, names, optimizers_, average_ ? &average_->model() : nullptr};
}

void Session::tell(const std::string& line) {
  progress_.notice = line;
  each(&Callback::on_notice);
}

void Session::each(void (Callback::*event)(Progress&)) {
  for (const auto& callback : callbacks_) (callback.get()->*event)(progress_);
}

}  // namespace vaetl
