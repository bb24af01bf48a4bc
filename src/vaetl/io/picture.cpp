#include "vaetl/io/picture.hpp"

#include <ATen/ops/empty.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/jpeg.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl {
namespace {

using Byte = std::uint8_t;

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }
bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8\xff"); }

bool is_text(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](unsigned char c) { return c >= 0x20 || (c >= 9 && c <= 13); });
}

// What a file is that is no picture of ours.
std::string kind_of(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  const std::string_view start = bytes.substr(0, 16);
  if (start.starts_with("GIF8")) return "a GIF";
  if (start.starts_with("RIFF") && start.substr(8).starts_with("WEBP")) return "a WebP picture";
  if (start.starts_with(std::string_view("II*\0", 4)) || start.starts_with(std::string_view("MM\0*", 4))) {
    return "a TIFF";
  }
  if (start.size() > 8 && start.substr(4).starts_with("ftyp")) return "a HEIF or AVIF picture";
  if (start.starts_with("BM")) return "a BMP";
  if (is_text(bytes.substr(0, 64))) return fmt::format("text, {}", quote(bytes.substr(0, 64), 24));
  std::string hex;
  for (unsigned char c : bytes.substr(0, 4)) hex += fmt::format("{}{:02x}", hex.empty() ? "" : " ", c);
  return "the bytes " + hex;
}

[[noreturn]] void throw_unknown(std::string_view bytes, const std::string& where) {
  throw DataError({where, "a PNG or JPEG picture", kind_of(bytes), {}});
}

struct Pixel {
  int r, g, b, a;
};

Pixel load(const Byte* from, std::int64_t channels) {
  switch (channels) {
    case 1:
      return {from[0], from[0], from[0], 255};
    case 2:
      return {from[0], from[0], from[0], from[1]};
    case 3:
      return {from[0], from[1], from[2], 255};
    default:
      return {from[0], from[1], from[2], from[3]};
  }
}

// c·a + 255·(255 − a) over 255, rounded exactly.
int over_white(int c, int a) {
  const int sum = c * a + 255 * (255 - a) + 128;
  return (sum + (sum >> 8)) >> 8;
}

void store(Byte* to, Pixel p, std::int64_t channels) {
  if (channels < 4) p = {over_white(p.r, p.a), over_white(p.g, p.a), over_white(p.b, p.a), 255};
  if (channels == 1) {
    *to = static_cast<Byte>((19595 * p.r + 38470 * p.g + 7471 * p.b + 32768) >> 16);
    return;
  }
  const int values[] = {p.r, p.g, p.b, p.a};
  for (std::int64_t i = 0; i < channels; ++i) to[i] = static_cast<Byte>(values[i]);
}

// H×W×C to H×W×`channels`.
at::Tensor converted(const at::Tensor& pixels, std::int64_t channels) {
  const std::int64_t have = pixels.size(2), count = pixels.size(0) * pixels.size(1);
  if (have == channels) return pixels;
  const at::Tensor own = pixels.contiguous();
  const at::Tensor result = at::empty({own.size(0), own.size(1), channels}, at::kByte);
  const Byte* from = own.const_data_ptr<Byte>();
  Byte* to = result.mutable_data_ptr<Byte>();
  for (std::int64_t i = 0; i < count; ++i) store(to + i * channels, load(from + i * have, have), channels);
  return result;
}

}  // namespace

void check_pixels(const PictureInfo& info, const std::string& where, std::int64_t max_pixels) {
  if (info.width <= max_pixels / std::max<std::int64_t>(info.height, 1)) return;
  throw DataError({where, fmt::format("at most {} pixels", max_pixels), fmt::format("{}×{}", info.width, info.height),
                   "make it smaller"});
}

PictureInfo peek_picture(std::string_view bytes, const std::string& where, std::int64_t max_pixels) {
  PictureInfo info;
  if (is_png(bytes)) {
    info = peek_png(bytes, where);
  } else if (is_jpeg(bytes)) {
    info = peek_jpeg(bytes, where);
  } else {
    throw_unknown(bytes, where);
  }
  check_pixels(info, where, max_pixels);
  if (info.channels == 2) info.channels = 4;
  return info;
}

at::Tensor decode_picture(std::string_view bytes, const std::string& where, const PictureOptions& options) {
  if (options.channels < 0 || options.channels == 2 || options.channels > 4) {
    throw ConfigError({"channels", "0, 1, 3 or 4", fmt::format("{}", options.channels), {}});
  }
  at::Tensor pixels;
  if (is_png(bytes)) {
    pixels = decode_png_pixels(bytes, where, options.max_pixels);
  } else if (is_jpeg(bytes)) {
    pixels = decode_jpeg_pixels(bytes, where, options.max_pixels);
  } else {
    throw_unknown(bytes, where);
  }
  const std::int64_t own = pixels.size(2) == 2 ? 4 : pixels.size(2);
  return converted(pixels, options.channels == 0 ? own : options.channels).permute({2, 0, 1});
}

}  // namespace vaetl
