// What MobileNets are made of.
#pragma once
#include "vaetl/nn/blocks.hpp"

namespace vaetl::models {

// Appends a convolution without bias, its norm and, where there is one, an activation: two or three places.
void add_conv_norm(nn::Sequence& sequence, nn::ConvOptions conv, const nn::Sequence::Function& activation = {});

struct InvertedResidualOptions {
  std::int64_t in = 1, out = 1, stride = 1, expand = 6;  // hidden channels = expand · in
};
// Expand to the hidden channels, filter each, project back without activation; the input is added where sizes are equal
// (Sandler et al., arXiv:1801.04381, figure 4 (d)). Names are torchvision's: conv.0.0, conv.0.1, …, conv.2, conv.3.
// (N, in, H, W) → (N, out, ⌈H / stride⌉, ⌈W / stride⌉).
class InvertedResidual final : public nn::Block {
 public:
  explicit InvertedResidual(const InvertedResidualOptions& options);
  at::Tensor forward(const at::Tensor& x) override;

 private:
  bool adds_input_;
  std::shared_ptr<nn::Sequence> conv_;
};

// A convolution of odd kernel, its norm and relu6, under the names 0 and 1.
std::shared_ptr<nn::Sequence> conv_norm_relu6(nn::ConvOptions conv);

}  // namespace vaetl::models
