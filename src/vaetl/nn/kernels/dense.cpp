#include <algorithm>

#include "vaetl/nn/kernels/kernels.hpp"
#include "vaetl/nn/kernels/math.hpp"
#include "vaetl/nn/kernels/target.hpp"

namespace vaetl::nn::kernels {
namespace {

// One row of the gradient before the activation, added to the bias's.
template <class Derivative>
VAETL_INLINE void gradient_row(const DenseGradient& g, std::int64_t row, std::int64_t first, std::int64_t last,
                               Derivative derivative) {
  const float* gradient = g.gradient + row * g.columns;
  const float* result = g.result + row * g.columns;
  float* __restrict before = g.before + row * g.columns;
  float* __restrict bias = g.bias;
  for (std::int64_t i = first; i < last; ++i) {
    const float value = derivative(gradient[i], result[i]);
    before[i] = value;
    bias[i] += value;
  }
}

template <class Derivative>
VAETL_INLINE void gradient_rows(const DenseGradient& g, std::int64_t first, std::int64_t last, Derivative derivative) {
  for (std::int64_t row = 0; row < g.rows; ++row) gradient_row(g, row, first, last, derivative);
}

template <class Activation>
VAETL_INLINE void map_rows(float* __restrict y, const float* __restrict bias, std::int64_t rows, std::int64_t columns,
                           Activation activation) {
  for (std::int64_t row = 0; row < rows; ++row, y += columns) {
    for (std::int64_t i = 0; i < columns; ++i) y[i] = activation(y[i] + bias[i]);
  }
}

VAETL_INLINE void sum_rows(const DenseGradient& g, std::int64_t first, std::int64_t last) {
  float* __restrict bias = g.bias;
  for (std::int64_t row = 0; row < g.rows; ++row) {
    const float* gradient = g.gradient + row * g.columns;
    for (std::int64_t i = first; i < last; ++i) bias[i] += gradient[i];
  }
}

}  // namespace

// What is not a number stays so, as in LibTorch.
VAETL_EVERY_PROCESSOR void add_bias(float* __restrict y, const float* __restrict bias, std::int64_t rows,
                                    std::int64_t columns, Rule rule, float slope) {
  switch (rule) {
    case Rule::relu:
      return map_rows(y, bias, rows, columns, [](float value) { return value < 0 ? 0 : value; });
    case Rule::leaky_relu:
      return map_rows(y, bias, rows, columns, [slope](float value) { return value < 0 ? slope * value : value; });
    default:
      return map_rows(y, bias, rows, columns, [](float value) { return value; });
  }
}

VAETL_EVERY_PROCESSOR void dense_gradient(const DenseGradient& g, std::int64_t first, std::int64_t last) {
  std::fill(g.bias + first, g.bias + last, 0.0F);
  const float slope = g.slope;
  switch (g.rule) {
    case Rule::identity:
      return sum_rows(g, first, last);
    case Rule::relu:
      return gradient_rows(g, first, last, [](float d, float y) { return y <= 0 ? 0 : d; });
    case Rule::leaky_relu:
      return gradient_rows(g, first, last, [slope](float d, float y) { return y <= 0 ? slope * d : d; });
    case Rule::sigmoid:
      return gradient_rows(g, first, last, [](float d, float y) { return d * (1 - y) * y; });
    case Rule::tanh:
      return gradient_rows(g, first, last, [](float d, float y) { return d * (1 - y * y); });
    case Rule::elu:
      return gradient_rows(g, first, last, [](float d, float y) { return y <= 0 ? d * (y + 1) : d; });
  }
}

}  // namespace vaetl::nn::kernels
