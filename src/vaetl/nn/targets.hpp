// Values to predict, as objectives and metrics of regression read them.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>

namespace vaetl {

// target (N, O), or (N) where O is 1, of numbers → (N, O) of the predictions' type. DataError, beginning with `by`, for
// another shape than the predictions'.
at::Tensor target_values(const at::Tensor& target, const at::Tensor& predictions, const std::string& by);

}  // namespace vaetl
