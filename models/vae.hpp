// A dense variational autoencoder (arXiv:1312.6114).
//
//   auto model = make<models::Vae>({.input = {1, 28, 28}, .widths = {400}, .latent = 20});
#pragma once
#include "vaetl/models/trunk.hpp"
#include "vaetl/models/trunk_vae.hpp"

namespace vaetl::models {

// Parameters: encoder.i.dense, latent.mean, latent.log_var, decoder.i.dense, and the prior's (nn/prior.hpp).
class Vae final : public TrunkVae {
 public:
  static constexpr std::string_view name = "vae";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, widths = {400};
    std::string activation = "relu";
    std::int64_t latent = 20;
    std::string likelihood = "bernoulli";
    double sigma = 0.1;
    std::int64_t conditions = 0;
    std::string prior = "standard";
    std::int64_t components = 100;
    nn::Insertions insert = {};
    static constexpr auto fields() { return std::tuple_cat(dense_trunk_fields<Options>(), vae_fields<Options>()); }
    void validate() const;
  };
  explicit Vae(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;  // an mlp

 private:
  Options options_;
};

}  // namespace vaetl::models
