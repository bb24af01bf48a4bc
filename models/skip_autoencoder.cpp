#include "vaetl/models/skip_autoencoder.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/models/options.hpp"
#include "vaetl/models/trunk_groups.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::models {
namespace {

// A convolution that keeps the size, and an activation.
class LevelConv final : public nn::Block {
 public:
  LevelConv(std::int64_t in, std::int64_t out, std::int64_t kernel, const nn::Activation& activation)
      : conv_(register_module("conv", std::make_shared<nn::Conv2d>(nn::ConvOptions{
                                          .in = in, .out = out, .kernel = kernel, .padding = (kernel - 1) / 2}))),
        activation_(activation) {}
  at::Tensor forward(const at::Tensor& x) override { return activation_(conv_->forward(x)); }

 private:
  std::shared_ptr<nn::Conv2d> conv_;
  nn::Activation activation_;
};

// H, W at each size, the largest first.
std::vector<nn::Size2> picture_sizes(const SkipAutoencoder::Options& o) {
  std::vector<nn::Size2> result = {{o.input[1], o.input[2]}};
  while (result.size() < o.channels.size()) result.push_back({result.back()[0] / 2, result.back()[1] / 2});
  return result;
}

}  // namespace

// Doubles the picture, adds what the encoder saw at that size, and looks at both.
class DoublingStep final : public torch::nn::Module {
 public:
  DoublingStep(const nn::UpBlockOptions& up, const std::string& activation)
      : up_(register_module("up", std::make_shared<nn::UpBlock>(up, nn::AfterOptions{.activation = activation}))),
        merge_(register_module("merge",
                               std::make_shared<LevelConv>(up.out, up.out, up.kernel, nn::Activation(activation)))) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& seen) { return merge_->forward(up_->forward(x) + seen); }

 private:
  std::shared_ptr<nn::UpBlock> up_;
  std::shared_ptr<nn::Block> merge_;
};

void SkipAutoencoder::Options::validate() const {
  check_image_shape(input);
  if (channels.empty()) throw ConfigError({"channels", "at least one number", "none", {}});
  if (kernel % 2 == 0) {
    throw ConfigError({"kernel", "an odd size, so that padding keeps the image's", std::to_string(kernel), {}});
  }
  const nn::Size2 least = picture_sizes(*this).back();
  if (std::min(least[0], least[1]) >= 1) return;
  throw ConfigError({"input", fmt::format("pictures that can be halved {} times", channels.size() - 1),
                     fmt::format("{} × {}", input[1], input[2]), "give fewer channels"});
}

SkipAutoencoder::SkipAutoencoder(const Options& options)
    : Model(vaetl::spec<SkipAutoencoder>(checked<SkipAutoencoder>(options))), input_(options.input) {
  const auto& c = options.channels;
  const auto sizes = picture_sizes(options);
  const auto encoder = register_module("encoder", std::make_shared<torch::nn::Module>());
  const auto decoder = register_module("decoder", std::make_shared<torch::nn::Module>());
  encoder_.push_back(std::make_shared<LevelConv>(input_[0], c[0], options.kernel, nn::Activation(options.activation)));
  for (std::size_t i = 1; i < c.size(); ++i) {
    encoder_.push_back(
        std::make_shared<nn::ConvBlock>(nn::ConvBlockOptions{.in = c[i - 1], .out = c[i], .kernel = options.kernel},
                                        nn::AfterOptions{.activation = options.activation}));
  }
  for (std::size_t i = c.size() - 1; i > 0; --i) {
    const nn::UpBlockOptions up{
        .in = c[i], .out = c[i - 1], .kernel = options.kernel, .from = sizes[i], .to = sizes[i - 1]};
    decoder_.push_back(std::make_shared<DoublingStep>(up, options.activation));
  }
  correction_ = std::make_shared<LevelConv>(c[0], input_[0], options.kernel, nn::Activation());
  for (std::size_t i = 0; i < encoder_.size(); ++i) encoder->register_module(std::to_string(i), encoder_[i]);
  for (std::size_t i = 0; i < decoder_.size(); ++i) decoder->register_module(std::to_string(i), decoder_[i]);
  decoder->register_module(std::to_string(decoder_.size()), correction_);
}

std::vector<LayerGroup> SkipAutoencoder::layer_groups() const {
  std::vector<LayerGroup> groups;
  const auto add = [&](const std::string& half, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string path = half + "." + std::to_string(i);
      groups.push_back({path, {path}});
    }
  };
  add("encoder", encoder_.size());
  add("decoder", decoder_.size() + 1);
  return groups;
}

Signature SkipAutoencoder::signature() const { return unit_signature(input_); }

at::Tensor SkipAutoencoder::restore(const Fields& fields) {
  const at::Tensor& x = checked_input(*this, fields);
  std::vector<at::Tensor> seen;
  for (const auto& block : encoder_) seen.push_back(nn::shown(*block, seen.empty() ? x : seen.back()));
  at::Tensor h = seen.back();
  for (std::size_t i = 0; i < decoder_.size(); ++i) {
    h = decoder_[i]->forward(h, seen[seen.size() - 2 - i]);
    nn::Taps::show(decoder_[i].get(), h);
  }
  return x + nn::shown(*correction_, h);
}

}  // namespace vaetl::models
