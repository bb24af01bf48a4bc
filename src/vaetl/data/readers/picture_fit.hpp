// Pictures of any size made to one size and one number of channels.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "vaetl/data/readers/example_files.hpp"
#include "vaetl/io/picture.hpp"

namespace vaetl::readers {

struct PictureFit {
  std::int64_t channels = 0;            // 0: as the picture has
  std::int64_t resize = 0;              // length of the shorter side; 0: not asked for
  std::vector<std::int64_t> size = {};  // height and width; empty: not asked for
  std::string fit = "crop";             // crop: cover the size, keep the middle; pad: fit inside, fill with 0; stretch
  std::string filter = "bilinear";
};

struct Extent {
  std::int64_t height = 0, width = 0;
  bool operator==(const Extent&) const = default;
};

Extent fitted_extent(const Extent& picture, const PictureFit& fit);  // what fit_picture gives

// (C, H, W) uint8 → (C, H′, W′). Sides are cut to whole pixels as torchvision does, Resize(resize) then
// CenterCrop(size). DataError, with `where`, for a shape so long that resizing it would take more than
// picture_max_pixels.
at::Tensor fit_picture(const at::Tensor& picture, const PictureFit& fit, const std::string& where);

// Loads, decodes and fits. DataError.
at::Tensor read_picture(const ExampleFile& file, const PictureFit& fit);

}  // namespace vaetl::readers
