// A deep convolutional generative adversarial network (arXiv:1511.06434): strided convolutions in the critic, their
// transposes in the generator. Any size of image; noise of 128 and four blocks make 64 × 64 × 3:
//
//   auto model = make<models::Dcgan>({.input = {3, 64, 64}, .channels = {64, 128, 256, 512}, .noise = 128});
#pragma once
#include "vaetl/models/trunk_gan.hpp"

namespace vaetl::models {

class Dcgan final : public TrunkGan {
 public:
  static constexpr std::string_view name = "dcgan";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, channels = {32, 64};
    std::int64_t kernel = 3;
    std::vector<std::int64_t> dense = {};
    std::int64_t noise = 64;
    std::string activation = "relu";
    bool batch_norm = true;
    std::string critic_activation = "leaky_relu_0.2";
    bool critic_batch_norm = false, spectral_norm = false;
    std::int64_t conditions = 0, condition_size = 16;
    std::string critic_condition = "embedding";
    nn::Insertions insert = {};
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{field("input", &Options::input, "shape of one example: channels, height, width", sizes),
                     field("channels", &Options::channels,
                           "channels of the critic's convolutional blocks, each of which halves the image; the "
                           "generator's are their mirror",
                           sizes),
                     field("kernel", &Options::kernel,
                           "height and width of the critic's convolutions, odd; the generator's are one larger",
                           between(1, 31)),
                     field("dense", &Options::dense, "widths of the dense blocks that follow", sizes)},
          gan_fields<Options>());
    }
    void validate() const;
  };
  explicit Dcgan(const Options& options);
};

}  // namespace vaetl::models
