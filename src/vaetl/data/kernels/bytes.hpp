// Loops over stored bytes on their way into a batch; internal to data. No tensors, no threads.
#pragma once
#include <cstdint>

namespace vaetl::kernels {

// Rows index[0] … index[count − 1] of `from`, `size` bytes each, one behind another. Rows of a set in memory lie far
// apart: the next ones are asked for while one is copied, so that their waits overlap.
void copy_rows(std::uint8_t* to, const std::uint8_t* from, const std::int64_t* index, std::int64_t count,
               std::int64_t size);

// to_i = factor from_i + offset
void scale_bytes(float* to, const std::uint8_t* from, float factor, float offset, std::int64_t count);

}  // namespace vaetl::kernels
