// A dense autoencoder: x → code → x, any widths. The classic 784-64-32-32-64-784 encodes 784-64-32 with a sigmoid code
// and decodes 32-64-784.
//
//   auto model = make<models::Autoencoder>({.widths = {64}, .latent = 32, .code_activation = "sigmoid"});
#pragma once
#include "vaetl/models/trunk.hpp"
#include "vaetl/models/trunk_autoencoder.hpp"

namespace vaetl::models {

// Parameters: encoder.i.dense, of which the last makes the code, decoder.i.dense, and .norm.
class Autoencoder final : public TrunkAutoencoder {
 public:
  static constexpr std::string_view name = "autoencoder";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, widths = {64};
    std::string activation = "relu";
    bool batch_norm = false;
    std::int64_t latent = 32;
    std::string code_activation = "identity";
    bool code_batch_norm = false;
    std::int64_t top_k = 0;
    double top_k_factor = 1;
    std::string output = "sigmoid";
    nn::Insertions insert = {};
    static constexpr auto fields() {
      return std::tuple_cat(
          dense_trunk_fields<Options>(),
          std::tuple{field("batch_norm", &Options::batch_norm, "normalise every block but the code over the batch")},
          code_fields<Options>());
    }
    void validate() const;
  };
  explicit Autoencoder(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;  // an mlp with the same code

 private:
  Options options_;
};

}  // namespace vaetl::models
