#include "vaetl/nn/schedule_values.hpp"

#include <ATen/ops/scalar_tensor.h>

namespace vaetl {

at::Tensor ScheduleValues::next(const Schedule& schedule, double value, c10::Device device) {
  if (rounds_ <= 1) {
    const auto options = at::TensorOptions(device).dtype(at::kFloat);
    kept_.push_back({schedule, value, at::scalar_tensor(value, options)});
  } else if (next_ == kept_.size()) {
    changed_ = true;
    return at::scalar_tensor(value, at::TensorOptions(device).dtype(at::kFloat));
  } else {
    changed_ = changed_ || Codec<Schedule>::write(schedule) != Codec<Schedule>::write(kept_[next_].schedule);
  }
  return kept_[next_++].tensor;
}

void ScheduleValues::begin_round() {
  ++rounds_;
  next_ = 0;
}

void ScheduleValues::set(double progress, Span span) {
  for (Kept& each : kept_) {
    const double value = each.schedule.at(progress, span);
    if (value == each.value) continue;
    each.tensor.fill_(value);
    each.value = value;
  }
}

}  // namespace vaetl
