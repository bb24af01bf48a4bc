// Mean and standard deviation of each row of values that come part by part.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace vaetl::transforms {

// Merged from part to part (Chan, Golub, LeVeque 1979), so that a large mean costs no precision.
class Moments {
 public:
  void add(const at::Tensor& values);        // (C, M), M values of each of C channels; none are left out
  void add_known(const at::Tensor& values);  // (C, M), but those that are NaN
  std::vector<double> count() const;
  std::vector<double> mean() const;  // 0 where nothing was counted
  std::vector<double> std() const;   // divided by the number of values; 1 for a constant channel

 private:
  void merge(const at::Tensor& count, const at::Tensor& mean, const at::Tensor& squares);
  at::Tensor count_, mean_, squares_;  // float64 (C); the squared deviations' sum
};

}  // namespace vaetl::transforms
