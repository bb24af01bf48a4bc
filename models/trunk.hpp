// The two kinds of encoder, with the decoder that mirrors each. Models of one kind share names and shapes of the
// encoder, so its weights travel between them unrenamed.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/blocks.hpp"
#include "vaetl/nn/component.hpp"

namespace vaetl::models {

inline constexpr Range sizes = between(1, 65536);

std::int64_t numel(const std::vector<std::int64_t>& shape);

// A classifier's number of classes: one class is none. ConfigError.
void check_classes(std::int64_t classes);
// Channels, height, width. ConfigError.
void check_image_shape(const std::vector<std::int64_t>& input);

// What the layer groups of its halves are called, which `insert` speaks of.
struct TrunkNames {
  std::string encoder = "encoder", decoder = "decoder";
};

// Dense blocks over the flattened input; no widths: the flattened input itself.
struct DenseTrunk {
  std::vector<std::int64_t> input, widths;
  std::string activation;
  bool batch_norm = false;
  double dropout = 0;          // after every block
  bool spectral_norm = false;  // of the encoder's weights
  bool layer_norm = false;     // of the encoder, in place of batch_norm
  nn::Insertions insert = {};
  TrunkNames names = {};

  void validate(bool with_decoder = false) const;  // with one, something may be inserted there too
  std::int64_t feature_size() const;
  std::shared_ptr<nn::Sequence> encoder() const;  // (N, input…) → (N, features)
  // (N, latent) → (N, maps · numel of input), map by map
  std::shared_ptr<nn::Sequence> decoder(std::int64_t latent, std::int64_t maps = 1) const;
};

// Convolutional blocks, each of which halves the image, then dense blocks.
struct ConvTrunk {
  std::vector<std::int64_t> input, channels;
  std::int64_t kernel = 3;
  std::string downsample;
  std::vector<std::int64_t> dense;
  std::string activation;
  bool batch_norm = false;
  bool spectral_norm = false;  // of the encoder's weights
  nn::Insertions insert = {};
  TrunkNames names = {};

  void validate(bool with_decoder = false) const;  // with one, something may be inserted there too
  std::int64_t feature_size() const;
  std::shared_ptr<nn::Sequence> encoder() const;  // (N, C, H, W) → (N, features)
  // (N, latent) → (N, maps · C, H, W), map by map
  std::shared_ptr<nn::Sequence> decoder(std::int64_t latent, std::int64_t maps = 1) const;

 private:
  nn::Size2 encoded_size() const;                // H, W after the last convolutional block
  std::vector<nn::Size2> decoded_sizes() const;  // H, W before the first and after each upsampling block
};

// What may stand between the layers, for options with a member of that name.
template <class O>
constexpr auto insert_fields() {
  if constexpr (requires { &O::insert; }) {
    return std::tuple{field("insert", &O::insert, "components between the layers: [{\"after\": GROUP, \"name\": …}]")};
  } else {
    return std::tuple{};
  }
}
// Of models with a head, which is linear unless it has hidden layers.
template <class O>
constexpr auto head_field() {
  return std::tuple{field("head", &O::head, "widths of hidden layers within the head; none: it is linear", sizes)};
}
template <class O>
nn::Insertions insertions_of(const O& o) {
  if constexpr (requires { o.insert; }) return o.insert;
  return {};
}

// The options of a convolutional trunk, for every model that has one.
template <class O>
constexpr auto conv_trunk_fields() {
  return std::tuple_cat(
      std::tuple{field("input", &O::input, "shape of one example: channels, height, width", sizes),
                 field("channels", &O::channels, "channels of each convolutional block; each halves the image", sizes),
                 field("kernel", &O::kernel, "height and width of the convolutions, odd", between(1, 31)),
                 choice("downsample", &O::downsample, "how a block halves the image", {"max_pool", "stride"}),
                 field("dense", &O::dense, "widths of the dense blocks that follow", sizes),
                 choice("activation", &O::activation, "activation function of every block", nn::activations),
                 field("batch_norm", &O::batch_norm, "normalise every block over the batch")},
      insert_fields<O>());
}
template <class O>
ConvTrunk conv_trunk(const O& o) {
  return {.input = o.input,
          .channels = o.channels,
          .kernel = o.kernel,
          .downsample = o.downsample,
          .dense = o.dense,
          .activation = o.activation,
          .batch_norm = o.batch_norm,
          .insert = insertions_of(o)};
}

// The options of a dense trunk, likewise.
template <class O>
constexpr auto dense_trunk_fields() {
  return std::tuple_cat(
      std::tuple{field("input", &O::input, "shape of one example", sizes),
                 field("widths", &O::widths, "widths of the dense blocks", sizes),
                 choice("activation", &O::activation, "activation function of every block", nn::activations)},
      insert_fields<O>());
}

}  // namespace vaetl::models
