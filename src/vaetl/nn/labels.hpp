// Labels as objectives and metrics read them: class indices, checked, so that a wrong one is a sentence and no crash in
// a kernel.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>

namespace vaetl {

// target (N) of whole numbers → int64 (N). DataError, beginning with `by`, for another shape or type, and for a label
// outside [0, classes). Values are read where that costs nothing, on the CPU; with `everywhere` a device waits for it.
at::Tensor class_labels(const at::Tensor& target, std::int64_t classes, const std::string& by, bool everywhere = false);

}  // namespace vaetl
