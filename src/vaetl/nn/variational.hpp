// What objectives and metrics compute of a variational model.
#pragma once
#include "vaetl/nn/capabilities.hpp"

namespace vaetl {

// (N, Z): ½ (mean² + exp(log_var) − 1 − log_var), whose sum over Z is Gaussian::kl_to_standard().
at::Tensor kl_by_dimension(const Gaussian& q);

// KL(q ‖ p) (N): in closed form where the model's prior is N(0, 1), else log q(z|x) − log p(z) of the samples z (N, Z).
// Here and below p(z) is p(z | condition) where the model is conditional.
at::Tensor kl_to_prior(Variational& model, const Gaussian& q, const at::Tensor& z, const at::Tensor& condition);

// log w = log p(x|z) + log p(z) − log q(z|x) (S, N) of S samples each, z = mean + exp(½ log_var) noise, noise (S, N,
// Z), all decoded in one pass (arXiv:1509.00519, equation 8). `condition` and `lengths` (N) may be undefined. The mean
// of w estimates p(x).
at::Tensor log_weights(Variational& model, const Gaussian& q, const at::Tensor& noise, const at::Tensor& x,
                       const at::Tensor& condition, const at::Tensor& lengths = {});

}  // namespace vaetl
