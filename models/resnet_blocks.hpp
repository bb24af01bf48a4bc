// The residual blocks of He et al. (arXiv:1512.03385), with torchvision's names: conv1, bn1, …, downsample.
#pragma once
#include "vaetl/nn/blocks.hpp"

namespace vaetl::models {

// How the block's input reaches its sum where sizes differ: by a 1 × 1 convolution with norm (option B of the paper's
// section 4.1), or without parameters, every other pixel with channels of zeros on either side (option A).
enum class Shortcut { conv, pad };

struct ResidualOptions {
  std::int64_t in = 1, width = 1, stride = 1;
  bool bottleneck = false;
  Shortcut shortcut = Shortcut::conv;
  std::int64_t out() const { return bottleneck ? 4 * width : width; }
};

// y = relu(x' + f(x)), x' = x where sizes are equal. f is two 3 × 3 convolutions, the first of which strides; of a
// bottleneck 1 × 1, 3 × 3, 1 × 1, of which the second does. (N, in, H, W) → (N, out, ⌈H / stride⌉, ⌈W / stride⌉).
class ResidualBlock final : public nn::Block {
 public:
  explicit ResidualBlock(const ResidualOptions& options);
  at::Tensor forward(const at::Tensor& x) override;

 private:
  struct Layer {
    std::shared_ptr<nn::Conv2d> conv;
    std::shared_ptr<nn::BatchNorm> norm;
  };
  void add(nn::ConvOptions conv);
  at::Tensor shortcut(const at::Tensor& x);

  ResidualOptions options_;
  std::vector<Layer> layers_;
  std::shared_ptr<nn::Sequence> downsample_;
};

// `count` blocks, the first as described, the others from its width to its width.
std::shared_ptr<nn::Sequence> residual_stage(ResidualOptions first, std::int64_t count);

}  // namespace vaetl::models
