// Session: what is kept, checkpoints and the best epoch.
#include <ATen/Parallel.h>

#include <limits>

#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/train/session.hpp"

namespace vaetl {
namespace {

constexpr double kSecondsBetweenCheckpoints = 5;  // of checkpoints at epoch ends, where epochs are shorter

// JSON has no number for what is not finite: it was written as null.
std::map<std::string, double> read_entry(const Json& json) {
  std::map<std::string, double> entry;
  for (const auto& [name, value] : json.items()) {
    entry[name] = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  }
  return entry;
}

}  // namespace

bool Session::checkpoint_due() const {
  if (options_.directory.empty() || (step_ == saved_step_ && noted_ == saved_noted_)) return false;
  if (done()) return true;
  if (options_.checkpoint_every > 0) return step_ % options_.checkpoint_every == 0;
  return step_ % steps_per_epoch_ == 0 && seconds_since(saved_) >= kSecondsBetweenCheckpoints;
}

Json Session::state() const {
  return Json{{"step", step_},
              {"steps_per_epoch", steps_per_epoch_},
              {"noted", noted_},
              {"seed", options_.seed},
              {"threads", at::get_num_threads()},
              {"best", best_ ? Json(*best_) : Json()},
              {"seconds", seconds_before_ + seconds_since(started_)},
              {"rewinds", run_.rewinds},
              {"ledger", ledger_.state()},
              {"history", run_.history},
              {"options", run_.options}};
}

void Session::save() {
  read_ledger();
  check_weights();
  writer_->make_room();
  auto snapshot = std::make_shared<Snapshot>(take_snapshot(trained(), state()));
  writer_->add([snapshot, last = folder("last"), step = step_, keep = options_.keep] {
    write_snapshot(last, *snapshot);
    if (keep > 0) keep_numbered(last, step, keep);
  });
  write_history();
  saved_ = std::chrono::steady_clock::now();
  saved_step_ = step_;
  saved_noted_ = noted_;
}

void Session::write_history() {
  std::string lines;
  for (const auto& entry : run_.history) lines += Json(entry).dump() + "\n";
  writer_->add([lines = std::move(lines), file = std::filesystem::path(options_.directory) / "metrics.jsonl"] {
    write_atomically(file, lines);
  });
}

Json Session::restore(const std::string& which) {
  const Json state = load_checkpoint(folder(which), trained());
  try {
    if (state.at("steps_per_epoch") != steps_per_epoch_ || state.at("seed") != options_.seed) {
      throw ConfigError(
          {"resume",
           fmt::format("{} steps an epoch and seed {}", state.at("steps_per_epoch").dump(), state.at("seed").dump()),
           fmt::format("{} and {}", steps_per_epoch_, options_.seed),
           "resume with the same data, batch size and seed"});
    }
    step_ = saved_step_ = state.at("step").get<std::int64_t>();
    noted_ = saved_noted_ = state.at("noted").get<std::int64_t>();
    best_.reset();
    if (!state.at("best").is_null()) best_ = state.at("best").get<double>();
    ledger_.load_state(state.at("ledger"));
    run_.history.clear();
    for (const auto& entry : state.at("history")) run_.history.push_back(read_entry(entry));
  } catch (const nlohmann::json::exception&) {
    throw FileError(
        {(folder(which) / "state.json").string(), "the state of a checkpoint", "other JSON", "train afresh"});
  }
  captured_.clear();  // what the optimisers keep is in other places now
  tuned_until_ = 0;
  progress_.step = step_;
  progress_.averaged = averaged() ? &average_->model() : nullptr;
  return state;
}

bool Session::improves(const std::map<std::string, double>& entry) const {
  const double value = entry.at("validation." + options_.monitor);
  if (!std::isfinite(value)) return false;
  if (!best_) return true;
  return make_metric(options_.monitor)->higher_is_better() ? value > *best_ : value < *best_;
}

void Session::keep_best(const std::map<std::string, double>& entry) {
  if (options_.monitor.empty() || !improves(entry)) return;
  best_ = entry.at("validation." + options_.monitor);
  if (options_.directory.empty()) {
    best_weights_ = copy_to_host(vaetl::state(result()));
    return;
  }
  writer_->make_room();
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->tensors["model.safetensors"] = copy_to_host(vaetl::state(result()));
  snapshot->texts["state.json"] = Json(entry).dump();
  writer_->add([snapshot, best = folder("best")] { write_snapshot(best, *snapshot); });
}

void Session::load_best() {
  if (!best_ || last_is_best_) return;
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

}  // namespace vaetl
