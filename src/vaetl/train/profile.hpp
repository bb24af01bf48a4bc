// Where the time of steps goes: the parts of a step (data, forward, backward, optimiser), operators by their own time,
// kernels, allocations. It stands on LibTorch's record functions and memory reports of the thread that trains (on CUDA
// also of the threads that its backward pass runs in), so nothing is recorded, and nothing is paid, while none is
// active.
//
//   auto profile = std::make_shared<ProfileSteps>(20);
//   Trainer({.steps = profile->steps_needed()}, {profile}).fit(model, objective, data);
//   std::cout << profile->result().kernels;
//
// Times are those of the host: on CUDA they are launches, and waiting shows where a value is read.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "vaetl/core/json.hpp"
#include "vaetl/train/callback.hpp"

namespace vaetl {

struct StepProfile {
  struct Phase {
    std::string name;  // data, forward, backward, optimiser, other
    double seconds = 0;
  };
  struct Operator {
    std::string name;
    std::int64_t calls = 0;
    double seconds = 0;  // of its own, without those that it calls
  };
  std::int64_t steps = 0;
  double seconds = 0;  // of all steps; the phases add up to it
  std::vector<Phase> phases = {};
  std::vector<Operator> operators = {};  // all, the costliest first
  // A step, on average: operators called, those of them that call no other (what does the work), and allocations.
  double operator_calls = 0, kernels = 0, allocations = 0, allocated_bytes = 0;
  std::int64_t peak_bytes = 0;  // most bytes that tensors allocated in these steps held at once, over those before
  double peak_memory_mb = 0;    // resident, of the whole process so far
  std::string trace = {};       // Chrome trace events: chrome://tracing, ui.perfetto.dev
  Json json() const;            // without the trace
};

class StepRecorder;

// Records steps warm_up + 1 … warm_up + count of a training, and stops it then.
class ProfileSteps final : public Callback {
 public:
  explicit ProfileSteps(std::int64_t count, std::int64_t warm_up = 3);
  ~ProfileSteps() override;
  std::int64_t steps_needed() const { return warm_up_ + count_; }
  const StepProfile& result() const { return result_; }  // of as many steps as there were

  void on_begin(Progress& progress) override;
  void on_step(Progress& progress) override;
  void on_end(Progress& progress) override;

 private:
  std::int64_t count_, warm_up_, first_ = 0, last_ = 0;
  std::shared_ptr<StepRecorder> recorder_;
  StepProfile result_;
};

}  // namespace vaetl
