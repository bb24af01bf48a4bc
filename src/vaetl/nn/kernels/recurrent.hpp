// What an LSTM does between its matrix products, one pass a step; internal to nn. Rows of a batch, H units; the gates
// of a row are i, f, g, o, H values each, as PyTorch orders them.
#pragma once
#include <cstdint>

namespace vaetl::nn::kernels {

// One row of one step: gates (4 H) hold the sums before their activations and are replaced by i, f, g, o after them;
// c = f c_before + i g, h = o tanh c.
void lstm_step(float* gates, const float* bias, const float* c_before, float* c, float* h, std::int64_t units);

// Its derivative: from that of h and, in of_c (H), that of c from the step after, those of the sums before the
// activations (4 H); of_c becomes that of c_before.
void lstm_step_gradient(const float* gates, const float* c_before, const float* c, const float* of_h,
                        const float* of_h_after, float* of_c, float* of_sums, std::int64_t units);

}  // namespace vaetl::nn::kernels
