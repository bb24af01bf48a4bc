#include "vaetl/models/mobilenet_v2.hpp"

#include <ATen/ops/adaptive_avg_pool2d.h>

#include "vaetl/models/mobilenet_blocks.hpp"
#include "vaetl/models/options.hpp"
#include "vaetl/nn/initialise.hpp"

namespace vaetl::models {
namespace {

struct InvertedStage {
  std::int64_t expand, channels, blocks, stride;  // t, c, n, s of the paper's table 2
};
constexpr InvertedStage inverted_stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

// The nearest multiple of 8, at least 8, that loses no more than a tenth: the rule of the authors' code.
std::int64_t in_eighths(double channels) {
  const auto rounded = std::max<std::int64_t>(8, static_cast<std::int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + 8 : rounded;
}

}  // namespace

void MobileNetV2::Options::validate() const {
  check_image_shape(input);
  check_classes(classes);
}

MobileNetV2::MobileNetV2(const Options& o)
    : Backbone(vaetl::spec<MobileNetV2>(checked<MobileNetV2>(o)), o), options_(o) {
  initialise([](torch::nn::Module& layer) {
    nn::initialise_convolutions(layer, nn::Fan::out);
    nn::initialise_linears(layer, 0.01);
  });
  std::int64_t in = in_eighths(32 * o.width), place = 0, row = 0;
  const auto path = [&] { return "features." + std::to_string(place++); };
  const auto layer = [&] { return "layer" + std::to_string(row); };
  add("stem", path(), conv_norm_relu6({.in = o.input[0], .out = in, .stride = 2}));
  for (const InvertedStage& stage : inverted_stages) {
    ++row;
    const std::int64_t out = in_eighths(static_cast<double>(stage.channels) * o.width);
    for (std::int64_t i = 0; i < stage.blocks; ++i) {
      add(layer(), path(),
          std::make_shared<InvertedResidual>(InvertedResidualOptions{
              .in = in, .out = out, .stride = i == 0 ? stage.stride : 1, .expand = stage.expand}));
      in = out;
    }
  }
  ++row;
  const std::int64_t last = in_eighths(1280 * std::max(1.0, o.width));
  add(layer(), path(), conv_norm_relu6({.in = in, .out = last, .kernel = 1}));
  bridge([](const at::Tensor& x) { return at::adaptive_avg_pool2d(x, {1, 1}); });
  add_head("classifier.1", last, o.dropout);
}

ModelSpec MobileNetV2::classifier(std::int64_t classes) const { return with_classes<MobileNetV2>(options_, classes); }

}  // namespace vaetl::models
