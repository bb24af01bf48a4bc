// Priors over z other than N(0, 1): mixtures of K diagonal Gaussians,
//   p(z) = Σ_k w_k N(z; mean_k, exp(log_var_k))
// whose components are parameters of their own, or the posteriors of K learned pseudo-inputs: the VampPrior
// (arXiv:1705.07120, equation 9), whose weights are all 1/K. Of a conditional model p(z | y), which learns where the
// codes of a class lie (the conditional prior of Sohn, Lee, Yan, NeurIPS 2015, section 4.1): the classes share the
// components and each has its weights p(k | y), or each has pseudo-inputs of its own.
#pragma once
#include <torch/nn/module.h>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::nn {

inline constexpr Choices priors = {"standard", "mixture", "vamp"};

struct Mixture {
  Gaussian components;     // (K, Z) each
  at::Tensor log_weights;  // (K), or of every class (C, K); −∞ for a component that is not of the class

  // (N, Z) → (N). `condition` (N), in [0, C), where there are weights of every class.
  at::Tensor log_prob(const at::Tensor& z, const at::Tensor& condition = {}) const;
  // A sample made from standard normal noise (N, 1 + Z) → (N, Z): the first chooses the component, by the rank that its
  // quantile has in the weights, the others go into it.
  at::Tensor from_noise(const at::Tensor& noise, const at::Tensor& condition = {}) const;

 private:
  at::Tensor log_weights_of(const at::Tensor& condition) const;  // (K) or (N, K)
};

// Parameters: mean, log_var (K, Z), logits (K), or (C, K) of C conditions, with w = softmax(logits) over K. It starts
// with means drawn from N(0, 1) and unit variances.
class MixturePrior final : public torch::nn::Module {
 public:
  MixturePrior(std::int64_t components, std::int64_t latent, std::int64_t conditions = 0);
  Mixture mixture() const;

 private:
  at::Tensor mean_, log_var_, logits_;
};

// Parameter: inputs (K, shape of one example). The pseudo-inputs are σ(inputs), so that they lie in [0, 1] and always
// have a gradient (the paper clamps instead). Of C conditions, C ≤ K, input k belongs to class k mod C.
class PseudoInputs final : public torch::nn::Module {
 public:
  PseudoInputs(std::int64_t components, std::vector<std::int64_t> shape, std::int64_t conditions = 0);
  at::Tensor values() const;                             // (K, …)
  at::Tensor condition() const;                          // (K) int64; undefined without conditions
  Mixture mixture_of(const Gaussian& posteriors) const;  // of the encoder's answer to them

 private:
  at::Tensor inputs_;
  std::int64_t conditions_;
};

}  // namespace vaetl::nn
