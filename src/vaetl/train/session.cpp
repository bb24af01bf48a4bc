// Session: the loop.
#include "vaetl/train/session.hpp"

#include "vaetl/train/evaluate.hpp"
#include "vaetl/train/parameter_sets.hpp"

namespace vaetl {

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

void Session::tell(const std::string& line) {
  progress_.notice = line;
  each(&Callback::on_notice);
}

void Session::each(void (Callback::*event)(Progress&)) {
  for (const auto& callback : callbacks_) (callback.get()->*event)(progress_);
}

}  // namespace vaetl
