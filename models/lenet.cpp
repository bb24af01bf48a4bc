#include "vaetl/models/lenet.hpp"

#include <ATen/ops/max_pool2d.h>

#include "vaetl/core/error.hpp"
#include "vaetl/models/options.hpp"

namespace vaetl::models {

nn::Size2 LeNet::Options::encoded_size() const {
  nn::Size2 size = {input[1], input[2]};
  for (std::size_t i = 0; i < channels.size(); ++i) {
    check_side("conv" + std::to_string(i + 1), kernel + 1, size, input);
    for (auto& side : size) side = (side - kernel + 1) / 2;
  }
  return size;
}

void LeNet::Options::validate() const {
  check_image_shape(input);
  check_classes(classes);
  if (channels.empty()) throw ConfigError({"channels", "at least one convolution", "none", {}});
  encoded_size();
}

LeNet::LeNet(const Options& o) : Backbone(vaetl::spec<LeNet>(checked<LeNet>(o)), o), options_(o) {
  std::int64_t in = o.input[0];
  for (std::size_t i = 0; i < o.channels.size(); ++i) {
    const std::string layer = "conv" + std::to_string(i + 1);
    add(layer, layer,
        std::make_shared<nn::Conv2d>(nn::ConvOptions{.in = in, .out = o.channels[i], .kernel = o.kernel}));
    then([](const at::Tensor& x) { return at::max_pool2d(x, {2, 2}); });
    then(nn::Activation("relu"));
    in = o.channels[i];
  }
  bridge([](const at::Tensor& x) { return x.flatten(1); });
  const auto [height, width] = o.encoded_size();
  in *= height * width;
  std::size_t number = 0;
  const auto layer = [&] { return "fc" + std::to_string(++number); };
  for (std::int64_t out : o.dense) {
    const std::string name = layer();
    add(name, name, std::make_shared<nn::Linear>(in, out));
    then(nn::Activation("relu"));
    in = out;
  }
  add_head(layer(), in);
}

ModelSpec LeNet::classifier(std::int64_t classes) const { return with_classes<LeNet>(options_, classes); }

}  // namespace vaetl::models
