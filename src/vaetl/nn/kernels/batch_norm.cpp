#include "vaetl/nn/kernels/batch_norm.hpp"

#include <algorithm>

#include "vaetl/core/target.hpp"
#include "vaetl/nn/kernels/math.hpp"

namespace vaetl::nn::kernels {
namespace {

// What is not a number stays so, as in LibTorch.
VAETL_INLINE float positive_part(float value) { return value < 0 ? 0 : value; }
VAETL_INLINE float where_positive(float y, float gradient) { return y <= 0 ? 0 : gradient; }

}  // namespace

VAETL_EVERY_PROCESSOR void shifted_moments(float* __restrict sums, float* __restrict squares, const float* __restrict x,
                                           const float* __restrict shift, std::int64_t rows, std::int64_t row) {
  std::fill(sums, sums + row, 0.0F);
  std::fill(squares, squares + row, 0.0F);
  for (std::int64_t r = 0; r < rows; ++r, x += row) {
    for (std::int64_t i = 0; i < row; ++i) {
      const float d = x[i] - shift[i];
      sums[i] += d;
      squares[i] += d * d;
    }
  }
}

VAETL_EVERY_PROCESSOR void scale_shift_relu(float* __restrict y, const float* __restrict x,
                                            const float* __restrict plus, const float* __restrict scale,
                                            const float* __restrict shift, std::int64_t rows, std::int64_t row) {
  if (plus == nullptr) {
    for (std::int64_t r = 0; r < rows; ++r, x += row, y += row) {
      for (std::int64_t i = 0; i < row; ++i) y[i] = positive_part(x[i] * scale[i] + shift[i]);
    }
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r, x += row, y += row, plus += row) {
    for (std::int64_t i = 0; i < row; ++i) y[i] = positive_part(x[i] * scale[i] + shift[i] + plus[i]);
  }
}

VAETL_EVERY_PROCESSOR void relu_gradient_moments(float* __restrict sums, float* __restrict products,
                                                 const float* __restrict gradient, const float* __restrict y,
                                                 const float* __restrict x, const float* __restrict mean,
                                                 std::int64_t rows, std::int64_t row) {
  std::fill(sums, sums + row, 0.0F);
  std::fill(products, products + row, 0.0F);
  for (std::int64_t r = 0; r < rows; ++r, x += row, y += row, gradient += row) {
    for (std::int64_t i = 0; i < row; ++i) {
      const float g = where_positive(y[i], gradient[i]);
      sums[i] += g;
      products[i] += g * (x[i] - mean[i]);
    }
  }
}

VAETL_EVERY_PROCESSOR void relu_norm_gradient(float* __restrict before, float* __restrict masked,
                                              const float* __restrict gradient, const float* __restrict y,
                                              const float* __restrict x, const float* __restrict by_gradient,
                                              const float* __restrict by_value, const float* __restrict constant,
                                              std::int64_t rows, std::int64_t row) {
  if (masked == nullptr) {
    for (std::int64_t r = 0; r < rows; ++r, x += row, y += row, gradient += row, before += row) {
      for (std::int64_t i = 0; i < row; ++i) {
        const float g = where_positive(y[i], gradient[i]);
        before[i] = g * by_gradient[i] + (x[i] * by_value[i] + constant[i]);
      }
    }
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r, x += row, y += row, gradient += row, before += row, masked += row) {
    for (std::int64_t i = 0; i < row; ++i) {
      const float g = where_positive(y[i], gradient[i]);
      masked[i] = g;
      before[i] = g * by_gradient[i] + (x[i] * by_value[i] + constant[i]);
    }
  }
}

}  // namespace vaetl::nn::kernels
