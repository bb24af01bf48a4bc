// What LibTorch computes by several operators, each a pass over memory and a node of the graph, as one of either. Each
// function equals its plain form, written beside it in its source, which takes over for other devices and dtypes, under
// autocast and where a gradient is itself differentiated. On a CPU the fused forms save a third of a dense model's
// step.
#pragma once
#include <ATen/core/Tensor.h>

#include "vaetl/nn/activation.hpp"

namespace vaetl::nn {

// activation(x Wᵀ + b); x (…, in), weight (out, in), bias (out) → (…, out).
at::Tensor dense(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const Activation& activation);

// (N, …), both → (N): Σ x l − softplus(l), the log-likelihood of x under Bernoulli(σ(l)).
at::Tensor bernoulli_log_prob(const at::Tensor& logits, const at::Tensor& x);

// (N, …), both → (N): Σ (σ(l) − x)².
at::Tensor sigmoid_squared_distance(const at::Tensor& logits, const at::Tensor& x);

// (N, …), both → (N): Σ (a − b)².
at::Tensor squared_distance(const at::Tensor& a, const at::Tensor& b);

// max pooling by 2 × 2 of relu(conv(x, weight) + bias); x (N, C, H, W), weight (out, C, K, K) with K odd and padding (K
// − 1) / 2 → (N, out, ⌊H / 2⌋, ⌊W / 2⌋). Fused for few input channels that need no gradient, such as an image's.
at::Tensor conv_relu_pool(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// (N, C, H, W) with the channels of a pixel next to each other, where convolution and pooling run about twice as fast
// on a CPU. One channel may be laid out either way, and oneDNN would take the slow one: hence a detour over a view.
at::Tensor channels_last(const at::Tensor& x);

}  // namespace vaetl::nn
