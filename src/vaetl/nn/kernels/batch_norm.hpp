// Loops of batch normalisation over pictures with channels last, whose values repeat their channels: a row holds as
// many pixels as make long loops, and coefficients are given for all of a row's values. Row-major float32, no threads.
// Internal to nn.
#pragma once
#include <cstdint>

namespace vaetl::nn::kernels {

// Of each place in a row, over all rows: sums ← Σ (x − shift), squares ← Σ (x − shift)².
void shifted_moments(float* sums, float* squares, const float* x, const float* shift, std::int64_t rows,
                     std::int64_t row);

// y ← relu(x scale + shift + plus); plus may be null.
void scale_shift_relu(float* y, const float* x, const float* plus, const float* scale, const float* shift,
                      std::int64_t rows, std::int64_t row);

// With g = gradient where y > 0, else 0: sums ← Σ g, products ← Σ g (x − mean).
void relu_gradient_moments(float* sums, float* products, const float* gradient, const float* y, const float* x,
                           const float* mean, std::int64_t rows, std::int64_t row);

// With the same g: before ← g by_gradient + x by_value + constant; g itself to `masked`, where it is not null.
void relu_norm_gradient(float* before, float* masked, const float* gradient, const float* y, const float* x,
                        const float* by_gradient, const float* by_value, const float* constant, std::int64_t rows,
                        std::int64_t row);

}  // namespace vaetl::nn::kernels
