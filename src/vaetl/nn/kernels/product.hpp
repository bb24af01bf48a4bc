// Products of matrices for the layers that are cut up among threads; internal to nn. A sum is taken in the order of its
// terms, so a result depends neither on where its row lies in a batch nor on the number of threads.
#pragma once
#include <cstdint>

namespace vaetl::nn::kernels {

// Whether products and loops are compiled for this processor's vectors. Where they are not, they are slow.
bool quick_products();

// The value at (i, j) is data[i · down + j · across].
struct Matrix {
  const float* data;
  std::int64_t rows, columns, down, across;
};
// c (a's rows, b's columns) ← a b, from row to row of c c_row values.
void product(float* c, std::int64_t c_row, const Matrix& a, const Matrix& b);

// The same for those who lay b out themselves: c (rows, columns) ← a (rows, depth) b (depth, columns), or that more. b
// is read by panels of 16 columns, the last one whole as well. Strides are between neighbours: best are a depth's of b
// that is no multiple of 32 (memory_row), and panels that fit the first cache.
struct Product {
  std::int64_t rows, depth, columns;
  float* c;
  std::int64_t c_row;
  const float* a;
  std::int64_t a_row, a_depth;
  const float* b;
  std::int64_t b_depth, b_panel;
  bool add = false;
};
void multiply(const Product& product);

constexpr std::int64_t panel = 16;
constexpr std::int64_t panels(std::int64_t columns) { return (columns + panel - 1) / panel; }
// Values from row to row of a matrix with so many columns: whole panels, an odd number of them, as caches keep few rows
// whose distance is a power of 2.
constexpr std::int64_t memory_row(std::int64_t columns) { return (panels(columns) | 1) * panel; }

// b's panels first to last − 1, each (depth, 16) by itself with zeros behind b's last column.
void pack(float* packed, const Matrix& b, std::int64_t first, std::int64_t last);

}  // namespace vaetl::nn::kernels
