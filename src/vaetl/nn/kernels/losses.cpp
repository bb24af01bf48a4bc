#include <cmath>

#include "vaetl/core/target.hpp"
#include "vaetl/nn/kernels/kernels.hpp"
#include "vaetl/nn/kernels/math.hpp"

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

VAETL_INLINE float gaussian_kl_value(float mean, float log_var, float& derivative) {
  const float variance = exponential(log_var);
  derivative = 0.5F * (variance - 1);
  return 0.5F * (mean * mean + variance - 1 - log_var);
}

// exp(l − m) for m ≥ l; what is not a number stays so.
VAETL_INLINE float share_of_largest(float l, float m) {
  const float below = m - l;
  return exp_of_minus(below) + (below == below ? 0 : below);
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

VAETL_EVERY_PROCESSOR float gaussian_kl(const float* __restrict mean, const float* __restrict log_var,
                                        float* __restrict derivative, std::int64_t count) {
  return sum_of_values(mean, log_var, derivative, count, gaussian_kl_value);
}

VAETL_EVERY_PROCESSOR void gaussian_sample(float* __restrict z, float* __restrict derivative,
                                           const float* __restrict mean, const float* __restrict log_var,
                                           const float* __restrict noise, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float step = exponential(0.5F * log_var[i]) * noise[i];
    z[i] = mean[i] + step;
    derivative[i] = 0.5F * step;
  }
}

VAETL_EVERY_PROCESSOR ClassLoss cross_entropy(const float* __restrict logits, std::int64_t label, float smoothing,
                                              float* __restrict derivative, std::int64_t count) {
  float largest = logits[0];
  bool right = label == 0;
  for (std::int64_t i = 1; i < count; ++i) {
    if (!(logits[i] > largest)) continue;
    largest = logits[i];
    right = i == label;
  }
  float sums[lanes] = {}, mean = 0;
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (std::int64_t j = 0; j < lanes; ++j) sums[j] += derivative[i + j] = share_of_largest(logits[i + j], largest);
  }
  for (std::int64_t j = 0; i + j < count; ++j) sums[j] += derivative[i + j] = share_of_largest(logits[i + j], largest);
  const float all = total(sums);
  if (smoothing > 0) {
    for (std::int64_t k = 0; k < count; ++k) mean += logits[k];
    mean /= static_cast<float>(count);
  }
  const float everywhere = smoothing / static_cast<float>(count), scale = 1 / all;
  for (std::int64_t k = 0; k < count; ++k) derivative[k] = derivative[k] * scale - everywhere;
  derivative[label] -= 1 - smoothing;
  const float target = smoothing > 0 ? (1 - smoothing) * logits[label] + smoothing * mean : logits[label];
  return {std::log(all) + (largest - target), right};
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
