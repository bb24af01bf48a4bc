// A convolutional variational autoencoder (arXiv:1312.6114); its decoder gives back exactly the input's size.
//
//   auto model = make<models::ConvVae>({.input = {1, 28, 28}, .latent = 32});
#pragma once
#include "vaetl/models/trunk.hpp"
#include "vaetl/models/trunk_vae.hpp"

namespace vaetl::models {

// Parameters: encoder.i.conv, encoder.i.dense, latent.mean, latent.log_var, decoder.i.dense, decoder.i.conv, and .norm;
// the prior's as in nn/prior.hpp.
class ConvVae final : public TrunkVae {
 public:
  static constexpr std::string_view name = "conv_vae";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, channels = {32, 64};
    std::int64_t kernel = 3;
    std::string downsample = "max_pool";
    std::vector<std::int64_t> dense = {256};
    std::string activation = "relu";
    bool batch_norm = false;
    std::int64_t latent = 32;
    std::string likelihood = "bernoulli";
    double sigma = 0.1;
    std::int64_t conditions = 0;
    std::string prior = "standard";
    std::int64_t components = 100;
    nn::Insertions insert = {};
    static constexpr auto fields() { return std::tuple_cat(conv_trunk_fields<Options>(), vae_fields<Options>()); }
    void validate() const;
  };
  explicit ConvVae(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;  // a cnn

 private:
  Options options_;
};

}  // namespace vaetl::models
