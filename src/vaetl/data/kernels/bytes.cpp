#include "vaetl/data/kernels/bytes.hpp"

#include <algorithm>
#include <cstring>

#include "vaetl/core/target.hpp"

namespace vaetl::kernels {
namespace {

constexpr std::int64_t rows_ahead = 4, line = 64;  // rows and bytes

void ask_for(const std::uint8_t* row, std::int64_t size) {
  for (std::int64_t i = 0; i < size; i += line) __builtin_prefetch(row + i);
}

}  // namespace

void copy_rows(std::uint8_t* to, const std::uint8_t* from, const std::int64_t* index, std::int64_t count,
               std::int64_t size) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (i + rows_ahead < count) ask_for(from + index[i + rows_ahead] * size, std::min<std::int64_t>(size, 4096));
    std::memcpy(to + i * size, from + index[i] * size, static_cast<std::size_t>(size));
  }
}

VAETL_EVERY_PROCESSOR void scale_bytes(float* __restrict to, const std::uint8_t* __restrict from, float factor,
                                       float offset, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = factor * static_cast<float>(from[i]);
  if (offset == 0) return;
  // By itself, so that the product is rounded as elsewhere: the greatest byte must not land beyond its range.
  for (std::int64_t i = 0; i < count; ++i) to[i] += offset;
}

}  // namespace vaetl::kernels
