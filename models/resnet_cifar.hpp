// The residual networks for small pictures of He et al. (arXiv:1512.03385, section 4.2): a 3 × 3 convolution, three
// stages of 16, 32 and 64 channels with n basic blocks each, global average pool; depth 6n + 2: 20, 32, 44, 56, 110.
//
//   auto model = make<models::CifarResNet>({.input = {3, 32, 32}, .depth = 20, .classes = 10});
#pragma once
#include "vaetl/models/backbone.hpp"

namespace vaetl::models {

// Parameters: conv1, bn1, layer1.0.conv1, layer1.0.bn1, …, linear, the names of the widely shared weights for CIFAR-10,
// which have the shortcut "pad". Groups: stem, layer1, layer2, layer3, head.
class CifarResNet final : public Backbone {
 public:
  static constexpr std::string_view name = "cifar_resnet";
  struct Options {
    std::vector<std::int64_t> input = {3, 32, 32};
    std::int64_t depth = 20;
    std::string shortcut = "pad";
    double width = 1;
    nn::Insertions insert = {};
    std::int64_t classes = 10;
    std::vector<std::int64_t> head = {};
    static constexpr auto fields() {
      return std::tuple_cat(
          image_field<Options>(),
          std::tuple{
              field("depth", &Options::depth, "layers with weights, 6n + 2 for n blocks a stage", between(8, 1202)),
              choice("shortcut", &Options::shortcut,
                     "where a stage widens: pad with zeros, or a convolution (options A and B of the paper)",
                     {"pad", "conv"})},
          backbone_fields<Options>());
    }
    void validate() const;
  };
  explicit CifarResNet(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;

 private:
  Options options_;
};

}  // namespace vaetl::models
