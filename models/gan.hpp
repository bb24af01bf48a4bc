// A dense generative adversarial network (arXiv:1406.2661), or with `conditions` a conditional one (arXiv:1411.1784).
//
//   auto model = make<models::Gan>({.input = {1, 28, 28}, .widths = {512, 256}, .noise = 64, .conditions = 10});
#pragma once
#include "vaetl/models/trunk_gan.hpp"

namespace vaetl::models {

class Gan final : public TrunkGan {
 public:
  static constexpr std::string_view name = "gan";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, widths = {256, 128};
    std::int64_t noise = 64;
    std::string activation = "relu";
    bool batch_norm = false;
    std::string critic_activation = "leaky_relu_0.2";
    bool critic_batch_norm = false, spectral_norm = false;
    std::int64_t conditions = 0, condition_size = 16;
    std::string critic_condition = "embedding";
    nn::Insertions insert = {};
    static constexpr auto fields() {
      return std::tuple_cat(std::tuple{field("input", &Options::input, "shape of one example", sizes),
                                       field("widths", &Options::widths,
                                             "widths of the critic's blocks; the generator's are its mirror", sizes)},
                            gan_fields<Options>());
    }
    void validate() const;
  };
  explicit Gan(const Options& options);
};

}  // namespace vaetl::models
