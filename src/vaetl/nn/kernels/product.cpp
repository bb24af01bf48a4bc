#include "vaetl/nn/kernels/product.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

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

// So many rows of b ahead are fetched, as the processor does not foresee rows that lie far from each other. A short
// depth is over too soon. Behind b's end a fetch does nothing.
constexpr std::int64_t rows_ahead(std::int64_t depth) { return depth > 32 ? 8 : 0; }

// Rows × (Panels · 16) values of c, of which the first `width` columns are written. Half of the rows of a have a
// pointer of their own, so that there are registers for all addresses: else the compiler keeps a sum in memory.
template <class Vector, std::int64_t Rows, std::int64_t Panels>
VAETL_INLINE void tile(const Product& product, float* c, const float* a, const float* b, std::int64_t width) {
  constexpr std::int64_t parts = panel * sizeof(float) / sizeof(Vector);
  const std::int64_t depth = product.depth, a_row = product.a_row, a_depth = product.a_depth, b_depth = product.b_depth,
                     b_panel = product.b_panel;
  constexpr std::int64_t half = (Rows + 1) / 2;
  const float *lower = a + half * a_row, *ahead = b + rows_ahead(depth) * b_depth;
  Vector sums[Rows][Panels][parts] = {};
  for (std::int64_t k = 0; k < depth; ++k, a += a_depth, lower += a_depth, b += b_depth, ahead += b_depth) {
#pragma GCC unroll 4
    for (std::int64_t p = 0; p < Panels; ++p) __builtin_prefetch(ahead + p * b_panel);
    Vector values[Panels][parts];
#pragma GCC unroll 4
    for (std::int64_t p = 0; p < Panels; ++p) std::memcpy(values[p], b + p * b_panel, sizeof(values[p]));
#pragma GCC unroll 16
    for (std::int64_t row = 0; row < Rows; ++row) {
      const float value = row < half ? a[row * a_row] : lower[(row - half) * a_row];
      const Vector factor = value - Vector{};  // spread once: less 0 it is itself
#pragma GCC unroll 4
      for (std::int64_t p = 0; p < Panels; ++p) {
#pragma GCC unroll 4
        for (std::int64_t part = 0; part < parts; ++part) sums[row][p][part] += factor * values[p][part];
      }
    }
  }
#pragma GCC unroll 16
  for (std::int64_t row = 0; row < Rows; ++row) {
#pragma GCC unroll 4
    for (std::int64_t p = 0; p < Panels; ++p) {
      write(c + row * product.c_row + p * panel, sums[row][p], std::min(panel, width - p * panel), product.add);
    }
  }
}

template <class Vector, std::int64_t Rows, std::int64_t Panels>
VAETL_INLINE void last_tile(const Product& product, float* c, const float* a, const float* b, std::int64_t width,
                            std::int64_t rows) {
  if constexpr (Rows > 0) {
    if (rows == Rows) return tile<Vector, Rows, Panels>(product, c, a, b, width);
    last_tile<Vector, Rows - 1, Panels>(product, c, a, b, width, rows);
  }
}

// All rows pass by some panels.
template <class Vector, std::int64_t Rows, std::int64_t Panels>
VAETL_INLINE void pass_rows(const Product& product, std::int64_t a_tile, std::int64_t width) {
  float* c = product.c;
  const float* a = product.a;
  std::int64_t rows = product.rows;
  for (; rows >= Rows; rows -= Rows, c += Rows * product.c_row, a += a_tile) {
    tile<Vector, Rows, Panels>(product, c, a, product.b, width);
  }
  last_tile<Vector, Rows - 1, Panels>(product, c, a, product.b, width, rows);
}

// Several panels at once, as long as there are so many, since each value of a is then read once for all of them.
template <class Vector, std::int64_t Rows, std::int64_t Panels>
VAETL_INLINE void multiply_by(Product product, std::int64_t a_tile) {
  constexpr std::int64_t most = Panels * panel;
  while (product.columns > most - panel) {
    const std::int64_t width = std::min(most, product.columns);
    pass_rows<Vector, Rows, Panels>(product, a_tile, width);
    product.columns -= width;
    product.c += width;
    product.b += Panels * product.b_panel;
  }
  if constexpr (Panels > 1) multiply_by<Vector, Rows, Panels - 1>(product, a_tile);
}

// packed ← a's tiles, each (depth, Rows) by itself; a's values of a column lie next to each other.
template <std::int64_t Rows>
void pack_tiles(float* packed, const Matrix& a) {
  for (std::int64_t row = 0; row < a.rows; row += Rows) {
    const std::int64_t rows = std::min(Rows, a.rows - row);
    const float* from = a.data + row;
    for (std::int64_t k = 0; k < a.columns; ++k, packed += Rows, from += a.across) {
      if (rows == Rows) {
        std::memcpy(packed, from, Rows * sizeof(float));
      } else {
        std::copy_n(from, rows, packed);
      }
    }
  }
}

// How a processor multiplies: by tiles of so many rows; from one to the next of them are a_tile values of a.
struct Kernel {
  void (*multiply)(const Product& product, std::int64_t a_tile);
  void (*pack_tiles)(float* packed, const Matrix& a);
  std::int64_t rows;
};

// As many rows and panels as leave a register for each of b's values and one of a's: 32 registers, or 16. Processors
// that multiply twice a cycle read as often, and want several products of each value that they read.
constexpr std::int64_t most_panels = 3, rows_avx512 = 8, rows_avx2 = 6, rows_anywhere = 2;
#if defined(__x86_64__)
__attribute__((target("avx512f"))) void multiply_avx512(const Product& product, std::int64_t a_tile) {
  multiply_by<Vector16, rows_avx512, most_panels>(product, a_tile);
}
__attribute__((target("avx2,fma"))) void multiply_avx2(const Product& product, std::int64_t a_tile) {
  multiply_by<Vector8, rows_avx2, 1>(product, a_tile);
}
#endif
void multiply_anywhere(const Product& product, std::int64_t a_tile) {
  multiply_by<Vector4, rows_anywhere, 1>(product, a_tile);
}

Kernel choose_kernel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {multiply_avx512, pack_tiles<rows_avx512>, rows_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return {multiply_avx2, pack_tiles<rows_avx2>, rows_avx2};
  }
#endif
  return {multiply_anywhere, pack_tiles<rows_anywhere>, rows_anywhere};
}

const Kernel& kernel() {
  static const Kernel chosen = choose_kernel();
  return chosen;
}

// A square of 8 × 8 values, in 24 exchanges of halves, quarters and eighths of registers.
VAETL_INLINE void transpose(float* to, std::int64_t to_row, const float* from, std::int64_t from_row) {
  Vector8 a[8], b[8];
  for (std::int64_t i = 0; i < 8; ++i) std::memcpy(&a[i], from + i * from_row, sizeof(Vector8));
  for (int i = 0; i < 4; ++i) {
    b[i] = __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    b[i + 4] = __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
  for (const int i : {0, 1, 4, 5}) {
    a[i] = __builtin_shufflevector(b[i], b[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    a[i + 2] = __builtin_shufflevector(b[i], b[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < 8; i += 2) {
    b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (std::int64_t i = 0; i < 8; ++i) std::memcpy(to + i * to_row, &b[i], sizeof(Vector8));
}

// packed (depth, 16) ← 16 columns of a matrix whose values of a column lie next to each other.
VAETL_INLINE void pack_columns(float* packed, const float* matrix, std::int64_t across, std::int64_t depth) {
  std::int64_t k = 0;
  for (; k + 8 <= depth; k += 8) {
    for (std::int64_t half = 0; half < panel; half += 8) {
      transpose(packed + k * panel + half, panel, matrix + k + half * across, across);
    }
  }
  for (; k < depth; ++k) {
    for (std::int64_t i = 0; i < panel; ++i) packed[k * panel + i] = matrix[k + i * across];
  }
}

VAETL_INLINE void pack_rows(float* packed, const float* matrix, std::int64_t down, std::int64_t depth) {
  for (std::int64_t k = 0; k < depth; ++k) std::memcpy(packed + k * panel, matrix + k * down, panel * sizeof(float));
}

VAETL_INLINE void pack_values(float* packed, const float* from, const Matrix& b, std::int64_t width) {
  for (std::int64_t k = 0; k < b.rows; ++k, packed += panel, from += b.down) {
    for (std::int64_t i = 0; i < width; ++i) packed[i] = from[i * b.across];
    for (std::int64_t i = width; i < panel; ++i) packed[i] = 0;
  }
}

// What multiply() reads in place: whole lines of the cache, whose distance leaves them in it. A panel by which few rows
// pass is not worth a copy.
bool reads_in_place(std::int64_t rows, const Matrix& b) {
  if (b.across != 1) return false;
  const bool aligned = b.down % panel == 0 && reinterpret_cast<std::uintptr_t>(b.data) % sizeof(Vector16) == 0;
  return rows <= 8 || (aligned && (rows <= 128 || b.down < 1024));
}

float* scratch(std::int64_t lines) {
  struct alignas(64) Line {
    float values[panel];
  };
  static thread_local std::vector<Line> memory;
  if (std::ssize(memory) < lines) memory.resize(static_cast<std::size_t>(lines));
  return memory.data()->values;
}

// Sums of so many terms are added up: a copied panel of them fits the second cache, and rounding errors stay small.
constexpr std::int64_t terms = 1024;

// All columns of c's rows; b's panels are copied to `packed` where they are not read in place.
void multiply_columns(Product product, std::int64_t a_tile, const Matrix& b, float* packed) {
  const std::int64_t columns = b.columns, whole = reads_in_place(product.rows, b) ? columns / panel * panel : 0;
  float* c = product.c;
  product.columns = whole;
  if (whole > 0) kernel().multiply(product, a_tile);
  if (whole == columns) return;
  product.b = packed;
  product.b_depth = panel;
  product.b_panel = panel * b.rows;
  for (std::int64_t column = whole; column < columns; column += most_panels * panel) {
    product.columns = std::min(most_panels * panel, columns - column);
    pack(packed, b, column / panel, panels(column + product.columns));
    product.c = c + column;
    kernel().multiply(product, a_tile);
  }
}

// Whether a is copied: its values of a row lie on many pages, and they are read more than twice.
bool copies_tiles(const Matrix& a, std::int64_t columns) {
  return a.down == 1 && a.across >= 128 && columns > 2 * most_panels * panel;
}

// So many values of a are copied at once: they stay in the second cache.
constexpr std::int64_t most_copied = 1 << 17;

void multiply_terms(float* c, std::int64_t c_row, const Matrix& a, const Matrix& b, bool add) {
  const std::int64_t depth = b.rows;
  Product product{.rows = a.rows,
                  .depth = depth,
                  .columns = b.columns,
                  .c = c,
                  .c_row = c_row,
                  .a = a.data,
                  .a_row = a.down,
                  .a_depth = a.across,
                  .b = b.data,
                  .b_depth = b.down,
                  .b_panel = panel,
                  .add = add};
  const std::int64_t tile = kernel().rows, lines = most_panels * depth;
  if (!copies_tiles(a, b.columns)) return multiply_columns(product, tile * a.down, b, scratch(lines));
  const std::int64_t rows = std::min(most_copied / depth, a.rows + tile - 1) / tile * tile;
  float* packed = scratch(lines + panels(rows * depth));
  float* tiles = packed + lines * panel;
  product.a = tiles;
  product.a_row = 1;
  product.a_depth = tile;
  for (std::int64_t row = 0; row < a.rows; row += rows) {
    product.rows = std::min(rows, a.rows - row);
    product.c = c + row * c_row;
    kernel().pack_tiles(tiles, {a.data + row, product.rows, depth, a.down, a.across});
    multiply_columns(product, tile * depth, b, packed);
  }
}

}  // namespace

bool quick_products() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

void multiply(const Product& product) { kernel().multiply(product, kernel().rows * product.a_row); }

VAETL_EVERY_PROCESSOR void pack(float* __restrict packed, const Matrix& b, std::int64_t first, std::int64_t last) {
  for (std::int64_t p = first; p < last; ++p, packed += b.rows * panel) {
    const std::int64_t width = std::min(panel, b.columns - p * panel);
    const float* from = b.data + p * panel * b.across;
    if (width == panel && b.down == 1) {
      pack_columns(packed, from, b.across, b.rows);
    } else if (width == panel && b.across == 1) {
      pack_rows(packed, from, b.down, b.rows);
    } else {
      pack_values(packed, from, b, width);
    }
  }
}

void product(float* c, std::int64_t c_row, const Matrix& a, const Matrix& b) {
  for (std::int64_t k = 0; k < b.rows; k += terms) {
    const std::int64_t count = std::min(terms, b.rows - k);
    multiply_terms(c, c_row, {a.data + k * a.across, a.rows, count, a.down, a.across},
                   {b.data + k * b.down, count, b.columns, b.down, b.across}, /*add=*/k > 0);
  }
}

}  // namespace vaetl::nn::kernels
