// Multinomial logistic regression at one strength of the penalty; transfer/probe.hpp chooses it. Internal to transfer.
// Weights of feature j are scaled by √(vⱼ / K + λ), v its variance, within: where features are uncorrelated, curvature
// is then about the same in all directions, and L-BFGS needs a fraction of the evaluations.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vaetl::detail {

// minimise Σ wᵢ (−log softmax(W xᵢ + b)[yᵢ]) + ½ λ ‖W‖²; all tensors double, on the CPU.
struct Logistic {
  at::Tensor x, labels, weights;  // (N, F), int64 (N), (N) that add up to 1
  std::int64_t classes = 0;
};
struct Solution {
  at::Tensor weight, bias;  // (K, F), (K)
  double loss = 0, gradient = 0;
  std::int64_t evaluations = 0;
};
struct SolveOptions {
  double l2 = 0;
  double tolerance = 1e-8;  // the largest derivative at which it ends
  std::int64_t iterations = 2000;
};
// From `start`, whose tensors it leaves as they are; undefined ones stand for zeros.
Solution solve(const Logistic& problem, const Solution& start, const SolveOptions& options);
at::Tensor logits(const Solution& solution, const at::Tensor& x);

}  // namespace vaetl::detail
