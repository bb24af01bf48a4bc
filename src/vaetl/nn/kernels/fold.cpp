#include "vaetl/nn/kernels/fold.hpp"

#include <algorithm>

#include "vaetl/core/target.hpp"
#include "vaetl/nn/kernels/math.hpp"

namespace vaetl::nn::kernels {
namespace {

// Columns x = stride · q + r of a line of the image are kept together, q from −before() on, so that a line of a plane
// is added in one piece. A plane is added whole before the next: two that follow at once onto the same places would
// wait for one another.
VAETL_INLINE std::int64_t before(const FoldShape& s) { return (s.padding + s.stride - 1) / s.stride; }

VAETL_INLINE std::int64_t line_length(const FoldShape& s) {
  const std::int64_t added = s.width + (s.kernel - 1) / s.stride + 1;
  return before(s) + std::max(added, (s.out_width + s.stride - 1) / s.stride);
}

VAETL_INLINE void add_line(float* __restrict to, const float* __restrict from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
}

VAETL_INLINE void add_plane(const FoldShape& s, const float* plane, std::int64_t ky, std::int64_t kx, float* lines) {
  const std::int64_t length = line_length(s), room = s.stride * length;
  const std::int64_t place = kx - s.padding + before(s) * s.stride;
  float* to = lines + place % s.stride * length + place / s.stride;
  for (std::int64_t i = 0; i < s.height; ++i) {
    const std::int64_t y = s.stride * i + ky - s.padding;
    if (y >= 0 && y < s.out_height) add_line(to + y * room, plane + i * s.width, s.width);
  }
}

}  // namespace

std::int64_t FoldShape::lines_size() const { return out_height * stride * line_length(*this); }

VAETL_EVERY_PROCESSOR void fold(const FoldShape& s, const float* planes, std::int64_t plane_stride, const float* bias,
                                float* lines, float* image) {
  const std::int64_t length = line_length(s);
  for (std::int64_t c = 0; c < s.channels; ++c) {
    std::fill(lines, lines + s.out_height * s.stride * length, bias ? bias[c] : 0.0F);
    for (std::int64_t ky = 0; ky < s.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < s.kernel; ++kx, planes += plane_stride) add_plane(s, planes, ky, kx, lines);
    }
    float* to = image + c;
    for (std::int64_t y = 0; y < s.out_height; ++y, to += s.out_width * s.channels) {
      for (std::int64_t r = 0; r < s.stride; ++r) {
        const float* line = lines + (y * s.stride + r) * length + before(s);
        for (std::int64_t x = r; x < s.out_width; x += s.stride) to[x * s.channels] = *line++;
      }
    }
  }
}

}  // namespace vaetl::nn::kernels
