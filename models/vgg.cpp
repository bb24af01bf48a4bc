#include "vaetl/models/vgg.hpp"

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/max_pool2d.h>

#include "vaetl/core/error.hpp"
#include "vaetl/models/options.hpp"
#include "vaetl/nn/initialise.hpp"

namespace vaetl::models {
namespace {

struct VggDepth {
  std::int64_t depth;
  std::array<std::int64_t, 5> convolutions;  // of each stage
};
constexpr VggDepth vgg_depths[] = {
    {11, {1, 1, 2, 2, 2}}, {13, {2, 2, 2, 2, 2}}, {16, {2, 2, 3, 3, 3}}, {19, {2, 2, 4, 4, 4}}};
constexpr std::array<std::int64_t, 5> vgg_channels = {64, 128, 256, 512, 512};
constexpr std::int64_t vgg_grid = 7, vgg_dense = 4096;

const VggDepth& vgg_depth(std::int64_t depth) {
  for (const VggDepth& known : vgg_depths) {
    if (known.depth == depth) return known;
  }
  throw ConfigError({"depth", "11, 13, 16 or 19", std::to_string(depth), {}});
}

}  // namespace

void Vgg::Options::validate() const {
  check_image_shape(input);
  check_classes(classes);
  vgg_depth(depth);
  nn::Size2 side = {input[1], input[2]};
  for (std::size_t stage = 1; stage <= vgg_channels.size(); ++stage) {
    check_side("layer" + std::to_string(stage), 2, side, input);
    side = {side[0] / 2, side[1] / 2};
  }
}

Vgg::Vgg(const Options& o) : Backbone(vaetl::spec<Vgg>(checked<Vgg>(o)), o), options_(o) {
  initialise([](torch::nn::Module& layer) {
    nn::initialise_convolutions(layer, nn::Fan::out);
    nn::initialise_linears(layer, 0.01);
  });
  const std::int64_t channels = add_stages(), width = scaled(vgg_dense, o.width);
  bridge([](const at::Tensor& x) { return at::adaptive_avg_pool2d(x, {vgg_grid, vgg_grid}).flatten(1); });
  const auto* fc1 = add_dense("fc1", "classifier.0", channels * vgg_grid * vgg_grid, width);
  then([fc1, p = o.dropout](const at::Tensor& x) { return p > 0 ? at::dropout(x, p, fc1->is_training()) : x; });
  add_dense("fc2", "classifier.3", width, width);
  add_head("classifier.6", width, o.dropout);
}

std::int64_t Vgg::add_stages() {
  const VggDepth& depth = vgg_depth(options_.depth);
  std::int64_t in = options_.input[0];
  std::size_t place = 0;  // in torchvision's sequence, where activations and pools take one too
  for (std::size_t stage = 0; stage < vgg_channels.size(); ++stage) {
    const std::string layer = "layer" + std::to_string(stage + 1);
    for (std::int64_t i = 0; i < depth.convolutions.at(stage); ++i) {
      const std::int64_t out = scaled(vgg_channels.at(stage), options_.width);
      const auto path = [&] { return "features." + std::to_string(place++); };
      add(layer, path(), std::make_shared<nn::Conv2d>(nn::ConvOptions{.in = in, .out = out, .padding = 1}));
      if (options_.batch_norm) add(layer, path(), std::make_shared<nn::BatchNorm>(out));
      then(nn::Activation("relu"));
      ++place;
      in = out;
    }
    then([](const at::Tensor& x) { return at::max_pool2d(x, {2, 2}); });
    ++place;
  }
  return in;
}

const nn::Linear* Vgg::add_dense(const std::string& group, const std::string& path, std::int64_t in, std::int64_t out) {
  const auto layer = std::make_shared<nn::Linear>(in, out);
  add(group, path, layer);
  then(nn::Activation("relu"));
  return layer.get();
}

ModelSpec Vgg::classifier(std::int64_t classes) const { return with_classes<Vgg>(options_, classes); }

}  // namespace vaetl::models
