// Padded sequences: examples of unequal length lie in one tensor (N, T, …), each followed by padding up to T. A batch
// tells their lengths in the field `length` (N); token ids tell them themselves, as padding has the id 0.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>

#include "vaetl/core/batch.hpp"

namespace vaetl::nn {

inline constexpr std::int64_t padding_id = 0, unknown_id = 1;  // as data/text/tokenizer.hpp has them

// The field `length` as int64 (N), undefined where there is none. DataError, beginning with `by`, for another shape, an
// empty sequence or one longer than T; values are read where that costs nothing, on the CPU.
at::Tensor lengths_of(const Fields& fields, std::int64_t steps, const std::string& by);
at::Tensor batch_lengths(const Fields& fields, const std::string& by);  // T the input's
// ids (N, T), T at least 1 → (N), the place of the last that is no padding, plus one; 0 for padding alone.
at::Tensor lengths_of_ids(const at::Tensor& ids);

// (N, T) bool: the steps before the end.
at::Tensor before_end(const at::Tensor& lengths, std::int64_t steps);
// each (N, T, …) → (N), the mean over an example's elements: where the batch has `length`, over those before the end.
at::Tensor mean_each(const at::Tensor& each, const Fields& fields, const std::string& by);
// x (N, T, F) with each sequence backwards, its padding still behind it; undefined lengths: all have T steps.
at::Tensor reversed(const at::Tensor& x, const at::Tensor& lengths);
// x (N, T, F) → (N, F), the last step of each.
at::Tensor last_step(const at::Tensor& x, const at::Tensor& lengths);

// DataError, beginning with `by`, for ids outside [0, vocabulary), read on the CPU alone.
void check_ids(const at::Tensor& ids, std::int64_t vocabulary, const std::string& by);

// A label for every step: target (N, T) of whole numbers → int64 (N, T), 0 behind the ends. DataError, beginning with
// `by`, for another shape or type and for a label outside [0, classes), on a device only with `everywhere`.
at::Tensor step_labels(const at::Tensor& target, const at::Tensor& outputs, const at::Tensor& lengths,
                       const std::string& by, bool everywhere = false);
// Values for every step: target (N, T, O), or (N, T) where O is 1, in the outputs' shape and type. DataError likewise.
at::Tensor step_values(const at::Tensor& target, const at::Tensor& outputs, const std::string& by);

}  // namespace vaetl::nn
