// Session: what is kept, checkpoints and the best epoch.
#include <ATen/Parallel.h>

#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/train/session.hpp"

namespace vaetl {
namespace {

constexpr double kSecondsBetweenCheckpoints = 5;  // of checkpoints at epoch ends, where epochs are shorter

}  // namespace

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

}  // namespace vaetl
