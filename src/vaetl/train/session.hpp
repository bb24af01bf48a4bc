// One call of Trainer::fit: everything that lives while a model is trained. Internal to train.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/data/prefetch.hpp"
#include "vaetl/train/average.hpp"
#include "vaetl/train/background_writer.hpp"
#include "vaetl/train/buffers.hpp"
#include "vaetl/train/captured_step.hpp"
#include "vaetl/train/checkpoint.hpp"
#include "vaetl/train/clip.hpp"
#include "vaetl/train/divergence.hpp"
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
  const std::vector<std::string>& warnings() const { return run_.warnings; }

 private:
  // set-up
  void check_shapes(const Batch& example) const;
  void check_monitor() const;
  void check_used(const Needs& needs) const;
  void prepare_data();
  void feed_from(const Preprocess& preprocess);
  void prepare_objective();
  void prepare_average();
  void prepare_folder();
  void check();  // warnings, each a notice; defined in checks.cpp
  void resume();
  void cache_features();
  void prepare_graphs();

  // training
  bool advance();
  void begin_step();
  void tune();  // what trains from this step on
  void do_updates(std::int64_t epoch, std::int64_t step_in_epoch);
  void all_updates(const std::vector<Batch>& batches, std::int64_t epoch, std::int64_t step_in_epoch);
  void step(std::int64_t epoch, std::int64_t step_in_epoch);
  std::vector<Batch> next_batches(std::int64_t epoch, std::int64_t step_in_epoch);
  void prepare_updates();  // after every change of sets_
  bool due(std::size_t index) const { return (step_ + 1) % updates_[index].every == 0; }
  bool works_ahead(std::size_t index) const;  // Pass::ahead()
  void update(std::size_t index, const std::vector<Batch>& batches, std::int64_t epoch, std::int64_t step_in_epoch);
  std::vector<Terms> gradients(std::size_t index, const std::vector<Batch>& batches, std::int64_t epoch,
                               std::int64_t step_in_epoch);
  void piece(std::uint64_t seed, c10::function_ref<void()> work);  // what the device does after it is seeded
  std::uint64_t noise_key(std::size_t index, std::int64_t epoch, std::int64_t step_in_epoch, std::size_t batch) const;
  double progress() const { return static_cast<double>(step_) / static_cast<double>(steps_); }
  void average();
  void settle_average();
  double rate() const;  // factor on every learning rate at this step
  at::ScalarType precision() const { return options_.precision == "bfloat16" ? at::kBFloat16 : at::kFloat; }
  Span span() const { return {static_cast<double>(steps_), static_cast<double>(steps_per_epoch_)}; }
  bool entry_due() const;
  void end_epoch(bool closing = false);
  std::optional<std::map<std::string, double>> validate();
  void follow_history();
  bool out_of_time() const;
  void close_early();
  void log_point();
  void finish();
  void tell_end();

  // steps as graphs of the device; defined in session_graph.cpp
  void graph_step(const std::vector<Batch>& batches, std::int64_t epoch, std::int64_t step_in_epoch);
  void warm_up(CapturedStep& step, const std::vector<Batch>& batches, std::int64_t epoch, std::int64_t step_in_epoch);
  void capture(CapturedStep& step, const std::vector<Batch>& batches, std::int64_t epoch, std::int64_t step_in_epoch);
  void begin_capture(CapturedStep& step);
  void end_capture();
  void capture_end(const std::vector<Terms>& terms);
  void replay(CapturedStep& step, const std::vector<Batch>& batches, std::int64_t epoch, std::int64_t step_in_epoch);
  void step_outside(const CapturedUpdate& update);
  std::vector<std::int64_t> layouts() const;

  // divergence; defined in session_divergence.cpp
  void read_ledger();
  void check_weights();
  [[noreturn]] void diverged(const std::string& found, std::int64_t step);
  std::string look_back(std::int64_t step);
  void keep_rewind_point();
  bool may_rewind() const;
  void rewind(const DivergedError& error);

  // keeping
  bool checkpoint_due() const;
  void save();
  Json restore(const std::string& which);  // a checkpoint, whose state it returns
  void write_history();
  bool improves(const std::map<std::string, double>& entry) const;
  void keep_best(const std::map<std::string, double>& entry);
  void load_best();
  Trained trained();
  bool averaged() const { return average_ && average_->rule().begun(step_); }
  Model& result() const { return averaged() ? average_->model() : *task_.model; }  // what is validated and returned
  Json state() const;
  std::filesystem::path folder(const std::string& which) const;

  void tell(const std::string& line);
  void each(void (Callback::*event)(Progress&));
  bool last() const { return step_ == steps_; }
  bool done() const { return (last() && noted_ == step_) || !run_.ended.empty(); }
  bool kept(const std::string& which) const { return !options_.directory.empty() && has_checkpoint(folder(which)); }

  TrainerOptions options_;
  const std::vector<std::shared_ptr<Callback>>& callbacks_;
  Task task_;
  Dataset training_;  // of the first stream as it came, with its input
  Progress progress_;

  std::optional<Prefetch> feed_;
  std::vector<Update> updates_;
  std::vector<std::shared_ptr<Optimizer>> optimizers_;
  std::vector<std::vector<ParameterSet>> sets_;  // of this epoch, by update
  struct Working {                               // what an update needs of its sets at every step
    std::vector<at::Tensor> parameters;
    GradientClip clip;
    SavedBuffers before;  // where the optimiser evaluates again
  };
  std::vector<Working> working_;
  std::map<std::string, GroupTuning> tuning_now_;
  std::optional<AveragedWeights> average_;
  Ledger ledger_;
  std::unique_ptr<DeviceGraphs> graphs_;  // where steps are captured
  std::vector<char> divided_;             // which optimisers compute in them
  std::map<CapturedStep::Kind, CapturedStep> captured_;
  CapturedUpdate* capturing_ = nullptr;  // the update that is captured
  ScheduleValues* values_ = nullptr;     // of the step that is captured, or watched before
  std::string obstacle_;                 // why a watched step cannot be captured

  std::int64_t step_ = 0, steps_ = 0, steps_per_epoch_ = 0, batches_per_epoch_ = 0;
  std::int64_t epoch_ = 0;
  std::int64_t tuned_until_ = 0;  // the step before which modules and parameter sets stand as they are
  std::int64_t noted_ = 0;        // the step of the last entry of the history
  double plateau_ = 1;            // what trainer.plateau makes of the history
  std::optional<double> best_;
  Weights best_weights_;       // where there is no folder to keep them
  bool last_is_best_ = false;  // of a training that ends within an epoch
  std::optional<Autopsy> autopsy_;
  std::unique_ptr<BackgroundWriter> writer_ = std::make_unique<BackgroundWriter>();
  Run run_;
  std::chrono::steady_clock::time_point started_, saved_;
  double seconds_before_ = 0;
  std::int64_t saved_step_ = 0, saved_noted_ = 0;
};

}  // namespace vaetl
