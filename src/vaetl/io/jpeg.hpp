// JPEG images, baseline and progressive, by libjpeg-turbo with its accurate transform and smooth chroma upsampling. An
// EXIF orientation is applied. CMYK and YCCK become RGB as Pillow's convert("RGB") makes them: the inks are taken as
// inverted, as Adobe's programs write them, and no colour profile is applied.
//
// Both throw a DataError that names the file: damaged, cut short (also where only the end marker is missing), more than
// 100 scans, or components that are neither grey, RGB nor CMYK.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

#include "vaetl/io/picture.hpp"

namespace vaetl {

PictureInfo peek_jpeg(std::string_view bytes, const std::string& where);

// H×W×C, C 1 or 3. DataError for more than `max_pixels`, before memory for pixels is taken.
at::Tensor decode_jpeg_pixels(std::string_view bytes, const std::string& where,
                              std::int64_t max_pixels = picture_max_pixels);

}  // namespace vaetl
