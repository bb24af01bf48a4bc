// A convolutional network: blocks that each halve the image, dense blocks, a linear head.
//
//   auto model = make<models::Cnn>({.input = {1, 28, 28}, .channels = {32, 64}, .dense = {256}, .classes = 10});
#pragma once
#include "vaetl/models/trunk.hpp"
#include "vaetl/models/trunk_classifier.hpp"

namespace vaetl::models {

// Parameters: encoder.i.conv, encoder.i.norm, encoder.i.dense, head.
class Cnn final : public TrunkClassifier {
 public:
  static constexpr std::string_view name = "cnn";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, channels = {32, 64};
    std::int64_t kernel = 3;
    std::string downsample = "max_pool";
    std::vector<std::int64_t> dense = {256};
    std::string activation = "relu";
    bool batch_norm = false;
    std::optional<Code> code = {};
    double dropout = 0;
    std::int64_t classes = 10;
    nn::Insertions insert = {};
    std::vector<std::int64_t> head = {};
    static constexpr auto fields() {
      return std::tuple_cat(
          conv_trunk_fields<Options>(),
          std::tuple{field("code", &Options::code, "a last block as an autoencoder's: {\"size\": …}; none by default"),
                     field("dropout", &Options::dropout, "share of features dropped before the head", between(0, 0.99)),
                     field("classes", &Options::classes, "number of classes; 0: features alone", between(0, 1000000))},
          head_field<Options>());
    }
    void validate() const;
  };
  explicit Cnn(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;

 private:
  Options options_;
};

}  // namespace vaetl::models
