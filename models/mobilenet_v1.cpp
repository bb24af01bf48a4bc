#include "vaetl/models/mobilenet_v1.hpp"

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/leaky_relu.h>

#include "vaetl/models/mobilenet_blocks.hpp"
#include "vaetl/models/options.hpp"

namespace vaetl::models {
namespace {

struct SeparableStage {
  std::string_view name;
  std::int64_t first_place;  // of a block in the stage
  std::vector<std::int64_t> channels, strides;
};

const std::vector<SeparableStage>& separable_stages() {
  static const std::vector<SeparableStage> stages = {
      {"stage1", 1, {64, 128, 128, 256, 256}, {1, 2, 1, 2, 1}},
      {"stage2", 0, {512, 512, 512, 512, 512, 512}, {2, 1, 1, 1, 1, 1}},
      {"stage3", 0, {1024, 1024}, {2, 1}},
  };
  return stages;
}

}  // namespace

void MobileNetV1::Options::validate() const {
  check_image_shape(input);
  check_classes(classes);
}

MobileNetV1::MobileNetV1(const Options& o)
    : Backbone(vaetl::spec<MobileNetV1>(checked<MobileNetV1>(o)), o), options_(o) {
  const Function activation = [slope = o.slope](at::Tensor x) { return at::leaky_relu_(x, slope); };
  std::int64_t in = scaled(32, o.width);
  const auto stem = std::make_shared<nn::Sequence>();
  add_conv_norm(*stem, {.in = o.input[0], .out = in, .stride = 2, .padding = 1}, activation);
  add("stem", "stage1.0", stem);
  for (const SeparableStage& stage : separable_stages()) {
    for (std::size_t i = 0; i < stage.channels.size(); ++i) {
      const std::int64_t out = scaled(stage.channels[i], o.width);
      const auto block = std::make_shared<nn::Sequence>();
      add_conv_norm(*block, {.in = in, .out = in, .stride = stage.strides[i], .padding = 1, .groups = in}, activation);
      add_conv_norm(*block, {.in = in, .out = out, .kernel = 1}, activation);
      const std::string name(stage.name);
      add(name, name + "." + std::to_string(stage.first_place + static_cast<std::int64_t>(i)), block);
      in = out;
    }
  }
  bridge([](const at::Tensor& x) { return at::adaptive_avg_pool2d(x, {1, 1}); });
  add_head("fc", in);
}

ModelSpec MobileNetV1::classifier(std::int64_t classes) const { return with_classes<MobileNetV1>(options_, classes); }

}  // namespace vaetl::models
