// A mean over all examples of a data set, summed on the device in float64 and read once, at the end.
#pragma once
#include <ATen/core/Tensor.h>

#include <string_view>

#include "vaetl/nn/pass.hpp"

namespace vaetl {

// The field "weight" of the examples, or ones: float64 (N), on the device of `like` (N).
at::Tensor example_weights(const Fields& fields, const at::Tensor& like);

class WeightedMean {
 public:
  void add(const at::Tensor& per_example, const Fields& fields);  // (N); the field "weight" counts where there is one
  double result(std::string_view metric) const;                   // DataError where nothing was counted

 private:
  at::Tensor sum_, count_;  // 0-dim
};

}  // namespace vaetl
