// One call of Trainer::fit: everything that lives while a model is trained. Internal to train.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/data/prefetch.hpp"
#include "vaetl/train/average.hpp"
#include "vaetl/train/checkpoint.hpp"
#include "vaetl/train/ledger.hpp"
#include "vaetl/train/trainer.hpp"

namespace vaetl {

struct Task {
  std::shared_ptr<Model> model;
  std::shared_ptr<Objective> objective;
  Pipeline data;
  Tuning tuning;
  std::vector<std::string> metrics;  // on the validation data
};

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Session {
 public:
  Session(const TrainerOptions& options, const std::vector<std::shared_ptr<Callback>>& callbacks, Task task);
  Run run();

 private:
  // set-up
  Preprocess fit_preprocess();
  void check_shapes(const Batch& example) const;
  void check_monitor() const;
  void check_used(const Needs& needs) const;
  void prepare_data();
  void feed_from(const Preprocess& preprocess);
  void prepare_objective();
  void prepare_folder();
  void resume();
  void cache_features();

  // training
  void begin_epoch(std::int64_t epoch);
  void step(std::int64_t epoch, std::int64_t step_in_epoch);
  Batch next_batch(std::int64_t epoch, std::int64_t step_in_epoch);
  Terms update(std::size_t index, const Batch& batch, std::int64_t epoch, std::int64_t step_in_epoch);
  void clip(const std::vector<ParameterSet>& sets) const;
  void end_epoch(std::int64_t epoch);
  void log_point();
  void read_ledger();
  void finish();

  // keeping
  bool checkpoint_due(bool epoch_ends) const;
  void save();
  void keep_best(const std::map<std::string, double>& entry);
  void load_best();
  Trained trained();
  Model& result() const { return average_ ? average_->model() : *task_.model; }  // what is validated and returned
  Json state() const;
  std::filesystem::path folder(const std::string& which) const;

  void tell(const std::string& line);
  void each(void (Callback::*event)(Progress&));
  bool last() const { return step_ == steps_; }

  TrainerOptions options_;
  const std::vector<std::shared_ptr<Callback>>& callbacks_;
  Task task_;
  Progress progress_;

  std::optional<Prefetch> feed_;
  std::vector<Update> updates_;
  std::vector<std::shared_ptr<Optimizer>> optimizers_;
  std::vector<std::vector<ParameterSet>> sets_;  // of this epoch, by update
  std::map<std::string, GroupTuning> tuning_now_;
  std::optional<AveragedWeights> average_;
  Ledger ledger_;

  std::int64_t step_ = 0, steps_ = 0, steps_per_epoch_ = 0;
  std::int64_t noted_ = 0;  // the step of the last entry of the history
  std::optional<double> best_;
  Weights best_weights_;  // where there is no folder to keep them
  Run run_;
  std::chrono::steady_clock::time_point started_, saved_;
  double seconds_before_ = 0;
};

}  // namespace vaetl
