#include "vaetl/nn/kernels/recurrent.hpp"

#include <algorithm>
#include <cstring>

#include "vaetl/core/target.hpp"
#include "vaetl/nn/kernels/math.hpp"

namespace vaetl::nn::kernels {
namespace {

using Vector4 = float __attribute__((vector_size(16)));
using Vector8 = float __attribute__((vector_size(32)));
using Vector16 = float __attribute__((vector_size(64)));

// c ← sums, or that more; `width` of 16 values.
template <class Vector, std::size_t Parts>
VAETL_INLINE void write(float* c, const Vector (&sums)[Parts], std::int64_t width, bool add) {
  if (width == panel) {
    for (std::size_t part = 0; part < Parts; ++part, c += sizeof(Vector) / sizeof(float)) {
      Vector sum = sums[part], before;
      if (add) {
        std::memcpy(&before, c, sizeof(Vector));
        sum += before;
      }
      std::memcpy(c, &sum, sizeof(Vector));
    }
    return;
  }
  float values[panel];
  std::memcpy(values, sums, sizeof(values));
  for (std::int64_t i = 0; i < width; ++i) c[i] = values[i] + (add ? c[i] : 0);
}

// Rows × 16 values of c, of which the first `width` columns are written.
template <class Vector, std::int64_t Rows>
VAETL_INLINE void tile(const Product& product, float* c, const float* a, const float* b, std::int64_t width) {
  constexpr std::int64_t parts = panel * sizeof(float) / sizeof(Vector);
  const std::int64_t depth = product.depth, a_row = product.a_row, a_depth = product.a_depth, b_depth = product.b_depth;
  Vector sums[Rows][parts] = {};
  for (std::int64_t k = 0; k < depth; ++k, a += a_depth, b += b_depth) {
    Vector values[parts];
    std::memcpy(values, b, sizeof(values));
#pragma GCC unroll 8
    for (std::int64_t row = 0; row < Rows; ++row) {
      const float factor = a[row * a_row];
#pragma GCC unroll 4
      for (std::int64_t part = 0; part < parts; ++part) sums[row][part] += factor * values[part];
    }
  }
#pragma GCC unroll 8
  for (std::int64_t row = 0; row < Rows; ++row) write(c + row * product.c_row, sums[row], width, product.add);
}

template <class Vector, std::int64_t Rows>
VAETL_INLINE void last_tile(const Product& product, float* c, const float* a, const float* b, std::int64_t width,
                            std::int64_t rows) {
  if constexpr (Rows > 0) {
    if (rows == Rows) return tile<Vector, Rows>(product, c, a, b, width);
    last_tile<Vector, Rows - 1>(product, c, a, b, width, rows);
  }
}

// All rows pass by a panel, which stays in the first cache.
template <class Vector, std::int64_t Rows>
VAETL_INLINE void multiply_by(const Product& product) {
  const float* b = product.b;
  for (std::int64_t column = 0; column < product.columns; column += panel, b += product.b_panel) {
    const std::int64_t width = std::min(panel, product.columns - column);
    float* c = product.c + column;
    const float* a = product.a;
    std::int64_t rows = product.rows;
    for (; rows >= Rows; rows -= Rows, c += Rows * product.c_row, a += Rows * product.a_row) {
      tile<Vector, Rows>(product, c, a, b, width);
    }
    last_tile<Vector, Rows - 1>(product, c, a, b, width, rows);
  }
}

// As many rows as leave a register for each of b's values and one of a's: 32 registers, or 16.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) void multiply_avx512(const Product& product) { multiply_by<Vector16, 8>(product); }
__attribute__((target("avx2,fma"))) void multiply_avx2(const Product& product) { multiply_by<Vector8, 6>(product); }
#endif
void multiply_anywhere(const Product& product) { multiply_by<Vector4, 2>(product); }

auto multiply_here() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return multiply_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return multiply_avx2;
#endif
  return multiply_anywhere;
}

}  // namespace

bool quick_steps() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

void multiply(const Product& product) {
  static const auto chosen = multiply_here();
  chosen(product);
}

VAETL_EVERY_PROCESSOR void pack(float* __restrict packed, const float* __restrict matrix, std::int64_t down,
                                std::int64_t across, std::int64_t depth, std::int64_t columns, std::int64_t first,
                                std::int64_t last) {
  for (std::int64_t p = first; p < last; ++p) {
    const std::int64_t width = std::min(panel, columns - p * panel);
    float* to = packed + p * depth * panel;
    const float* from = matrix + p * panel * across;
    for (std::int64_t k = 0; k < depth; ++k, to += panel, from += down) {
      for (std::int64_t i = 0; i < width; ++i) to[i] = from[i * across];
      for (std::int64_t i = width; i < panel; ++i) to[i] = 0;
    }
  }
}

VAETL_EVERY_PROCESSOR void lstm_step(float* __restrict gates, const float* __restrict bias, const float* c_before,
                                     float* c, float* __restrict tanh_c, float* __restrict h, std::int64_t units) {
#pragma GCC ivdep
  for (std::int64_t u = 0; u < units; ++u) {
    const float i = sigmoid(gates[u] + bias[u]);
    const float f = sigmoid(gates[units + u] + bias[units + u]);
    const float g = tanh(gates[2 * units + u] + bias[2 * units + u]);
    const float o = sigmoid(gates[3 * units + u] + bias[3 * units + u]);
    const float cell = f * c_before[u] + i * g, t = tanh(cell);
    gates[u] = i;
    gates[units + u] = f;
    gates[2 * units + u] = g;
    gates[3 * units + u] = o;
    c[u] = cell;
    tanh_c[u] = t;
    h[u] = o * t;
  }
}

VAETL_EVERY_PROCESSOR void lstm_step_gradient(float* __restrict of_sums, const float* __restrict gates,
                                              const float* __restrict c_before, const float* __restrict tanh_c,
                                              const float* __restrict of_h, const float* __restrict of_h_after,
                                              float* __restrict of_c, std::int64_t units) {
  for (std::int64_t u = 0; u < units; ++u) {
    const float i = gates[u], f = gates[units + u], g = gates[2 * units + u], o = gates[3 * units + u];
    const float t = tanh_c[u], d = of_h[u] + of_h_after[u];
    const float dc = of_c[u] + d * o * (1 - t * t);
    of_sums[u] = dc * g * i * (1 - i);
    of_sums[units + u] = dc * c_before[u] * f * (1 - f);
    of_sums[2 * units + u] = dc * i * (1 - g * g);
    of_sums[3 * units + u] = d * t * o * (1 - o);
    of_c[u] = dc * f;
  }
}

}  // namespace vaetl::nn::kernels
