#include "vaetl/models/mobilenet_blocks.hpp"

#include <ATen/ops/hardtanh.h>

namespace vaetl::models {

void add_conv_norm(nn::Sequence& sequence, nn::ConvOptions conv, const nn::Sequence::Function& activation) {
  conv.bias = false;
  sequence.add(std::make_shared<nn::Conv2d>(conv));
  sequence.add(std::make_shared<nn::BatchNorm>(conv.out));
  if (activation) sequence.add(activation);
}

std::shared_ptr<nn::Sequence> conv_norm_relu6(nn::ConvOptions conv) {
  conv.padding = (conv.kernel - 1) / 2;
  auto sequence = std::make_shared<nn::Sequence>();
  add_conv_norm(*sequence, conv, [](at::Tensor x) { return at::hardtanh_(x, 0, 6); });
  return sequence;
}

InvertedResidual::InvertedResidual(const InvertedResidualOptions& o)
    : adds_input_(o.stride == 1 && o.in == o.out), conv_(register_module("conv", std::make_shared<nn::Sequence>())) {
  const std::int64_t hidden = o.expand * o.in;
  if (o.expand != 1) conv_->add(conv_norm_relu6({.in = o.in, .out = hidden, .kernel = 1}));
  conv_->add(conv_norm_relu6({.in = hidden, .out = hidden, .stride = o.stride, .groups = hidden}));
  add_conv_norm(*conv_, {.in = hidden, .out = o.out, .kernel = 1});
}

at::Tensor InvertedResidual::forward(const at::Tensor& x) {
  at::Tensor h = conv_->forward(x);
  if (adds_input_) h += x;
  return h;
}

}  // namespace vaetl::models
