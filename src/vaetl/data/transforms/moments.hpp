// Mean and standard deviation of each row of values that come part by part.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace vaetl::transforms {

// Merged from part to part (Chan, Golub, LeVeque 1979), so that a large mean costs no precision.
class Moments {
 public:
  void add(const at::Tensor& values);  // (C, M), M values of each of C channels; none are left out
  std::vector<double> mean() const;
  std::vector<double> std() const;  // divided by the number of values; 1 for a constant channel

 private:
  double count_ = 0;
  at::Tensor mean_, squares_;  // float64 (C): the squared deviations' sum
};

}  // namespace vaetl::transforms
