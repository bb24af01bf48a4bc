#include "vaetl/train/profile.hpp"

#include "vaetl/train/profile_recorder.hpp"

namespace vaetl {

Json StepProfile::json() const {
  Json phase_list = Json::array(), operator_list = Json::array();
  for (const Phase& phase : phases) {
    phase_list.push_back({{"name", phase.name}, {"seconds", phase.seconds}, {"share", phase.seconds / seconds}});
  }
  for (const Operator& one : operators) {
    operator_list.push_back({{"name", one.name}, {"calls", one.calls}, {"seconds", one.seconds}});
  }
  return {{"steps", steps},
          {"seconds", seconds},
          {"phases", phase_list},
          {"operators", operator_list},
          {"a_step",
           {{"operator_calls", operator_calls},
            {"kernels", kernels},
            {"allocations", allocations},
            {"allocated_bytes", allocated_bytes}}},
          {"peak_bytes", peak_bytes},
          {"peak_memory_mb", peak_memory_mb > 0 ? Json(peak_memory_mb) : Json()}};
}

ProfileSteps::ProfileSteps(std::int64_t count, std::int64_t warm_up) : count_(count), warm_up_(warm_up) {}

ProfileSteps::~ProfileSteps() {
  if (recorder_) recorder_->stop();  // a training that ended with an error
}

void ProfileSteps::on_begin(Progress& progress) {
  first_ = progress.step;
  if (warm_up_ > 0) return;
  recorder_ = std::make_shared<StepRecorder>();
  recorder_->start();
}

void ProfileSteps::on_step(Progress& progress) {
  last_ = progress.step;
  const std::int64_t done = last_ - first_;
  if (done == warm_up_) {
    recorder_ = std::make_shared<StepRecorder>();
    recorder_->start();
  } else if (done == warm_up_ + count_) {
    recorder_->stop();
    progress.stop = true;
  }
}

void ProfileSteps::on_end(Progress& /*progress*/) {
  if (!recorder_) return;
  recorder_->stop();
  result_ = recorder_->summarise(std::min(count_, last_ - first_ - warm_up_));
}

}  // namespace vaetl
