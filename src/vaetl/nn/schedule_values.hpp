// Values of schedules for a step that is captured (core/device_graph.hpp): tensors that its replays read, and that are
// set before each. Internal to nn and train.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

#include "vaetl/core/schedule.hpp"

namespace vaetl {

class ScheduleValues {
 public:
  // 0-dim float. In the first round every call makes a tensor; in later ones they are handed out in the same order.
  at::Tensor next(const Schedule& schedule, double value, c10::Device device);
  void begin_round();
  bool same_as_first_round() const { return next_ == kept_.size() && !changed_; }
  void set(double progress, Span span);

  void note_host_read() { read_by_host_ = true; }  // of the progress itself
  bool read_by_host() const { return read_by_host_; }

 private:
  struct Kept {
    Schedule schedule;
    double value;  // that the tensor holds
    at::Tensor tensor;
  };
  std::vector<Kept> kept_;
  std::size_t next_ = 0, rounds_ = 0;
  bool changed_ = false, read_by_host_ = false;
};

}  // namespace vaetl
