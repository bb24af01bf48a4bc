#include "vaetl/data/readers/picture_fit.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/data/transforms/resize.hpp"

namespace vaetl::readers {
namespace {

// With the picture's ratio, the least that covers `box`.
Extent covering(const Extent& from, const Extent& box) {
  if (from.width * box.height >= from.height * box.width) return {box.height, box.height * from.width / from.height};
  return {box.width * from.height / from.width, box.width};
}

// With the picture's ratio, the largest within `box`.
Extent inside(const Extent& from, const Extent& box) {
  if (from.width * box.height >= from.height * box.width) {
    return {std::max<std::int64_t>(1, box.width * from.height / from.width), box.width};
  }
  return {box.height, std::max<std::int64_t>(1, box.height * from.width / from.height)};
}

Extent resized_extent(const Extent& from, const PictureFit& fit) {
  if (fit.resize > 0) return covering(from, {fit.resize, fit.resize});
  if (fit.size.empty()) return from;
  const Extent box{fit.size[0], fit.size[1]};
  if (fit.fit == "stretch") return box;
  return fit.fit == "pad" ? inside(from, box) : covering(from, box);
}

at::Tensor padded(const at::Tensor& images, const Extent& box) {
  const std::int64_t down = box.height - images.size(2), right = box.width - images.size(3);
  return at::constant_pad_nd(images, {right / 2, right - right / 2, down / 2, down - down / 2}, 0);
}

}  // namespace

Extent fitted_extent(const Extent& picture, const PictureFit& fit) {
  if (!fit.size.empty()) return {fit.size[0], fit.size[1]};
  return resized_extent(picture, fit);
}

at::Tensor fit_picture(const at::Tensor& picture, const PictureFit& fit, const std::string& where) {
  const Extent from{picture.size(1), picture.size(2)}, to = resized_extent(from, fit);
  if (to.width > picture_max_pixels / to.height) {
    throw DataError({where,
                     fmt::format("at most {} pixels after resizing", picture_max_pixels),
                     fmt::format("{}×{}, from {}×{}", to.width, to.height, from.width, from.height),
                     {}});
  }
  const at::Tensor resized = transforms::resize_images(picture.unsqueeze(0), to.height, to.width, fit.filter);
  if (fit.size.empty()) return resized[0];
  if (fit.fit == "pad") return padded(resized, {fit.size[0], fit.size[1]})[0];
  return transforms::centre_crop_images(resized, fit.size[0], fit.size[1])[0];
}

at::Tensor read_picture(const ExampleFile& file, const PictureFit& fit) {
  std::shared_ptr<const std::string> bytes;
  if (auto problem = load_file(file, bytes)) throw DataError(*std::move(problem));
  return fit_picture(decode_picture(*bytes, file.where, {.channels = fit.channels}), fit, file.where);
}

}  // namespace vaetl::readers
