// A multilayer perceptron over the flattened input; without widths it is multinomial logistic regression.
//
//   auto model = make<models::Mlp>({.input = {1, 28, 28}, .widths = {256, 128}, .classes = 10});
//   auto price = make<models::Mlp>({.input = {13}, .widths = {64}, .classes = 0, .outputs = 1});
#pragma once
#include "vaetl/models/trunk.hpp"
#include "vaetl/models/trunk_classifier.hpp"

namespace vaetl::models {

// Parameters: encoder.i.dense, encoder.i.norm, head.
class Mlp final : public TrunkClassifier {
 public:
  static constexpr std::string_view name = "mlp";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, widths = {256, 128};
    std::string activation = "relu";
    double dropout = 0;
    bool batch_norm = false, layer_norm = false;
    std::optional<Code> code = {};
    std::int64_t classes = 10, outputs = 0;
    nn::Insertions insert = {};
    std::vector<std::int64_t> head = {};
    static constexpr auto fields() {
      return std::tuple_cat(
          dense_trunk_fields<Options>(),
          std::tuple{field("dropout", &Options::dropout, "share of values dropped after every block", between(0, 0.99)),
                     field("batch_norm", &Options::batch_norm, "normalise every block over the batch"),
                     field("layer_norm", &Options::layer_norm, "normalise every block over its units"),
                     field("code", &Options::code, "a last block as an autoencoder's: {\"size\": …}; none by default"),
                     field("classes", &Options::classes, "number of classes; 0: values or features alone",
                           between(0, 1000000)),
                     field("outputs", &Options::outputs, "number of values to predict; then classes is 0",
                           between(0, 1000000))},
          head_field<Options>());
    }
    void validate() const;
  };
  explicit Mlp(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;

 private:
  Options options_;
};

}  // namespace vaetl::models
