#include "vaetl/core/target.hpp"
#include "vaetl/nn/kernels/kernels.hpp"
#include "vaetl/nn/kernels/math.hpp"

namespace vaetl::nn::kernels {
namespace {

template <class Derivative>
VAETL_INLINE void map_gradient(float* before, const float* gradient, const float* result, std::int64_t count,
                               Derivative derivative) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) before[i] = derivative(gradient[i], result[i]);
}

template <class Activation>
VAETL_INLINE void map_rows(float* __restrict y, const float* __restrict bias, std::int64_t rows, std::int64_t columns,
                           std::int64_t y_row, Activation activation) {
  for (std::int64_t row = 0; row < rows; ++row, y += y_row) {
    for (std::int64_t i = 0; i < columns; ++i) y[i] = activation(y[i] + bias[i]);
  }
}

}  // namespace

// What is not a number stays so, as in LibTorch.
VAETL_EVERY_PROCESSOR void add_bias(float* __restrict y, const float* __restrict bias, std::int64_t rows,
                                    std::int64_t columns, std::int64_t y_row, Rule rule, float slope) {
  switch (rule) {
    case Rule::relu:
      return map_rows(y, bias, rows, columns, y_row, [](float value) { return value < 0 ? 0 : value; });
    case Rule::leaky_relu:
      return map_rows(y, bias, rows, columns, y_row,
                      [slope](float value) { return value < 0 ? slope * value : value; });
    default:
      return map_rows(y, bias, rows, columns, y_row, [](float value) { return value; });
  }
}

VAETL_EVERY_PROCESSOR void activation_gradient(float* before, const float* gradient, const float* result,
                                               std::int64_t count, Rule rule, float slope) {
  switch (rule) {
    case Rule::identity:
      return;
    case Rule::relu:
      return map_gradient(before, gradient, result, count, [](float d, float y) { return y <= 0 ? 0 : d; });
    case Rule::leaky_relu:
      return map_gradient(before, gradient, result, count,
                          [slope](float d, float y) { return y <= 0 ? slope * d : d; });
    case Rule::sigmoid:
      return map_gradient(before, gradient, result, count, [](float d, float y) { return d * (1 - y) * y; });
    case Rule::tanh:
      return map_gradient(before, gradient, result, count, [](float d, float y) { return d * (1 - y * y); });
    case Rule::elu:
      return map_gradient(before, gradient, result, count, [](float d, float y) { return y <= 0 ? d * (y + 1) : d; });
  }
}

VAETL_EVERY_PROCESSOR void add_rows(float* __restrict sums, const float* __restrict values, std::int64_t rows,
                                    std::int64_t row_size, std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row, values += row_size) {
    for (std::int64_t i = 0; i < columns; ++i) sums[i] += values[i];
  }
}

}  // namespace vaetl::nn::kernels
