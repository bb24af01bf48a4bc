// Session: the loop.
#include "vaetl/train/session.hpp"

#include <ATen/record_function.h>

#include "vaetl/core/memory.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/train/evaluate.hpp"
#include "vaetl/train/parameter_sets.hpp"

namespace vaetl {

Run Session::run() {
  if (steps_ > 0) cache_features();
  prepare_graphs();
  started_ = saved_ = std::chrono::steady_clock::now();
  saved_step_ = step_;
  saved_noted_ = noted_;
  tuned_until_ = 0;
  progress_.step = step_;
  progress_.epoch = step_ / steps_per_epoch_;
  follow_history();
  each(&Callback::on_begin);
  if (run_.resumed_from >= 0) write_history();  // which may not have kept up with the checkpoint
  if (!kept("rewind") || run_.resumed_from < 0) keep_rewind_point();
  if (steps_ == 0) end_epoch();  // nothing is trained: the one entry is of the model as it came
  bool going = true;
  while (going) {
    try {
      going = advance();
    } catch (const DivergedError& error) {
      if (!may_rewind()) throw;
      rewind(error);
    }
  }
  finish();
  return std::move(run_);
}

// What falls due between two steps, then a step; false when there is nothing more to do. A run that is resumed comes in
// where it left: what was due there is done first.
bool Session::advance() {
  if (progress_.stop && !last()) return false;
  if (entry_due()) end_epoch();
  if (checkpoint_due()) save();
  if (progress_.stop || done()) return false;
  if (out_of_time()) {
    close_early();
    return false;
  }
  begin_step();
  step(epoch_, step_ % steps_per_epoch_);
  return true;
}

void Session::begin_step() {
  progress_.epoch = epoch_ = step_ / steps_per_epoch_;
  if (step_ >= tuned_until_) tune();
}

// Where the tuning stands as it was, so does what it decides.
void Session::tune() {
  Model& model = *task_.model;
  const auto changes = tuning_steps(task_.tuning, span());
  const auto next = std::upper_bound(changes.begin(), changes.end(), step_);
  tuned_until_ = next == changes.end() ? steps_ : *next;
  auto tuning = evaluate_tuning(task_.tuning, model, step_, span());
  if (!sets_.empty() && tuning == tuning_now_) return;
  tuning_now_ = std::move(tuning);
  model.train();
  task_.objective->train();
  for (auto& parameter : model.parameters()) parameter.requires_grad_(false);
  stand_still(model, tuning_now_);
  sets_.clear();
  for (const Update& update : updates_) {
    sets_.push_back(parameter_sets(model, *task_.objective, update, tuning_now_, options_.decay_norms_and_biases));
  }
  for (const auto& sets : sets_) {
    if (!sets.empty()) continue;
    throw ConfigError({fmt::format("step {}", step_), "parameters to train", "none: every layer group is frozen",
                       "leave a group out of freeze"});
  }
  prepare_updates();
}

// The batches of a step; the last step of an epoch may have fewer.
std::vector<Batch> Session::next_batches(std::int64_t epoch, std::int64_t step_in_epoch) {
  RECORD_USER_SCOPE("data");
  const auto asked = std::chrono::steady_clock::now();
  const std::int64_t first = step_in_epoch * options_.accumulate;
  const std::int64_t end = std::min(first + options_.accumulate, batches_per_epoch_);
  std::vector<Batch> batches;
  for (std::int64_t i = first; i < end; ++i) batches.push_back(feed_->at(epoch, i));
  run_.waiting += seconds_since(asked);
  return batches;
}

void Session::do_updates(std::int64_t epoch, std::int64_t step_in_epoch) {
  const auto batches = next_batches(epoch, step_in_epoch);
  const bool as_graph = graphs_ && !autopsy_;
  as_graph ? graph_step(batches, epoch, step_in_epoch) : all_updates(batches, epoch, step_in_epoch);
}

void Session::all_updates(const std::vector<Batch>& batches, std::int64_t epoch, std::int64_t step_in_epoch) {
  for (std::size_t i = 0; i < updates_.size(); ++i) {
    if (due(i)) update(i, batches, epoch, step_in_epoch);
  }
}

void Session::step(std::int64_t epoch, std::int64_t step_in_epoch) {
  do_updates(epoch, step_in_epoch);
  progress_.step = ++step_;
  average();
  each(&Callback::on_step);
  writer_->check();
  if (step_ % options_.log_every == 0 || last()) log_point();
}

double Session::rate() const {
  const double progress = steps_ > 0 ? static_cast<double>(step_) / static_cast<double>(steps_) : 0;
  return options_.lr_curve.at(progress, span()) * plateau_ * std::ldexp(1.0, -static_cast<int>(run_.rewinds));
}

void Session::log_point() {
  read_ledger();
  progress_.scalars = ledger_.take_window();
  each(&Callback::on_log);
}

bool Session::entry_due() const {
  if (step_ == noted_) return false;
  const bool place = options_.validate_at == "step" || step_ % steps_per_epoch_ == 0;
  return last() || (place && step_ - noted_ >= options_.validate_every);
}

// Nothing where a callback asked to stop meanwhile.
std::optional<std::map<std::string, double>> Session::validate() {
  struct Stopped {};
  std::map<std::string, double> scores;
  if (!task_.data.validation || task_.metrics.empty()) return scores;
  try {
    const auto between = [&] {
      each(&Callback::on_wait);
      if (progress_.stop) throw Stopped{};
    };
    const auto values =
        evaluate(result(), *task_.data.validation, task_.metrics, {.between = between, .training = training_});
    for (const auto& [name, value] : values) scores["validation." + name] = value;
  } catch (const Stopped&) {
    return std::nullopt;
  }
  return scores;
}

// `closing`: the training ends here because its time is up. A longer one would not have this entry: it is told, and no
// checkpoint has it.
void Session::end_epoch(bool closing) {
  read_ledger();
  const auto scores = validate();
  if (!scores) return;
  auto entry = ledger_.take_epoch();
  entry.insert(scores->begin(), scores->end());
  progress_.epoch = (step_ - 1) / steps_per_epoch_;
  entry["epoch"] = static_cast<double>(progress_.epoch);
  entry["step"] = static_cast<double>(step_);
  entry["lr_factor"] = rate();
  entry["seconds"] = seconds_before_ + seconds_since(started_);
  noted_ = step_;
  run_.history.push_back(entry);
  if (closing) {
    last_is_best_ = !options_.monitor.empty() && improves(entry);
  } else {
    keep_best(entry);
    follow_history();
    keep_rewind_point();
  }
  progress_.scalars = entry;
  each(&Callback::on_epoch);
}

// What the entries so far decide: the rate, and whether it is time to stop.
void Session::follow_history() {
  if (!options_.plateau && options_.patience == 0) return;
  const std::string name = options_.monitor.empty() ? "loss" : "validation." + options_.monitor;
  const bool higher = !options_.monitor.empty() && make_metric(options_.monitor)->higher_is_better();
  std::vector<double> values;
  for (const auto& entry : run_.history) {
    if (const auto found = entry.find(name); found != entry.end()) values.push_back(found->second);
  }
  if (options_.plateau) plateau_ = plateau_factor(*options_.plateau, values, higher);
  if (options_.patience > 0 && entries_since_best(values, higher) >= options_.patience) run_.ended = "patience";
}

bool Session::out_of_time() const {
  if (options_.max_minutes <= 0 || step_ == 0) return false;
  return seconds_before_ + seconds_since(started_) >= 60 * options_.max_minutes;
}

void Session::close_early() {
  const bool on_disk = !options_.directory.empty();
  if (on_disk && step_ != saved_step_) save();
  settle_average();
  if (step_ != noted_) end_epoch(true);
  if (progress_.stop) return;
  run_.ended = "max_minutes";
  if (on_disk) write_history();
}

void Session::finish() {
  run_.interrupted = progress_.stop && !done();
  if (options_.directory.empty())
    check_weights();
  else if (run_.interrupted)
    save();
  writer_->wait();
  tell_end();
  run_.steps = step_;
  run_.epochs = (step_ + steps_per_epoch_ - 1) / steps_per_epoch_;
  run_.seconds = seconds_since(started_);
  run_.peak_memory_mb = peak_memory_mb();
  if (!run_.history.empty()) run_.metrics = run_.history.back();
  if (run_.ended == "patience" && !last()) settle_average();
  if (averaged()) load_strict(*task_.model, vaetl::state(average_->model()), "the averaged weights");
  if (done()) load_best();
  for (auto& parameter : task_.model->parameters()) parameter.requires_grad_(true);
  task_.model->eval();
  each(&Callback::on_end);
}

void Session::tell_end() {
  const std::string place = fmt::format("ended at step {} of {}: ", step_, steps_);
  if (run_.ended == "patience") {
    tell(fmt::format("{}no better {} in {} validations", place, options_.monitor, options_.patience));
  } else if (run_.ended == "max_minutes") {
    tell(fmt::format("{}{:.4g} minutes are up; resumed with more max_minutes it goes on", place, options_.max_minutes));
  }
}

void Session::tell(const std::string& line) {
  progress_.notice = line;
  each(&Callback::on_notice);
}

void Session::each(void (Callback::*event)(Progress&)) {
  for (const auto& callback : callbacks_) (callback.get()->*event)(progress_);
}

}  // namespace vaetl
