// MobileNetV2 (Sandler et al., arXiv:1801.04381, table 2) as torchvision has it: its mobilenet_v2 by name, shape and
// initial values, and with `width` its width_mult.
//
//   auto model = make<models::MobileNetV2>({.input = {3, 224, 224}, .classes = 1000});
#pragma once
#include "vaetl/models/backbone.hpp"

namespace vaetl::models {

// Parameters: features.0.0, features.0.1, features.1.conv.0.0, …, features.18.0, classifier.1. Groups: stem, layer1, …,
// layer7 (the rows of the paper's table), layer8 (the last convolution), head. The picture is halved five times.
class MobileNetV2 final : public Backbone {
 public:
  static constexpr std::string_view name = "mobilenet_v2";
  struct Options {
    std::vector<std::int64_t> input = {3, 32, 32};
    double dropout = 0.2, width = 1;
    nn::Insertions insert = {};
    std::int64_t classes = 10;
    std::vector<std::int64_t> head = {};
    static constexpr auto fields() {
      return std::tuple_cat(image_field<Options>(),
                            std::tuple{field("dropout", &Options::dropout, "share of features dropped before the head",
                                             between(0, 0.99))},
                            backbone_fields<Options>());
    }
    void validate() const;
  };
  explicit MobileNetV2(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;

 private:
  Options options_;
};

}  // namespace vaetl::models
