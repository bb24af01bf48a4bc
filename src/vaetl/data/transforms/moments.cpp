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
  const at::Tensor own = values.to(at::kDouble), mean = own.mean(1);
  const at::Tensor count = at::full_like(mean, static_cast<double>(own.size(1)));
  merge(count, mean, own.sub(mean.unsqueeze(1)).square_().sum(1));
}

void Moments::add_known(const at::Tensor& values) {
  if (values.numel() == 0) return;
  const at::Tensor own = values.to(at::kDouble), missing = own.isnan();
  const at::Tensor count = missing.logical_not().sum(1).to(at::kDouble);
  const at::Tensor mean = own.masked_fill(missing, 0).sum(1).div(count.clamp_min(1));
  merge(count, mean, own.sub(mean.unsqueeze(1)).masked_fill_(missing, 0).square_().sum(1));
}

void Moments::merge(const at::Tensor& count, const at::Tensor& mean, const at::Tensor& squares) {
  if (!count_.defined()) {
    count_ = count, mean_ = mean, squares_ = squares;
    return;
  }
  const at::Tensor step = mean - mean_, total = count_ + count, share = count / total.clamp_min(1);
  mean_ = mean_ + step * share;
  squares_ = squares_ + squares + step.square() * (count_ * share);
  count_ = total;
}

std::vector<double> Moments::count() const { return numbers(count_); }

std::vector<double> Moments::mean() const { return numbers(mean_); }

std::vector<double> Moments::std() const {
  const at::Tensor std = squares_.div(count_).sqrt();
  return numbers(at::where(std > 0, std, at::ones_like(std)));
}

}  // namespace vaetl::transforms
