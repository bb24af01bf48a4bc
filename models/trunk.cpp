#include "vaetl/models/trunk.hpp"

#include <algorithm>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"

namespace vaetl::models {
namespace {

constexpr double most_input_values = 1 << 28;

void check_input_shape(const std::vector<std::int64_t>& input) {
  double values = 1;
  for (std::int64_t size : input) values *= static_cast<double>(size);
  if (!input.empty() && values <= most_input_values) return;
  throw ConfigError({"input", fmt::format("a shape of 1 to {:.0f} values", most_input_values), shape_text(input), {}});
}

// After which of the first blocks of encoder and decoder something may stand.
void check_trunk_places(const nn::Insertions& insert, const TrunkNames& names, std::size_t blocks, bool with_decoder) {
  std::vector<std::string> places;
  const auto add = [&](const std::string& name) {
    for (std::size_t i = 0; i < blocks; ++i) places.push_back(name + "." + std::to_string(i));
  };
  add(names.encoder);
  if (with_decoder) add(names.decoder);
  nn::check_places(insert, places);
}

nn::Size2 halved(nn::Size2 size, bool round_up) { return {(size[0] + round_up) / 2, (size[1] + round_up) / 2}; }

}  // namespace

std::int64_t numel(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (std::int64_t size : shape) count *= size;
  return count;
}

void check_classes(std::int64_t classes) {
  if (classes == 1) throw ConfigError({"classes", "0 (features alone) or at least 2", "1", {}});
}

void check_image_shape(const std::vector<std::int64_t>& input) {
  check_input_shape(input);
  if (input.size() == 3) return;
  throw ConfigError({"input", "3 dimensions: channels, height, width", shape_text(input), {}});
}

void DenseTrunk::validate(bool with_decoder) const {
  check_input_shape(input);
  check_trunk_places(insert, names, widths.size(), with_decoder);
  if (batch_norm && layer_norm) {
    throw ConfigError({"layer_norm", "false where batch_norm is true", "true", "a block has one norm"});
  }
  if (!widths.empty()) return;
  if (batch_norm || layer_norm) {
    throw ConfigError({batch_norm ? "batch_norm" : "layer_norm", "false where widths is empty", "true",
                       "there is no block to normalise"});
  }
  if (dropout > 0) {
    throw ConfigError(
        {"dropout", "0 where widths is empty", fmt::format("{}", dropout), "there is no block to drop from"});
  }
}

std::int64_t DenseTrunk::feature_size() const { return widths.empty() ? numel(input) : widths.back(); }

std::shared_ptr<nn::Sequence> DenseTrunk::encoder() const {
  auto blocks = std::make_shared<nn::Sequence>();
  std::int64_t in = numel(input);
  for (std::int64_t out : widths) {
    blocks->add(std::make_shared<nn::DenseBlock>(
        in, out, nn::AfterOptions{activation, batch_norm, dropout, spectral_norm, layer_norm}));
    nn::insert_after_last(*blocks, names.encoder, {out}, insert);
    in = out;
  }
  return blocks;
}

std::shared_ptr<nn::Sequence> DenseTrunk::decoder(std::int64_t latent, std::int64_t maps) const {
  auto blocks = std::make_shared<nn::Sequence>();
  std::int64_t in = latent;
  for (auto width = widths.rbegin(); width != widths.rend(); ++width) {
    blocks->add(std::make_shared<nn::DenseBlock>(in, *width, nn::AfterOptions{activation, batch_norm, dropout}));
    nn::insert_after_last(*blocks, names.decoder, {*width}, insert);
    in = *width;
  }
  blocks->add(std::make_shared<nn::DenseBlock>(in, maps * numel(input), nn::AfterOptions{}));
  return blocks;
}

void ConvTrunk::validate(bool with_decoder) const {
  check_image_shape(input);
  check_trunk_places(insert, names, channels.size() + dense.size(), with_decoder);
  if (channels.empty()) throw ConfigError({"channels", "at least one convolutional block", "none", {}});
  if (kernel % 2 == 0) throw ConfigError({"kernel", "an odd size", std::to_string(kernel), {}});
  std::size_t most = 0;
  for (std::int64_t side = std::min(input[1], input[2]); side > 1; side /= 2) ++most;
  if (channels.size() > most) {
    throw ConfigError({"channels", fmt::format("at most {} blocks, as each halves {} × {}", most, input[1], input[2]),
                       std::to_string(channels.size()), "leave some out, or use larger images"});
  }
}

nn::Size2 ConvTrunk::encoded_size() const {
  nn::Size2 size = {input[1], input[2]};
  for (std::size_t i = 0; i < channels.size(); ++i) size = halved(size, downsample == "stride");
  return size;
}

std::vector<nn::Size2> ConvTrunk::decoded_sizes() const {
  std::vector<nn::Size2> result = {{input[1], input[2]}};
  while (result.size() <= channels.size()) result.push_back(halved(result.back(), false));
  std::reverse(result.begin(), result.end());
  return result;
}

std::int64_t ConvTrunk::feature_size() const {
  const auto [height, width] = encoded_size();
  return dense.empty() ? channels.back() * height * width : dense.back();
}

std::shared_ptr<nn::Sequence> ConvTrunk::encoder() const {
  auto blocks = std::make_shared<nn::Sequence>();
  const nn::AfterOptions after{activation, batch_norm, 0, spectral_norm};
  const auto down = downsample == "stride" ? nn::Downsample::stride : nn::Downsample::max_pool;
  std::int64_t in = input[0];
  nn::Size2 size = {input[1], input[2]};
  for (std::int64_t out : channels) {
    blocks->add(std::make_shared<nn::ConvBlock>(nn::ConvBlockOptions{in, out, kernel, down}, after));
    size = halved(size, downsample == "stride");
    nn::insert_after_last(*blocks, names.encoder, {out, size[0], size[1]}, insert);
    in = out;
  }
  in *= size[0] * size[1];
  for (std::int64_t out : dense) {
    blocks->add(std::make_shared<nn::DenseBlock>(in, out, after));
    nn::insert_after_last(*blocks, names.encoder, {out}, insert);
    in = out;
  }
  return blocks;
}

std::shared_ptr<nn::Sequence> ConvTrunk::decoder(std::int64_t latent, std::int64_t maps) const {
  auto blocks = std::make_shared<nn::Sequence>();
  const nn::AfterOptions after{activation, batch_norm, 0};
  const auto image_sizes = decoded_sizes();
  std::vector<std::int64_t> widths(dense.rbegin(), dense.rend());
  widths.push_back(channels.back() * image_sizes[0][0] * image_sizes[0][1]);
  std::int64_t in = latent;
  for (std::int64_t out : widths) {
    blocks->add(std::make_shared<nn::DenseBlock>(in, out, after));
    nn::insert_after_last(*blocks, names.decoder, {out}, insert);
    in = out;
  }
  std::vector<std::int64_t> widening = {maps * input[0]};
  widening.insert(widening.end(), channels.begin(), channels.end());
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::size_t from = channels.size() - i;
    const nn::UpBlockOptions up{widening[from], widening[from - 1], kernel, image_sizes[i], image_sizes[i + 1]};
    blocks->add(std::make_shared<nn::UpBlock>(up, from == 1 ? nn::AfterOptions{} : after));
    nn::insert_after_last(*blocks, names.decoder, {up.out, up.to[0], up.to[1]}, insert);
  }
  return blocks;
}

}  // namespace vaetl::models
