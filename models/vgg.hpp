// VGG (Simonyan and Zisserman, arXiv:1409.1556, table 1) as torchvision has it: with the depths 11, 13, 16, 19 its
// vgg11 … vgg19, with batch_norm its vgg11_bn … vgg19_bn by name, shape and initial values.
//
//   auto model = make<models::Vgg>({.input = {3, 224, 224}, .depth = 16, .batch_norm = true, .classes = 1000});
#pragma once
#include "vaetl/models/backbone.hpp"

namespace vaetl::models {

// Five stages of 3 × 3 convolutions, each closed by a 2 × 2 max pool; the mean over a 7 × 7 grid; two dense layers,
// whose result are the features. Parameters: features.0, features.3, …, classifier.0, classifier.3, classifier.6.
// Groups: layer1, …, layer5, fc1, fc2, head.
class Vgg final : public Backbone {
 public:
  static constexpr std::string_view name = "vgg";
  struct Options {
    std::vector<std::int64_t> input = {3, 32, 32};
    std::int64_t depth = 11;
    bool batch_norm = false;
    double dropout = 0.5, width = 1;
    nn::Insertions insert = {};
    std::int64_t classes = 10;
    std::vector<std::int64_t> head = {};
    static constexpr auto fields() {
      return std::tuple_cat(
          image_field<Options>(),
          std::tuple{field("depth", &Options::depth, "layers with weights: 11, 13, 16 or 19"),
                     field("batch_norm", &Options::batch_norm, "normalise every convolution over the batch"),
                     field("dropout", &Options::dropout, "share of values dropped after either dense layer",
                           between(0, 0.99))},
          backbone_fields<Options>());
    }
    void validate() const;
  };
  explicit Vgg(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;

 private:
  std::int64_t add_stages();  // the channels of the last
  const nn::Linear* add_dense(const std::string& group, const std::string& path, std::int64_t in, std::int64_t out);
  Options options_;
};

}  // namespace vaetl::models
