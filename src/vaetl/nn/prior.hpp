// Priors over z other than N(0, 1): mixtures of K diagonal Gaussians,
//   p(z) = Σ_k w_k N(z; mean_k, exp(log_var_k))
// whose components are parameters of their own, or the posteriors of K learned pseudo-inputs: the VampPrior
// (arXiv:1705.07120, equation 9), whose weights are all 1/K.
#pragma once
#include <torch/nn/module.h>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::nn {

inline constexpr Choices priors = {"standard", "mixture", "vamp"};

struct Mixture {
  Gaussian components;     // (K, Z) each
  at::Tensor log_weights;  // (K)

  at::Tensor log_prob(const at::Tensor& z) const;  // (N, Z) → (N)
  // A sample made from standard normal noise (N, 1 + Z) → (N, Z): the first chooses the component, by the rank that its
  // quantile has in the weights, the others go into it.
  at::Tensor from_noise(const at::Tensor& noise) const;
};

// Parameters: mean, log_var (K, Z), logits (K) with w = softmax(logits). It starts with means drawn from N(0, 1) and
// unit variances.
class MixturePrior final : public torch::nn::Module {
 public:
  MixturePrior(std::int64_t components, std::int64_t latent);
  Mixture mixture() const;

 private:
  at::Tensor mean_, log_var_, logits_;
};

// Parameter: inputs (K, shape of one example). The pseudo-inputs are σ(inputs), so that they lie in [0, 1] and always
// have a gradient (the paper clamps instead).
class PseudoInputs final : public torch::nn::Module {
 public:
  PseudoInputs(std::int64_t components, std::vector<std::int64_t> shape);
  at::Tensor values() const;                              // (K, …)
  static Mixture mixture_of(const Gaussian& posteriors);  // of the encoder's answer to them

 private:
  at::Tensor inputs_;
};

}  // namespace vaetl::nn
