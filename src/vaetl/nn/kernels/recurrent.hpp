// What an LSTM does in a step, by rows of a batch; internal to nn. H units; the gates of a row are i, f, g, o, H values
// each, as PyTorch orders them.
#pragma once
#include <cstdint>

namespace vaetl::nn::kernels {

// Whether products and loops are compiled for this processor's vectors. Where they are not, they are slow.
bool quick_steps();

// c (rows, columns) ← a (rows, depth) b (depth, columns), or that more. b is read by panels of 16 columns, the last one
// whole as well. Strides are between neighbours: best are a depth's of b that is no multiple of 32 (memory_row), and
// panels that fit the first cache.
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

// b's panels first to last − 1, each (depth, 16) by itself with zeros behind b's last column: b's value at (k, column)
// is matrix[k · down + column · across].
void pack(float* packed, const float* matrix, std::int64_t down, std::int64_t across, std::int64_t depth,
          std::int64_t columns, std::int64_t first, std::int64_t last);

// One row of one step: gates (4 H) hold the sums before their activations, less the bias, and are replaced by i, f, g,
// o; c = f c_before + i g, h = o tanh c. c may be c_before.
void lstm_step(float* gates, const float* bias, const float* c_before, float* c, float* tanh_c, float* h,
               std::int64_t units);

// Its derivative: from that of h, of_h + of_h_after, and in of_c (H) that of c by the step after, those of the sums
// before the activations (4 H); of_c becomes that of c_before.
void lstm_step_gradient(float* of_sums, const float* gates, const float* c_before, const float* tanh_c,
                        const float* of_h, const float* of_h_after, float* of_c, std::int64_t units);

}  // namespace vaetl::nn::kernels
