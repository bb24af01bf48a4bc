// Leaf layers with PyTorch's parameter names, shapes and default initialisation, so that weights travel both ways.
// Constructors draw from the default generator; a layer too large to be meant is a ConfigError. Linear and the
// convolutions compute with what an adapter makes of their weight (nn/adapter.hpp).
#pragma once
#include <torch/nn/module.h>

#include <array>
#include <memory>
#include <optional>

#include "vaetl/nn/adaptable.hpp"
#include "vaetl/nn/fused.hpp"

namespace vaetl::nn {

class SpectralNorm;

// y = x Wᵀ + b; x (N, in) → (N, out). Initialised as torch.nn.Linear: both U(−1/√in, 1/√in). With spectral_norm it
// computes with W / σ(W), and W is called weight_orig (nn/spectral_norm.hpp).
class Linear final : public torch::nn::Module, public Adaptable {
 public:
  Linear(std::int64_t in, std::int64_t out, bool spectral_norm = false);
  at::Tensor forward(const at::Tensor& x, const Activation& activation = {});  // activation(y), cheaper than apart
  // What that computes; none where an adapter changes y.
  std::optional<DenseLayer> layer(const Activation& activation) const;
  LayerMaps maps() const override;
  at::Tensor weight, bias;  // (out, in), (out)

 private:
  DenseLayer affine(const Activation& activation) const;
  std::shared_ptr<SpectralNorm> spectral_norm_;
};

// ids (…) int64 in [0, count) → (…, size), the rows of its weight. Initialised as torch.nn.Embedding: N(0, 1).
class Embedding final : public torch::nn::Module {
 public:
  Embedding(std::int64_t count, std::int64_t size, bool spectral_norm = false);
  at::Tensor forward(const at::Tensor& ids);
  at::Tensor weight;  // (count, size)

 private:
  std::shared_ptr<SpectralNorm> spectral_norm_;
};

struct ConvOptions {
  std::int64_t in = 1, out = 1, kernel = 3, stride = 1, padding = 0;
  std::int64_t groups = 1;     // channels are convolved in so many groups that see nothing of each other; in: depthwise
  bool bias = true;            // without one `bias` is an undefined tensor
  bool spectral_norm = false;  // as of Linear; a ConvTranspose2d has none
};
// Cross-correlation, (N, in, H, W) → (N, out, H', W'), H' = ⌊(H + 2 padding − kernel) / stride⌋ + 1. Its result lies in
// memory channel by channel for each pixel (channels last), where convolution and pooling run about twice as fast on a
// CPU.
class Conv2d final : public torch::nn::Module, public Adaptable {
 public:
  explicit Conv2d(ConvOptions options);
  at::Tensor forward(const at::Tensor& x);
  LayerMaps maps() const override;
  // max pooling by 2 × 2 of relu of it, cheaper than apart (nn/fused.hpp). Of a layer that keeps the size, with a bias
  // and one group.
  at::Tensor relu_pool(const at::Tensor& x);
  at::Tensor weight, bias;  // (out, in / groups, kernel, kernel), (out)

 private:
  LinearMap map() const;
  ConvOptions options_;
  std::shared_ptr<SpectralNorm> spectral_norm_;
};
// Its transpose: H' = (H − 1) stride − 2 padding + kernel + output_padding, with an output_padding for each of H and W.
class ConvTranspose2d final : public torch::nn::Module, public Adaptable {
 public:
  explicit ConvTranspose2d(ConvOptions options, std::array<std::int64_t, 2> output_padding = {0, 0});
  at::Tensor forward(const at::Tensor& x);
  LayerMaps maps() const override;
  at::Tensor weight, bias;  // (in, out / groups, kernel, kernel), (out)

 private:
  ConvOptions options_;
  std::array<std::int64_t, 2> output_padding_;
};

// Batch normalisation over N (and H, W): training uses the batch's statistics and updates the running ones with
// momentum 0.1 (not under KeepStatistics, nn/statistics.hpp); evaluation uses the running ones (arXiv:1502.03167).
// Training on a single value a channel is a DataError.
class BatchNorm final : public torch::nn::Module {
 public:
  explicit BatchNorm(std::int64_t channels);
  at::Tensor forward(const at::Tensor& x);  // (N, C) or (N, C, H, W)
  // relu(forward(x) + plus), (N, C, H, W) both; plus may be undefined.
  at::Tensor relu_of(const at::Tensor& x, const at::Tensor& plus = {});
  at::Tensor weight, bias, running_mean, running_var, num_batches_tracked;

 private:
  NormParameters in_training(const at::Tensor& x);
};

// Layer normalisation of the features of each example alone, in training as in evaluation (arXiv:1607.06450).
class LayerNorm final : public torch::nn::Module {
 public:
  explicit LayerNorm(std::int64_t features);
  at::Tensor forward(const at::Tensor& x);  // (…, features)
  at::Tensor weight, bias;
};

}  // namespace vaetl::nn
