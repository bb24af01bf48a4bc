#include "vaetl/data/transforms/moments.hpp"

#include <ATen/ATen.h>

namespace vaetl::transforms {
namespace {

std::vector<double> numbers(const at::Tensor& values) {
  const at::Tensor own = values.to(at::kCPU, at::kDouble).contiguous();
  return {own.const_data_ptr<double>(), own.const_data_ptr<double>() + own.numel()};
}

}  // namespace

void Moments::add(const at::Tensor& values) {
  if (values.numel() == 0) return;
  const at::Tensor own = values.to(at::kDouble);
  const auto part = static_cast<double>(own.size(1));
  const at::Tensor part_mean = own.mean(1);
  const at::Tensor part_squares = own.sub(part_mean.unsqueeze(1)).square_().sum(1);
  if (count_ == 0) {
    mean_ = part_mean;
    squares_ = part_squares;
  } else {
    const at::Tensor step = part_mean - mean_;
    mean_ = mean_ + step * (part / (count_ + part));
    squares_ = squares_ + part_squares + step.square() * (count_ * part / (count_ + part));
  }
  count_ += part;
}

std::vector<double> Moments::mean() const { return numbers(mean_); }

std::vector<double> Moments::std() const {
  const at::Tensor std = squares_.div(count_).sqrt();
  return numbers(at::where(std > 0, std, at::ones_like(std)));
}

}  // namespace vaetl::transforms
