#include "vaetl/nn/blocks.hpp"

#include <ATen/ops/dropout.h>
#include <ATen/ops/max_pool2d.h>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::nn {
namespace {

Activation activation_of(const AfterOptions& after) {
  return after.activation.empty() ? Activation() : Activation(after.activation);
}

// activation(norm(h)), of pictures; without a norm the activation alone.
at::Tensor after_norm(const std::shared_ptr<BatchNorm>& norm, const Activation& activation, at::Tensor h) {
  if (!norm) return activation(std::move(h));
  const auto rule = activation.derivative();
  return rule && rule->rule == kernels::Rule::relu ? norm->relu_of(h) : activation(norm->forward(h));
}

std::shared_ptr<BatchNorm> norm_of(torch::nn::Module& block, std::int64_t channels, const AfterOptions& after) {
  return after.batch_norm ? block.register_module("norm", std::make_shared<BatchNorm>(channels)) : nullptr;
}

at::Tensor halve(const at::Tensor& x) { return at::max_pool2d(x, {2, 2}); }

void check_odd(std::int64_t kernel) {
  if (kernel % 2 == 0) {
    throw ConfigError({"kernel", "an odd size, so that padding keeps the image's", std::to_string(kernel), {}});
  }
}

}  // namespace

at::Tensor Sequence::forward(const at::Tensor& x) {
  at::Tensor h = x;
  std::vector<DenseLayer> dense_layers;
  const auto run_dense = [&] {
    if (!dense_layers.empty()) h = dense(h.flatten(1), dense_layers);
    dense_layers.clear();
  };
  for (const Step& step : steps_) {
    if (auto layer = step.block ? step.block->as_dense() : std::nullopt) {
      dense_layers.push_back(std::move(*layer));
      if (Taps::wants(step.ends)) run_dense();
    } else {
      run_dense();
      h = step.run(std::move(h));
    }
    if (dense_layers.empty()) Taps::show(step.ends, h);
  }
  run_dense();
  return h;
}

DenseBlock::DenseBlock(std::int64_t in, std::int64_t out, const AfterOptions& after)
    : dense_(register_module("dense", std::make_shared<Linear>(in, out, after.spectral_norm))),
      norm_(norm_of(*this, out, after)),
      layer_norm_(after.layer_norm ? register_module("norm", std::make_shared<LayerNorm>(out)) : nullptr),
      activation_(activation_of(after)),
      dropout_(after.dropout) {}

at::Tensor DenseBlock::forward(const at::Tensor& x) {
  const at::Tensor flat = x.flatten(1);
  const auto normalised = [&](auto& norm) { return activation_(norm->forward(dense_->forward(flat))); };
  const at::Tensor h = norm_         ? normalised(norm_)
                       : layer_norm_ ? normalised(layer_norm_)
                                     : dense_->forward(flat, activation_);
  return dropout_ > 0 ? at::dropout(h, dropout_, is_training()) : h;
}

std::optional<DenseLayer> DenseBlock::as_dense() const {
  const bool drops = dropout_ > 0 && is_training();
  if (norm_ || layer_norm_ || drops) return std::nullopt;
  return dense_->layer(activation_);
}

ConvBlock::ConvBlock(const ConvBlockOptions& o, const AfterOptions& after)
    : activation_(activation_of(after)), downsample_(o.downsample) {
  check_odd(o.kernel);
  const std::int64_t stride = downsample_ == Downsample::stride ? 2 : 1;
  conv_ = register_module("conv", std::make_shared<Conv2d>(ConvOptions{.in = o.in,
                                                                       .out = o.out,
                                                                       .kernel = o.kernel,
                                                                       .stride = stride,
                                                                       .padding = (o.kernel - 1) / 2,
                                                                       .spectral_norm = after.spectral_norm}));
  norm_ = norm_of(*this, o.out, after);
}

at::Tensor ConvBlock::forward(const at::Tensor& x) {
  const auto rule = activation_.derivative();
  if (downsample_ == Downsample::max_pool && !norm_ && rule && rule->rule == kernels::Rule::relu) {
    return conv_->relu_pool(x);
  }
  at::Tensor h = conv_->forward(x);
  if (downsample_ == Downsample::stride) return after_norm(norm_, activation_, std::move(h));
  if (norm_) h = norm_->forward(h);
  return activation_.monotone() ? activation_(halve(h)) : halve(activation_(std::move(h)));
}

UpBlock::UpBlock(const UpBlockOptions& o, const AfterOptions& after) : activation_(activation_of(after)), options_(o) {
  check_odd(o.kernel);
  const ConvOptions conv{.in = o.in, .out = o.out, .kernel = o.kernel + 1, .stride = 2, .padding = (o.kernel - 1) / 2};
  const Size2 odd = {o.to[0] - 2 * o.from[0], o.to[1] - 2 * o.from[1]};
  conv_ = register_module("conv", std::make_shared<ConvTranspose2d>(conv, odd));
  norm_ = norm_of(*this, o.out, after);
}

at::Tensor UpBlock::forward(const at::Tensor& x) {
  at::Tensor h = conv_->forward(x.reshape({x.size(0), options_.in, options_.from[0], options_.from[1]}));
  return after_norm(norm_, activation_, std::move(h));
}

}  // namespace vaetl::nn
