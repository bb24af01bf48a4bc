// What an LSTM does in a step, by rows of a batch; internal to nn. H units; the gates of a row are i, f, g, o, H values
// each, as PyTorch orders them.
#pragma once
#include <cstdint>

namespace vaetl::nn::kernels {

// One row of one step: gates (4 H) hold the sums before their activations, less the bias, and are replaced by i, f, g,
// o; c = f c_before + i g, h = o tanh c. c may be c_before.
void lstm_step(float* gates, const float* bias, const float* c_before, float* c, float* tanh_c, float* h,
               std::int64_t units);

// Its derivative: from that of h, of_h + of_h_after, and in of_c (H) that of c by the step after, those of the sums
// before the activations (4 H); of_c becomes that of c_before.
void lstm_step_gradient(float* of_sums, const float* gates, const float* c_before, const float* tanh_c,
                        const float* of_h, const float* of_h_after, float* of_c, std::int64_t units);

}  // namespace vaetl::nn::kernels
