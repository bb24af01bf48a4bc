#include "vaetl/models/resnet_cifar.hpp"

#include <ATen/ops/adaptive_avg_pool2d.h>

#include "vaetl/core/error.hpp"
#include "vaetl/models/options.hpp"
#include "vaetl/models/resnet_blocks.hpp"
#include "vaetl/nn/initialise.hpp"

namespace vaetl::models {

void CifarResNet::Options::validate() const {
  check_image_shape(input);
  check_classes(classes);
  if (depth % 6 != 2) {
    throw ConfigError({"depth", "6n + 2 (20, 32, 44, 56, …)", std::to_string(depth), "resnet has 18, 34, 50 and more"});
  }
}

CifarResNet::CifarResNet(const Options& o)
    : Backbone(vaetl::spec<CifarResNet>(checked<CifarResNet>(o)), o), options_(o) {
  const Shortcut shortcut = o.shortcut == "pad" ? Shortcut::pad : Shortcut::conv;
  initialise([](torch::nn::Module& layer) { nn::initialise_convolutions(layer, nn::Fan::in); });
  std::int64_t in = scaled(16, o.width);
  add("stem", "conv1",
      std::make_shared<nn::Conv2d>(nn::ConvOptions{.in = o.input[0], .out = in, .padding = 1, .bias = false}));
  add("stem", "bn1", std::make_shared<nn::BatchNorm>(in));
  then(nn::Activation("relu"));
  for (int stage = 0; stage < 3; ++stage) {
    const std::string layer = "layer" + std::to_string(stage + 1);
    const ResidualOptions first{.in = in,
                                .width = scaled(std::int64_t{16} << stage, o.width),
                                .stride = stage == 0 ? 1 : 2,
                                .shortcut = shortcut};
    add(layer, layer, residual_stage(first, (o.depth - 2) / 6));
    in = first.out();
  }
  bridge([](const at::Tensor& x) { return at::adaptive_avg_pool2d(x, {1, 1}); });
  add_head("linear", in);
}

ModelSpec CifarResNet::classifier(std::int64_t classes) const { return with_classes<CifarResNet>(options_, classes); }

}  // namespace vaetl::models
