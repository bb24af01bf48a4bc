// Residual networks for pictures (He et al., arXiv:1512.03385, table 1) as torchvision has them: with the depths 18,
// 34, 50, 101, 152 its resnet18 … resnet152 by name, shape and initial values.
//
//   auto model = make<models::ResNet>({.input = {3, 224, 224}, .depth = 50, .classes = 1000});
#pragma once
#include "vaetl/models/backbone.hpp"

namespace vaetl::models {

// Parameters: conv1, bn1, layer1.0.conv1, layer1.0.bn1, …, layer2.0.downsample.0, …, fc. Groups: stem, layer1, …,
// layer4, head. The stem "cifar" (3 × 3, stride 1, no pool) keeps the resolution of small pictures.
class ResNet final : public Backbone {
 public:
  static constexpr std::string_view name = "resnet";
  struct Options {
    std::vector<std::int64_t> input = {3, 32, 32};
    std::int64_t depth = 18;
    std::string stem = "imagenet";
    double width = 1;
    nn::Insertions insert = {};
    std::int64_t classes = 10;
    std::vector<std::int64_t> head = {};
    static constexpr auto fields() {
      return std::tuple_cat(
          image_field<Options>(),
          std::tuple{field("depth", &Options::depth, "layers with weights: 18, 34, 50, 101 or 152"),
                     choice("stem", &Options::stem, "imagenet: 7 × 7 of stride 2 and a pool; cifar: 3 × 3 of stride 1",
                            {"imagenet", "cifar"})},
          backbone_fields<Options>());
    }
    void validate() const;
  };
  explicit ResNet(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;

 private:
  Options options_;
};

}  // namespace vaetl::models
