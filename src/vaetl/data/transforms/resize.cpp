#include "vaetl/data/transforms/resize.hpp"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include "vaetl/data/transforms/images.hpp"

namespace vaetl::transforms {
namespace {

at::Tensor pass(const at::Tensor& images, std::int64_t height, std::int64_t width, bool bicubic) {
  if (images.size(2) == height && images.size(3) == width) return images;
  const std::int64_t size[] = {height, width};
  return bicubic ? at::_upsample_bicubic2d_aa(images, size, /*align_corners=*/false)
                 : at::_upsample_bilinear2d_aa(images, size, /*align_corners=*/false);
}

at::Tensor resize_rows(const at::Tensor& images, std::int64_t height, bool bicubic) {
  const std::int64_t width = images.size(3);
  if (width > 1) return pass(images, height, width, bicubic);
  // LibTorch's kernel for floats takes the wrong stride where a column stands alone, so here are two.
  return pass(at::cat({images, images}, 3), height, 2, bicubic).narrow(3, 0, 1);
}

at::Tensor resize_columns(const at::Tensor& images, std::int64_t width, bool bicubic) {
  return pass(images, images.size(2), width, bicubic);
}

std::int64_t half(std::int64_t margin) { return std::llrint(static_cast<double>(margin) / 2); }

}  // namespace

at::Tensor resize_images(const at::Tensor& images, std::int64_t height, std::int64_t width, const std::string& filter) {
  const bool bicubic = filter == "bicubic";
  const bool rows_first = images.size(2) - height > std::max<std::int64_t>(0, 2 * (images.size(3) - width));
  if (rows_first) return resize_columns(resize_rows(images, height, bicubic), width, bicubic);
  return resize_rows(resize_columns(images, width, bicubic), height, bicubic);
}

at::Tensor centre_crop_images(const at::Tensor& images, std::int64_t height, std::int64_t width) {
  const std::int64_t down = images.size(2) - height, right = images.size(3) - width;
  if (down < 0 || right < 0) {
    throw DataError({"centre_crop",
                     fmt::format("images of at least {}×{} (height by width)", height, width),
                     fmt::format("{}×{}", images.size(2), images.size(3)),
                     {}});
  }
  return images.narrow(2, half(down), height).narrow(3, half(right), width);
}

void check_image_size(const std::string& where, const std::vector<std::int64_t>& size) {
  const bool valid =
      size.size() == 2 && std::all_of(size.begin(), size.end(), [](auto side) { return side >= 1 && side <= 16384; });
  if (valid) return;
  throw ConfigError(
      {where, "[height, width] from 1 to 16384", fmt::format("[{}]", fmt::join(size, ", ")), "say size=[224,224]"});
}

std::vector<std::int64_t> any_image_size(std::vector<std::int64_t> shape) {
  if (shape.size() == 3) shape[1] = shape[2] = -1;
  return shape;
}

void Resize::apply(Fields& fields, at::Generator&) const {
  fields.set("input", resize_images(images_of(fields, name), options_.size[0], options_.size[1], options_.filter));
}

void CentreCrop::apply(Fields& fields, at::Generator&) const {
  fields.set("input", centre_crop_images(images_of(fields, name), options_.size[0], options_.size[1]));
}

}  // namespace vaetl::transforms
