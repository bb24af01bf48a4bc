// MobileNet (Howard et al., arXiv:1704.04861, table 1): convolutions that are each split into one a channel and one
// a pixel. With the width 0.25 and the slope 0.1 it is the network whose weights for ImageNet are shared as the
// backbone of face detectors; the paper has the slope 0.
//
//   auto model = make<models::MobileNetV1>({.input = {3, 224, 224}, .width = 0.25, .classes = 1000});
#pragma once
#include "vaetl/models/backbone.hpp"

namespace vaetl::models {

// Parameters: stage1.0.0 (convolution), stage1.0.1 (norm), stage1.1.0, stage1.1.1, stage1.1.3, stage1.1.4, …, fc.
// Groups: stem, stage1, stage2, stage3, head. The picture is halved five times.
class MobileNetV1 final : public Backbone {
 public:
  static constexpr std::string_view name = "mobilenet_v1";
  struct Options {
    std::vector<std::int64_t> input = {3, 32, 32};
    double slope = 0.1, width = 1;
    nn::Insertions insert = {};
    std::int64_t classes = 10;
    std::vector<std::int64_t> head = {};
    static constexpr auto fields() {
      return std::tuple_cat(
          image_field<Options>(),
          std::tuple{field("slope", &Options::slope, "of the activation (leaky relu) below 0; 0: relu", between(0, 1))},
          backbone_fields<Options>());
    }
    void validate() const;
  };
  explicit MobileNetV1(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;

 private:
  Options options_;
};

}  // namespace vaetl::models
