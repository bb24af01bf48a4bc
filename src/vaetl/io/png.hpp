// PNG images as uint8 tensors, C×H×W, and grids of them. C is 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGB and
// alpha). Values are taken as they are stored: no gamma or colour profile is applied.
#pragma once
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "vaetl/io/picture.hpp"

namespace vaetl {

constexpr std::int64_t png_max_pixels = picture_max_pixels;

// H×W or C×H×W, uint8, on any device; DataError for anything else. The file is replaced atomically.
void write_png(const std::filesystem::path& path, const at::Tensor& image);
std::string encode_png(const at::Tensor& image);

// Palettes become RGB, 1, 2 and 4 bits become 8, 16 bits are scaled to 8, a transparent colour becomes an alpha
// channel. DataError names the file: absent, damaged, cut short, or more than `max_pixels`, which is checked before any
// memory for pixels is taken.
at::Tensor read_png(const std::filesystem::path& path, std::int64_t max_pixels = png_max_pixels);
at::Tensor decode_png(std::string_view bytes, const std::string& where, std::int64_t max_pixels = png_max_pixels);
// The same as H×W×C, which saves a copy.
at::Tensor decode_png_pixels(std::string_view bytes, const std::string& where,
                             std::int64_t max_pixels = png_max_pixels);
PictureInfo peek_png(std::string_view bytes, const std::string& where);  // what stands before the pixels

// N×C×H×W, uint8 → one C×H'×W' image, row by row with `columns` images in each (fewer where N is smaller) and `padding`
// pixels of `background` around every image.
at::Tensor image_grid(const at::Tensor& images, std::int64_t columns, std::int64_t padding = 2,
                      std::uint8_t background = 255);

}  // namespace vaetl
