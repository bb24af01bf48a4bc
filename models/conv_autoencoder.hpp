// A convolutional autoencoder; its decoder gives back exactly the input's size.
//
//   auto model = make<models::ConvAutoencoder>({.channels = {16, 32}, .latent = 32});
#pragma once
#include "vaetl/models/trunk.hpp"
#include "vaetl/models/trunk_autoencoder.hpp"

namespace vaetl::models {

// Parameters: encoder.i.conv, encoder.i.dense, of which the last makes the code, decoder.i.dense, decoder.i.conv, and
// .norm.
class ConvAutoencoder final : public TrunkAutoencoder {
 public:
  static constexpr std::string_view name = "conv_autoencoder";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, channels = {32, 64};
    std::int64_t kernel = 3;
    std::string downsample = "max_pool";
    std::vector<std::int64_t> dense = {};
    std::string activation = "relu";
    bool batch_norm = false;
    std::int64_t latent = 32;
    std::string code_activation = "identity";
    bool code_batch_norm = false;
    std::int64_t top_k = 0;
    double top_k_factor = 1;
    std::string output = "sigmoid";
    nn::Insertions insert = {};
    static constexpr auto fields() { return std::tuple_cat(conv_trunk_fields<Options>(), code_fields<Options>()); }
    void validate() const;
  };
  explicit ConvAutoencoder(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;  // a cnn with the same code

 private:
  Options options_;
};

}  // namespace vaetl::models
