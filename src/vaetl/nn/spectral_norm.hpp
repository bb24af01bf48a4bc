// Spectral normalisation: a layer computes with W / σ(W), where σ is the largest singular value of the weight as a
// matrix (out, rest), so that the layer's Lipschitz constant is 1:
//   v ← Wᵀu / ‖Wᵀu‖,  u ← Wv / ‖Wv‖,  σ = uᵀ W v
// arXiv:1802.05957, equation 8 and algorithm 1. Parameter and buffers are named as by torch.nn.utils.spectral_norm:
// weight_orig, weight_u, weight_v. In training each forward pass makes one step of the power iteration (none under
// KeepStatistics); evaluation makes none.
#pragma once
#include <torch/nn/module.h>

namespace vaetl::nn {

class SpectralNorm {
 public:
  // Registers the parameter and the buffers in `layer`; draws u and v from the default generator.
  SpectralNorm(torch::nn::Module& layer, const at::Tensor& weight);
  at::Tensor weight(bool training) const;  // W / σ, with the gradient through σ

 private:
  at::Tensor original_, u_, v_;
};

}  // namespace vaetl::nn
