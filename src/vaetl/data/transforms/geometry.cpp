#include "vaetl/data/transforms/geometry.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/to_device.hpp"
#include "vaetl/data/transforms/images.hpp"

namespace vaetl::transforms {
namespace {

enum Interpolation { bilinear = 0 };
enum Padding { edge = 1 };

// (N, size): where along one axis the output's pixel centres lie in the input, −1 … 1 from edge to edge.
at::Tensor sample_positions(const at::Tensor& start, const at::Tensor& length, std::int64_t size) {
  const at::Tensor centres =
      at::arange(size, start.options()).add_(0.5).mul_(2.0 / static_cast<double>(size));  // 0 … 2
  const double whole = static_cast<double>(size);
  return at::addcmul(start.mul(2 / whole).sub_(1).unsqueeze(1), length.div(whole).unsqueeze(1), centres);
}

}  // namespace

at::Tensor shift_images(const at::Tensor& images, const at::Tensor& offsets, std::int64_t most, bool border) {
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3);
  const std::vector<std::int64_t> margin(4, most);
  const at::Tensor padded = border ? at::replication_pad2d(images, margin) : at::constant_pad_nd(images, margin);
  const at::Tensor windows =
      padded.unfold(2, height, 1).unfold(3, width, 1).movedim(1, 3);  // a view (N, D, D, C, H, W)
  const at::Tensor corner = offsets.neg().add_(most);
  return windows.index({at::arange(count, corner.options()), corner[0], corner[1]});
}

at::Tensor crop_images(const at::Tensor& images, const at::Tensor& boxes) {
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3);
  const at::Tensor down = sample_positions(boxes[0], boxes[2], height).unsqueeze(2);
  const at::Tensor right = sample_positions(boxes[1], boxes[3], width).unsqueeze(1);
  const at::Tensor grid = at::stack({right.expand({count, height, width}), down.expand({count, height, width})}, 3);
  return at::grid_sampler(images, grid.to(images.scalar_type()), bilinear, edge, /*align_corners=*/false);
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
  const double narrow = std::log(options_.ratio[0]), wide = std::log(options_.ratio[1]);
  const at::Tensor area = u[0].mul(options_.scale[1] - options_.scale[0]).add_(options_.scale[0]).mul_(height * width);
  const at::Tensor ratio = u[1].mul(wide - narrow).add_(narrow).exp_();
  const at::Tensor box_height = area.div(ratio).sqrt_().clamp_max_(height);
  const at::Tensor box_width = area.mul(ratio).sqrt_().clamp_max_(width);
  const at::Tensor top = u[2].mul(height - box_height), left = u[3].mul(width - box_width);
  fields.set("input", crop_images(images, at::stack({top, left, box_height, box_width})));
}

void Flip::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const at::Tensor flipped = draw_uniform(1, images, generator).lt(options_.p).view({-1, 1, 1, 1});
  fields.set("input", at::where(flipped, images.flip(3), images));
}

}  // namespace vaetl::transforms
