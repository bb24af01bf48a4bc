#include "vaetl/models/resnet_blocks.hpp"

#include <ATen/ops/constant_pad_nd.h>

namespace vaetl::models {

ResidualBlock::ResidualBlock(const ResidualOptions& o) : options_(o) {
  const std::int64_t w = o.width;
  if (o.bottleneck) {
    add({.in = o.in, .out = w, .kernel = 1});
    add({.in = w, .out = w, .stride = o.stride, .padding = 1});
    add({.in = w, .out = o.out(), .kernel = 1});
  } else {
    add({.in = o.in, .out = w, .stride = o.stride, .padding = 1});
    add({.in = w, .out = w, .padding = 1});
  }
  if ((o.stride == 1 && o.in == o.out()) || o.shortcut == Shortcut::pad) return;
  downsample_ = std::make_shared<nn::Sequence>();
  downsample_->add(std::make_shared<nn::Conv2d>(
      nn::ConvOptions{.in = o.in, .out = o.out(), .kernel = 1, .stride = o.stride, .bias = false}));
  downsample_->add(std::make_shared<nn::BatchNorm>(o.out()));
  register_module("downsample", downsample_);
}

void ResidualBlock::add(nn::ConvOptions conv) {
  conv.bias = false;
  const std::string number = std::to_string(layers_.size() + 1);
  layers_.push_back({register_module("conv" + number, std::make_shared<nn::Conv2d>(conv)),
                     register_module("bn" + number, std::make_shared<nn::BatchNorm>(conv.out))});
}

at::Tensor ResidualBlock::shortcut(const at::Tensor& x) {
  if (downsample_) return downsample_->forward(x);
  const std::int64_t more = options_.out() - options_.in, before = more / 2;
  if (options_.stride == 1 && more == 0) return x;
  const at::Tensor pixels = x.slice(2, 0, {}, options_.stride).slice(3, 0, {}, options_.stride);
  return at::constant_pad_nd(pixels, {0, 0, 0, 0, before, more - before});
}

at::Tensor ResidualBlock::forward(const at::Tensor& x) {
  at::Tensor h = x;
  for (const Layer& layer : layers_) {
    const bool last = &layer == &layers_.back();
    h = layer.norm->relu_of(layer.conv->forward(h), last ? shortcut(x) : at::Tensor());
  }
  return h;
}

std::shared_ptr<nn::Sequence> residual_stage(ResidualOptions first, std::int64_t count) {
  auto stage = std::make_shared<nn::Sequence>();
  ResidualOptions next = first;
  next.in = first.out();
  next.stride = 1;
  for (std::int64_t i = 0; i < count; ++i) stage->add(std::make_shared<ResidualBlock>(i == 0 ? first : next));
  return stage;
}

}  // namespace vaetl::models
