#include "vaetl/data/transforms/geometry.hpp"

#include <ATen/ATen.h>

#include <numbers>

#include "vaetl/core/signature.hpp"
#include "vaetl/data/to_device.hpp"

namespace vaetl::transforms {
namespace {

enum Interpolation { bilinear = 0 };
enum Padding { nothing = 0, edge = 1, mirrored = 2 };

Padding padding_of(const std::string& fill) { return fill == "border" ? edge : fill == "reflect" ? mirrored : nothing; }

at::Tensor pad(const at::Tensor& images, std::int64_t by, const std::string& fill) {
  const std::vector<std::int64_t> margin(4, by);
  if (fill == "border") return at::replication_pad2d(images, margin);
  return fill == "reflect" ? at::reflection_pad2d(images, margin) : at::constant_pad_nd(images, margin);
}

// (N, C, height, width): the window of each image at corners (2, N).
at::Tensor windows_at(const at::Tensor& images, const at::Tensor& corners, std::int64_t height, std::int64_t width) {
  const at::Tensor windows =
      images.unfold(2, height, 1).unfold(3, width, 1).movedim(1, 3);  // a view (N, D, D, C, height, width)
  return windows.index({at::arange(images.size(0), corners.options()), corners[0], corners[1]});
}

// ± range for u in [0, 1).
at::Tensor either_way(const at::Tensor& u, double range) { return u.mul(2 * range).sub_(range); }

// (N, size): where along one axis the output's pixel centres lie in the input, −1 … 1 from edge to edge.
at::Tensor sample_positions(const at::Tensor& start, const at::Tensor& length, std::int64_t size) {
  const at::Tensor centres =
      at::arange(size, start.options()).add_(0.5).mul_(2.0 / static_cast<double>(size));  // 0 … 2
  const double whole = static_cast<double>(size);
  return at::addcmul(start.mul(2 / whole).sub_(1).unsqueeze(1), length.div(whole).unsqueeze(1), centres);
}

}  // namespace

at::Tensor shift_images(const at::Tensor& images, const at::Tensor& offsets, std::int64_t most, bool border) {
  const at::Tensor padded = pad(images, most, border ? "border" : "zero");
  return windows_at(padded, offsets.neg().add_(most), images.size(2), images.size(3));
}

at::Tensor crop_images(const at::Tensor& images, const at::Tensor& boxes) {
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3);
  const at::Tensor down = sample_positions(boxes[0], boxes[2], height).unsqueeze(2);
  const at::Tensor right = sample_positions(boxes[1], boxes[3], width).unsqueeze(1);
  const at::Tensor grid = at::stack({right.expand({count, height, width}), down.expand({count, height, width})}, 3);
  return at::grid_sampler(images, grid.to(images.scalar_type()), bilinear, edge, /*align_corners=*/false);
}

at::Tensor crop_padded(const at::Tensor& images, const at::Tensor& corners, std::int64_t height, std::int64_t width,
                       std::int64_t padding, const std::string& fill) {
  const std::int64_t have_height = images.size(2), have_width = images.size(3);
  const std::string found = fmt::format("{} × {}", have_height, have_width);
  if (padding > 0 && padding >= std::min(have_height, have_width)) {
    throw DataError({"random_crop", fmt::format("images larger than the padding of {}", padding), found, {}});
  }
  if (height > have_height + 2 * padding || width > have_width + 2 * padding) {
    throw DataError({"random_crop",
                     fmt::format("images of {} × {} at least with padding of {}", height, width, padding), found,
                     "choose a smaller size or more padding"});
  }
  return windows_at(pad(images, padding, fill), corners, height, width);
}

at::Tensor affine_images(const at::Tensor& images, const at::Tensor& angles, const at::Tensor& scales,
                         const at::Tensor& shears, const std::string& fill) {
  const std::int64_t height = images.size(2), width = images.size(3);
  const double half_height = static_cast<double>(height) / 2, half_width = static_cast<double>(width) / 2;
  const auto from_centre = [&](std::int64_t size, double half) {
    return at::arange(size, angles.options()).add_(0.5 - half);
  };
  const at::Tensor x = from_centre(width, half_width).view({1, 1, -1});
  const at::Tensor y = from_centre(height, half_height).view({1, -1, 1});
  const auto each = [](const at::Tensor& values) { return values.view({-1, 1, 1}); };
  const at::Tensor sine = angles.sin(), cosine = angles.cos(), slope = shears.tan();
  const at::Tensor right = (each((cosine - sine * slope) / scales) * x + each((sine + cosine * slope) / scales) * y);
  const at::Tensor down = (each(cosine / scales) * y - each(sine / scales) * x);
  const at::Tensor grid = at::stack({right / half_width, down / half_height}, 3);
  return at::grid_sampler(images, grid.to(images.scalar_type()), bilinear, padding_of(fill), /*align_corners=*/false);
}

void Shift::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const std::int64_t most = options_.pixels;
  const at::Tensor drawn = at::randint(-most, most + 1, {2, images.size(0)}, generator, at::kLong);
  fields.set("input", shift_images(images, to_device(drawn, images.device()), most, options_.fill == "border"));
}

void Crop::Options::validate() const {
  check_interval("crop.scale", scale, 1e-4, 1);
  check_interval("crop.ratio", ratio, 1e-2, 1e2);
}

Crop::Crop(Options options) : options_(std::move(options)) { options_.validate(); }

void Crop::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const auto height = static_cast<double>(images.size(2)), width = static_cast<double>(images.size(3));
  const at::Tensor u = draw_uniform(4, images, generator);
  const at::Tensor sizes = box_sizes(u, images, options_.scale, options_.ratio);
  const at::Tensor top = u[2].mul(height - sizes[0]), left = u[3].mul(width - sizes[1]);
  fields.set("input", crop_images(images, at::stack({top, left, sizes[0], sizes[1]})));
}

void RandomCrop::Options::validate() const {
  if (size.empty() || size.size() == 2) return;
  throw ConfigError({"random_crop.size", "[height, width], or nothing", shape_text(size), {}});
}

RandomCrop::RandomCrop(Options options) : options_(std::move(options)) { options_.validate(); }

void RandomCrop::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const std::int64_t height = options_.size.empty() ? images.size(2) : options_.size[0];
  const std::int64_t width = options_.size.empty() ? images.size(3) : options_.size[1];
  const auto places = [&](std::int64_t have, std::int64_t want) {
    return static_cast<double>(have + 2 * options_.padding - want + 1);
  };
  const at::Tensor u = draw_uniform(2, images, generator);
  const at::Tensor corners =
      at::stack({u[0].mul(places(images.size(2), height)), u[1].mul(places(images.size(3), width))}).to(at::kLong);
  fields.set("input", crop_padded(images, corners, height, width, options_.padding, options_.fill));
}

void Flip::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const at::Tensor flipped = draw_uniform(1, images, generator).lt(options_.p).view({-1, 1, 1, 1});
  fields.set("input", at::where(flipped, images.flip(options_.axis == "vertical" ? 2 : 3), images));
}

void Rotate::Options::validate() const { check_interval("rotate.scale", scale, 1e-2, 1e2); }

Rotate::Rotate(Options options) : options_(std::move(options)) { options_.validate(); }

void Rotate::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const double degree = std::numbers::pi / 180;
  const at::Tensor u = draw_uniform(3, images, generator);
  const at::Tensor scales = u[1].mul(options_.scale[1] - options_.scale[0]).add_(options_.scale[0]);
  fields.set("input", affine_images(images, either_way(u[0], options_.degrees * degree), scales,
                                    either_way(u[2], options_.shear * degree), options_.fill));
}

}  // namespace vaetl::transforms
