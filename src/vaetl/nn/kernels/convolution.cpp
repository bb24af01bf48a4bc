#include "vaetl/nn/kernels/convolution.hpp"

#include <algorithm>
#include <cstring>

#include "vaetl/core/target.hpp"
#include "vaetl/nn/kernels/math.hpp"

namespace vaetl::nn::kernels {
namespace {

using Lanes = float __attribute__((vector_size(64)));
using Mask = std::int32_t __attribute__((vector_size(64)));
using Places = std::uint8_t __attribute__((vector_size(16)));

VAETL_INLINE void load(Lanes& to, const float* from) { std::memcpy(&to, from, sizeof to); }
VAETL_INLINE void store(const Lanes& from, float* to) { std::memcpy(to, &from, sizeof from); }

// Of four places the largest value of each lane, what is not a number before all, and which it was; 0 and 4 where relu
// stops it. A loop over lanes: GCC turns this into vector code, comparisons of vector types into scalar code.
VAETL_INLINE void pool(const Lanes (&sums)[4], float* __restrict out, std::uint8_t* __restrict choice) {
  float values[4][conv_lanes];
  for (int place = 0; place < 4; ++place) store(sums[place], values[place]);
  std::int32_t from[conv_lanes];
  for (std::int64_t lane = 0; lane < conv_lanes; ++lane) {
    float largest = values[0][lane];
    std::int32_t place = 0;
#pragma GCC unroll 3
    for (int next = 1; next < 4; ++next) {
      const float value = values[next][lane];
      const bool wins = (value > largest) | (value != value);
      largest = wins ? value : largest;
      place = wins ? next : place;
    }
    const bool stopped = largest <= 0;
    out[lane] = stopped ? 0 : largest;
    from[lane] = stopped ? 4 : place;
  }
  for (std::int64_t lane = 0; lane < conv_lanes; ++lane) choice[lane] = static_cast<std::uint8_t>(from[lane]);
}

template <int C, int K>
VAETL_INLINE void forward_image(const ConvShape& s, const float* padded, const float* weight, const float* bias,
                                float* out, std::uint8_t* choice) {
  const std::int64_t line = s.width + K - 1, plane = line * (s.height + K - 1);
  Lanes start;
  load(start, bias);
  for (std::int64_t y = 0; y + 1 < s.height; y += 2) {
    for (std::int64_t x = 0; x + 1 < s.width; x += 2, out += conv_lanes, choice += conv_lanes) {
      Lanes sums[4] = {start, start, start, start};
      const float* w = weight;
#pragma GCC unroll 3
      for (int c = 0; c < C; ++c) {
        const float* corner = padded + c * plane + y * line + x;
#pragma GCC unroll 5
        for (int ky = 0; ky < K; ++ky, corner += line) {
#pragma GCC unroll 5
          for (int kx = 0; kx < K; ++kx, w += conv_lanes) {
            Lanes tap;
            load(tap, w);
            sums[0] += tap * corner[kx];
            sums[1] += tap * corner[kx + 1];
            sums[2] += tap * corner[line + kx];
            sums[3] += tap * corner[line + kx + 1];
          }
        }
      }
      pool(sums, out, choice);
    }
  }
}

template <int C, int K>
VAETL_INLINE void gradient_image(const ConvShape& s, const float* padded, const float* gradient,
                                 const std::uint8_t* choice, float* of_weight, float* of_bias) {
  constexpr int taps = C * K * K;
  const std::int64_t line = s.width + K - 1, plane = line * (s.height + K - 1);
  Lanes sums[taps], of_offset;
  for (int t = 0; t < taps; ++t) load(sums[t], of_weight + t * conv_lanes);
  load(of_offset, of_bias);
  for (std::int64_t y = 0; y + 1 < s.height; y += 2) {
    for (std::int64_t x = 0; x + 1 < s.width; x += 2, gradient += conv_lanes, choice += conv_lanes) {
      Lanes given;
      load(given, gradient);
      Places places;
      std::memcpy(&places, choice, sizeof places);
      const Mask from = __builtin_convertvector(places, Mask);
      of_offset += from < 4 ? given : Lanes{};
#pragma GCC unroll 4
      for (int place = 0; place < 4; ++place) {
        const Lanes here = from == place ? given : Lanes{};
        const float* corner = padded + (y + place / 2) * line + x + place % 2;
#pragma GCC unroll 3
        for (int c = 0; c < C; ++c) {
#pragma GCC unroll 5
          for (int ky = 0; ky < K; ++ky) {
#pragma GCC unroll 5
            for (int kx = 0; kx < K; ++kx) {
              sums[(c * K + ky) * K + kx] += here * corner[c * plane + ky * line + kx];
            }
          }
        }
      }
    }
  }
  for (int t = 0; t < taps; ++t) store(sums[t], of_weight + t * conv_lanes);
  store(of_offset, of_bias);
}

}  // namespace

bool has_conv_kernel(std::int64_t channels, std::int64_t kernel) {
  return (kernel == 3 && (channels == 1 || channels == 3)) || (kernel == 5 && channels == 1);
}

void pad_image(const ConvShape& s, const float* image, float* padded) {
  const std::int64_t line = s.width + s.kernel - 1, margin = (s.kernel - 1) / 2;
  std::fill(padded, padded + s.padded_size(), 0.0F);
  for (std::int64_t c = 0; c < s.channels; ++c) {
    float* first = padded + (c * (s.height + s.kernel - 1) + margin) * line + margin;
    for (std::int64_t y = 0; y < s.height; ++y, image += s.width) std::copy(image, image + s.width, first + y * line);
  }
}

VAETL_EVERY_PROCESSOR void conv_relu_pool(const ConvShape& s, const float* padded, const float* weight,
                                          const float* bias, float* out, std::uint8_t* choice) {
  if (s.kernel == 5) return forward_image<1, 5>(s, padded, weight, bias, out, choice);
  if (s.channels == 1) return forward_image<1, 3>(s, padded, weight, bias, out, choice);
  forward_image<3, 3>(s, padded, weight, bias, out, choice);
}

VAETL_EVERY_PROCESSOR void conv_relu_pool_gradient(const ConvShape& s, const float* padded, const float* gradient,
                                                   const std::uint8_t* choice, float* of_weight, float* of_bias) {
  if (s.kernel == 5) return gradient_image<1, 5>(s, padded, gradient, choice, of_weight, of_bias);
  if (s.channels == 1) return gradient_image<1, 3>(s, padded, gradient, choice, of_weight, of_bias);
  gradient_image<3, 3>(s, padded, gradient, choice, of_weight, of_bias);
}

VAETL_EVERY_PROCESSOR void lanes_to_rows(const float* __restrict from, std::int64_t rows, std::int64_t lanes,
                                         float* __restrict to) {
  for (std::int64_t lane = 0; lane < lanes; ++lane, to += rows) {
    for (std::int64_t row = 0; row < rows; ++row) to[row] = from[row * conv_lanes + lane];
  }
}

VAETL_EVERY_PROCESSOR void rows_to_lanes(const float* __restrict from, std::int64_t rows, std::int64_t lanes,
                                         float* __restrict to) {
  if (lanes < conv_lanes) std::fill(to, to + rows * conv_lanes, 0.0F);
  for (std::int64_t lane = 0; lane < lanes; ++lane, from += rows) {
    for (std::int64_t row = 0; row < rows; ++row) to[row * conv_lanes + lane] = from[row];
  }
}

}  // namespace vaetl::nn::kernels
