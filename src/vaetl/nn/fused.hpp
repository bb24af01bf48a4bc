// What LibTorch computes by several operators, each a pass over memory and a node of the graph, as one of either. Each
// function equals its plain form, written beside it in its source, which takes over for other devices and dtypes, under
// autocast and where a gradient is itself differentiated. On a CPU the fused forms save a third of a dense model's
// step.
#pragma once
#include <ATen/core/Tensor.h>

#include <array>
#include <span>

#include "vaetl/nn/activation.hpp"

namespace vaetl::nn {

// activation(x Wᵀ + b); weight (out, in), bias (out).
struct DenseLayer {
  at::Tensor weight, bias;
  Activation activation = {};
};

// Layers one after another: x (…, in of the first) → (…, out of the last).
at::Tensor dense(const at::Tensor& x, std::span<const DenseLayer> layers);

// logits (N, K), labels int64 (N) in [0, K) → −Σ_k q_k log softmax(l)_k, with q = 1 − smoothing at the label plus
// smoothing / K everywhere (arXiv:1512.00567, section 7).
struct ClassLosses {
  at::Tensor losses;  // (N)
  at::Tensor right;   // (N), without gradient: 1 where the label has the largest logit, else 0; only where asked for
};
ClassLosses cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing, bool with_right = true);
// The losses alone.
inline at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels) {
  return cross_entropy(logits, labels, 0, /*with_right=*/false).losses;
}

// (N, …), both → (N): Σ x l − softplus(l), the log-likelihood of x under Bernoulli(σ(l)).
at::Tensor bernoulli_log_prob(const at::Tensor& logits, const at::Tensor& x);

// (N, …), both → (N): Σ (σ(l) − x)².
at::Tensor sigmoid_squared_distance(const at::Tensor& logits, const at::Tensor& x);

// (N, …), both → (N): Σ (a − b)².
at::Tensor squared_distance(const at::Tensor& a, const at::Tensor& b);

// (N, Z), both → (N): ½ Σ (mean² + exp(log_var) − 1 − log_var), KL(N(mean, exp(log_var)) ‖ N(0, 1)) (arXiv:1312.6114,
// appendix B).
at::Tensor gaussian_kl(const at::Tensor& mean, const at::Tensor& log_var);

// (N, Z), all → (N, Z): mean + exp(½ log_var) noise.
at::Tensor gaussian_sample(const at::Tensor& mean, const at::Tensor& log_var, const at::Tensor& noise);

// relu(norm(x) + plus) by the batch's own statistics, as in training; x (N, C, H, W), plus of the same shape, or
// undefined: nothing. Running statistics, where they are given, follow with the momentum.
struct NormParameters {
  at::Tensor weight, bias;  // (C)
  at::Tensor running_mean = {}, running_var = {};
  double momentum = 0, epsilon = 1e-5;
};
at::Tensor norm_relu(const at::Tensor& x, const at::Tensor& plus, const NormParameters& norm);

// max pooling by 2 × 2 of relu(conv(x, weight) + bias); x (N, C, H, W), weight (out, C, K, K) with K odd and padding (K
// − 1) / 2 → (N, out, ⌊H / 2⌋, ⌊W / 2⌋). Fused for few input channels that need no gradient, such as an image's.
at::Tensor conv_relu_pool(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// Layers of an LSTM over sequences x (N, T, F), T at least 1 → h of every step (N, T, H) and where they stopped.
// Weights: w_ih, w_hh, b_ih, b_hh of each layer (nn/recurrent.hpp); dropout between layers.
struct LstmState {
  at::Tensor h, c;  // (layers, N, H)
};
struct LstmResult {
  at::Tensor output;
  LstmState state;
};
LstmResult lstm(const at::Tensor& x, const LstmState& start, at::TensorList weights, double dropout);

// at::conv2d and at::conv_transpose2d, x with channels last, weights with square kernels. Where at most 8 channels are
// on the other side, the gradient of x and the result are sums of patches: several times as fast as oneDNN's on a CPU.
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                    std::int64_t padding, std::int64_t groups);
at::Tensor convolve_transposed(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                               std::int64_t stride, std::int64_t padding,
                               const std::array<std::int64_t, 2>& output_padding, std::int64_t groups);

// (N, C, H, W) with the channels of a pixel next to each other, where convolution and pooling run about twice as fast
// on a CPU. One channel may be laid out either way, and oneDNN would take the slow one: hence a detour over a view.
at::Tensor channels_last(const at::Tensor& x);

}  // namespace vaetl::nn
