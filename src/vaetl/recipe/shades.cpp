#include "vaetl/recipe/shades.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/recipe/pixels.hpp"

namespace vaetl::recipe {
namespace {

// What the preprocessing makes of a picture of one shade: (C, H, W).
at::Tensor seen_shade(const Preprocess& preprocess, const std::vector<std::int64_t>& shape, double value) {
  Fields fields;
  fields.set("input", at::full(shape, value, at::kFloat).unsqueeze(0));
  preprocess.apply(fields);
  return fields.input()[0];
}

// The raw picture's shape, with the size that the model sees where any will do.
std::vector<std::int64_t> raw_picture(const Preprocess& preprocess, const std::vector<std::int64_t>& seen) {
  auto shape = preprocess.raw_shape(seen).value_or(seen);
  for (std::size_t i = 0; i < shape.size() && i < seen.size(); ++i) {
    if (shape[i] == -1) shape[i] = seen[i];
  }
  return shape;
}

at::Tensor of_channels(const at::Tensor& shade, const at::TensorOptions& options) {
  return shade.flatten(1).mean(1).view({1, -1, 1, 1}).to(options);
}

}  // namespace

at::Tensor Shades::seen(const at::Tensor& pixels) const {
  return black + pixels.to(black.options()).div_(255) * (white - black);
}

at::Tensor Shades::share(const at::Tensor& seen) const { return ((seen - black) / (white - black)).clamp_(0, 1); }

at::Tensor Shades::pixels(const at::Tensor& seen) const {
  return share(seen).mul_(255).round_().to(at::kCPU).to(at::kByte);
}

Shades shades_of(const Model& model, const std::string& by) {
  if (!sees_pictures(model)) {
    throw ConfigError(
        {by, "a model that sees pictures of 1 or 3 channels", quote(model.spec().name), "choose another model"});
  }
  const Preprocess preprocess = model.preprocess().is_null() ? Preprocess() : Preprocess::from_json(model.preprocess());
  const Range range = pixel_range(model);
  const auto shape = raw_picture(preprocess, model.signature().inputs.at("input").shape);
  const at::Tensor black = seen_shade(preprocess, shape, range.low), white = seen_shade(preprocess, shape, range.high);
  const at::Tensor middle = seen_shade(preprocess, shape, 0.5 * (range.low + range.high));
  const at::Tensor reach = (white - black).abs();
  const bool linear =
      reach.min().item<double>() > 0 && ((black + white) / 2 - middle).abs().le(1e-3 * reach + 1e-6).all().item<bool>();
  if (!linear) {
    throw ConfigError({by, "a preprocessing that maps shades linearly", "another", "choose another model"});
  }
  const at::TensorOptions options = at::TensorOptions(device_of(model)).dtype(at::kFloat);
  return {of_channels(black, options), of_channels(white, options)};
}

}  // namespace vaetl::recipe
