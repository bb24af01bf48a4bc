#include "vaetl/models/resnet.hpp"

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/max_pool2d.h>

#include "vaetl/core/error.hpp"
#include "vaetl/models/options.hpp"
#include "vaetl/models/resnet_blocks.hpp"
#include "vaetl/nn/initialise.hpp"

namespace vaetl::models {
namespace {

struct ResNetDepth {
  std::int64_t depth;
  bool bottleneck;
  std::array<std::int64_t, 4> blocks;  // of each stage
};
constexpr ResNetDepth resnet_depths[] = {{18, false, {2, 2, 2, 2}},
                                         {34, false, {3, 4, 6, 3}},
                                         {50, true, {3, 4, 6, 3}},
                                         {101, true, {3, 4, 23, 3}},
                                         {152, true, {3, 8, 36, 3}}};

const ResNetDepth& resnet_depth(std::int64_t depth) {
  for (const ResNetDepth& known : resnet_depths) {
    if (known.depth == depth) return known;
  }
  throw ConfigError({"depth", "18, 34, 50, 101 or 152", std::to_string(depth), "cifar_resnet has those of 6n + 2"});
}

}  // namespace

void ResNet::Options::validate() const {
  check_image_shape(input);
  check_classes(classes);
  resnet_depth(depth);
}

ResNet::ResNet(const Options& o) : Backbone(vaetl::spec<ResNet>(checked<ResNet>(o)), o), options_(o) {
  const ResNetDepth& depth = resnet_depth(o.depth);
  const bool large = o.stem == "imagenet";
  initialise([](torch::nn::Module& layer) { nn::initialise_convolutions(layer, nn::Fan::out); });
  std::int64_t width = scaled(64, o.width), in = width;
  add("stem", "conv1",
      std::make_shared<nn::Conv2d>(nn::ConvOptions{.in = o.input[0],
                                                   .out = width,
                                                   .kernel = large ? 7 : 3,
                                                   .stride = large ? 2 : 1,
                                                   .padding = large ? 3 : 1,
                                                   .bias = false}));
  add("stem", "bn1", std::make_shared<nn::BatchNorm>(width));
  then(nn::Activation("relu"));
  if (large) then([](const at::Tensor& x) { return at::max_pool2d(x, 3, 2, 1); });
  for (std::size_t stage = 0; stage < depth.blocks.size(); ++stage) {
    const std::string layer = "layer" + std::to_string(stage + 1);
    width = scaled(std::int64_t{64} << stage, o.width);
    const ResidualOptions first{.in = in, .width = width, .stride = stage == 0 ? 1 : 2, .bottleneck = depth.bottleneck};
    add(layer, layer, residual_stage(first, depth.blocks.at(stage)));
    in = first.out();
  }
  bridge([](const at::Tensor& x) { return at::adaptive_avg_pool2d(x, {1, 1}); });
  add_head("fc", in);
}

ModelSpec ResNet::classifier(std::int64_t classes) const { return with_classes<ResNet>(options_, classes); }

}  // namespace vaetl::models
