#include "vaetl/nn/kernels/kernels.hpp"
#include "vaetl/nn/kernels/math.hpp"
#include "vaetl/nn/kernels/target.hpp"

namespace vaetl::nn::kernels {
namespace {

constexpr std::int64_t lanes = 32;  // partial sums, so that a sum has no order that the processor must keep

VAETL_INLINE float bernoulli_value(float l, float x, float& derivative) {
  const float size = l < 0 ? -l : l;
  const float e = exp_of_minus(size);
  const float below = e / (1 + e);  // σ(−|l|)
  derivative = x - (l < 0 ? below : 1 - below);
  return x * l - (l < 0 ? 0 : l) - log_of_one_plus(e);
}

VAETL_INLINE float sigmoid_distance_value(float l, float x, float& derivative) {
  const float y = sigmoid(l), difference = y - x;
  derivative = 2 * difference * y * (1 - y);
  return difference * difference;
}

VAETL_INLINE float total(const float* sums) {
  double all = 0;
  for (std::int64_t i = 0; i < lanes; ++i) all += static_cast<double>(sums[i]);
  return static_cast<float>(all);
}

template <class Value>
VAETL_INLINE float sum_of_values(const float* __restrict logits, const float* __restrict x,
                                 float* __restrict derivative, std::int64_t count, Value value) {
  float sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (std::int64_t j = 0; j < lanes; ++j) sums[j] += value(logits[i + j], x[i + j], derivative[i + j]);
  }
  for (std::int64_t j = 0; i + j < count; ++j) sums[j] += value(logits[i + j], x[i + j], derivative[i + j]);
  return total(sums);
}

}  // namespace

VAETL_EVERY_PROCESSOR float bernoulli_log_prob(const float* __restrict logits, const float* __restrict x,
                                               float* __restrict derivative, std::int64_t count) {
  return sum_of_values(logits, x, derivative, count, bernoulli_value);
}

VAETL_EVERY_PROCESSOR float sigmoid_squared_distance(const float* __restrict logits, const float* __restrict x,
                                                     float* __restrict derivative, std::int64_t count) {
  return sum_of_values(logits, x, derivative, count, sigmoid_distance_value);
}

VAETL_EVERY_PROCESSOR float squared_distance(const float* __restrict a, const float* __restrict b, std::int64_t count) {
  float sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (std::int64_t j = 0; j < lanes; ++j) sums[j] += (a[i + j] - b[i + j]) * (a[i + j] - b[i + j]);
  }
  for (std::int64_t j = 0; i + j < count; ++j) sums[j] += (a[i + j] - b[i + j]) * (a[i + j] - b[i + j]);
  return total(sums);
}

VAETL_EVERY_PROCESSOR void scaled_difference(float* __restrict out, const float* __restrict a,
                                             const float* __restrict b, float scale, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = scale * (a[i] - b[i]);
}

VAETL_EVERY_PROCESSOR void scaled(float* __restrict out, const float* __restrict a, float scale, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = scale * a[i];
}

}  // namespace vaetl::nn::kernels
