// The loop within t-SNE; internal to metrics. No tensors, no threads.
#pragma once
#include <cstdint>

namespace vaetl::metrics::kernels {

// What point i at (x_i, y_i) feels of the others: with w_j = (1 + ‖y_i − y_j‖²)⁻¹, Σ_j w_j, and the sums over
// j of p_ij w_j (y_i − y_j) and of w_j² (y_i − y_j).
struct Pull {
  float near, attraction[2], repulsion[2];
};
Pull pull_on(std::int64_t i, const float* x, const float* y, const float* shares, std::int64_t count);

}  // namespace vaetl::metrics::kernels
