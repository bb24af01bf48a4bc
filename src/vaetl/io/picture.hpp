// Pictures in files as uint8 tensors (C, H, W). The first bytes tell the format, not the name: PNG (io/png.hpp) and
// JPEG (io/jpeg.hpp).
//
//   const PictureInfo info = peek_picture(bytes, "cat.jpg");             // from the header alone
//   const at::Tensor image = decode_picture(bytes, "cat.jpg", {.channels = 3});
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace vaetl {

constexpr std::int64_t picture_max_pixels = std::int64_t{1} << 26;

struct PictureInfo {
  std::int64_t width = 0, height = 0;  // as it is to be seen, after an EXIF orientation
  std::int64_t channels = 0;           // 1 grey, 3 RGB, 4 RGBA; in decode_picture's terms
  std::string format = {};             // "PNG" or "JPEG"
};

struct PictureOptions {
  // 0: as the picture has. Asked for 1 or 3, alpha is composited on white. Grey becomes RGB by repetition, RGB becomes
  // grey by ITU-R 601 (0.299, 0.587, 0.114), rounded as Pillow does. 4 without alpha: opaque.
  std::int64_t channels = 0;
  std::int64_t max_pixels = picture_max_pixels;
};

// DataError: neither PNG nor JPEG, a damaged header, more than `max_pixels`.
PictureInfo peek_picture(std::string_view bytes, const std::string& where,
                         std::int64_t max_pixels = picture_max_pixels);

// (C, H, W), usually a view of interleaved pixels and so not contiguous. DataError as above, and where the data are
// damaged or end early; the size is checked from the header before memory for pixels is taken.
// ConfigError for other channels.
at::Tensor decode_picture(std::string_view bytes, const std::string& where, const PictureOptions& options = {});

// DataError for more than `max_pixels`.
void check_pixels(const PictureInfo& info, const std::string& where, std::int64_t max_pixels);

}  // namespace vaetl
