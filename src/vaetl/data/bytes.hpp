// Examples that are stored as bytes, on their way into a batch; internal to data.
#pragma once
#include <ATen/core/Tensor.h>

#include "vaetl/data/transform.hpp"

namespace vaetl {

// Whether the two below take it: bytes in the processor's memory, without gaps.
bool plain_bytes(const at::Tensor& values);

// values (N, …) of plain bytes, index int64 (M) within 0 … N − 1 → (M, …), in fewer waits for memory than index_select.
at::Tensor byte_rows(const at::Tensor& values, const at::Tensor& index);

// Plain bytes b → float32 factor b + offset, in one pass.
at::Tensor scaled_bytes(const at::Tensor& bytes, const ByteScale& scale);

}  // namespace vaetl
