#include "vaetl/train/time_steps.hpp"

#include <chrono>

#include "vaetl/train/find_rate.hpp"
#include "vaetl/train/profile_recorder.hpp"

namespace vaetl {
namespace {

constexpr double megabyte = 1024.0 * 1024.0;

// Step 1 warms up, step 2 tells its memory, the others their time.
class TimeSteps final : public Callback {
 public:
  explicit TimeSteps(double seconds) : seconds_(seconds) {}
  ~TimeSteps() override { recorder_->stop(); }

  void on_step(Progress& progress) override {
    const auto now = std::chrono::steady_clock::now();
    if (progress.step == 1) return recorder_->start();
    if (progress.step == 2) {
      recorder_->stop();
      peak_mb_ = static_cast<double>(recorder_->summarise(1).peak_bytes) / megabyte;
      begin_ = last_ = std::chrono::steady_clock::now();
      return;
    }
    times_.push_back(std::chrono::duration<double>(now - last_).count());
    last_ = now;
    const bool enough = times_.size() >= 3 && std::chrono::duration<double>(now - begin_).count() >= seconds_;
    progress.stop = progress.stop || enough;
  }
  // The lower quartile: a machine with neighbours is slower than itself more often than faster.
  double typical() {
    std::sort(times_.begin(), times_.end());
    return times_.empty() ? 0 : times_[times_.size() / 4];
  }
  double peak_mb() const { return peak_mb_; }

 private:
  double seconds_, peak_mb_ = 0;
  std::shared_ptr<StepRecorder> recorder_ = std::make_shared<StepRecorder>();
  std::chrono::steady_clock::time_point begin_ = {}, last_ = {};
  std::vector<double> times_;
};

}  // namespace

StepTime time_steps(const TrainerOptions& options, const std::shared_ptr<Model>& model,
                    const std::shared_ptr<Objective>& objective, const Pipeline& data, const Tuning& tuning,
                    double seconds) {
  constexpr std::int64_t most_steps = 1000;
  const auto timer = std::make_shared<TimeSteps>(seconds);
  TrainerOptions trial = for_trial(options, most_steps);
  trial.log_every = most_steps;
  Trainer(trial, {timer}).fit(model, objective, data, tuning);
  return {std::max(1e-9, timer->typical()), timer->peak_mb()};
}

}  // namespace vaetl
