#include "vaetl/nn/kernels/recurrent.hpp"

#include "vaetl/core/target.hpp"
#include "vaetl/nn/kernels/math.hpp"

namespace vaetl::nn::kernels {

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
