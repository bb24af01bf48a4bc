#include "vaetl/io/animation.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <cmath>
#include <string_view>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl {
namespace {

constexpr std::size_t signature_bytes = 8, frame_bytes = 12;  // of a chunk: its length, kind and checksum

std::string network_order(std::uint32_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}

void append_chunk(std::string& file, std::string_view kind, const std::string& body) {
  const std::string checked = std::string(kind) + body;
  const auto sum = crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size());
  file += network_order(static_cast<std::uint32_t>(body.size()), 4) + checked +
          network_order(static_cast<std::uint32_t>(sum), 4);
}

struct PngChunk {
  std::string_view kind, body, whole;
};

// Of a file that encode_png wrote.
std::vector<PngChunk> chunks_of(std::string_view file) {
  std::vector<PngChunk> chunks;
  for (std::size_t at = signature_bytes; at + frame_bytes <= file.size();) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(file[at + i]);
    chunks.push_back({file.substr(at + 4, 4), file.substr(at + 8, size), file.substr(at, size + frame_bytes)});
    at += size + frame_bytes;
  }
  return chunks;
}

// fcTL of a picture that covers the whole and replaces the one before; the delay is in milliseconds.
std::string frame_control(std::uint32_t number, const at::Tensor& pictures, double rate) {
  const auto delay = static_cast<std::uint32_t>(std::lround(1000 / rate));
  std::string body = network_order(number, 4);
  for (const std::int64_t value : {pictures.size(3), pictures.size(2), std::int64_t{0}, std::int64_t{0}}) {
    body += network_order(static_cast<std::uint32_t>(value), 4);
  }
  return body + network_order(delay, 2) + network_order(1000, 2) + std::string(2, '\0');
}

void check_animation(const at::Tensor& pictures, double rate) {
  const bool fits = pictures.defined() && pictures.dim() == 4 && pictures.numel() > 0;
  if (!fits) {
    const std::string found = pictures.defined() ? shape_text(pictures.sizes().vec()) : "an undefined tensor";
    throw DataError({"animation", "uint8 pictures (N, C, H, W), at least one", found, {}});
  }
  if (!(rate >= 0.1 && rate <= 100)) {
    throw DataError({"animation", "from 0.1 to 100 pictures a second", fmt::format("{}", rate), {}});
  }
}

}  // namespace

std::string encode_animation(const at::Tensor& pictures, double rate) {
  check_animation(pictures, rate);
  std::string file;
  std::uint32_t number = 0;
  for (std::int64_t i = 0; i < pictures.size(0); ++i) {
    const std::string png = encode_png(pictures[i]);
    const std::string control = frame_control(number++, pictures, rate);
    if (i > 0) append_chunk(file, "fcTL", control);
    for (const PngChunk& chunk : chunks_of(png)) {
      if (chunk.kind == "IHDR" && i == 0) {
        file = png.substr(0, signature_bytes) + std::string(chunk.whole);
        append_chunk(file, "acTL",
                     network_order(static_cast<std::uint32_t>(pictures.size(0)), 4) + network_order(0, 4));
        append_chunk(file, "fcTL", control);
      }
      if (chunk.kind != "IDAT") continue;
      if (i == 0) file += chunk.whole;
      if (i > 0) append_chunk(file, "fdAT", network_order(number++, 4) + std::string(chunk.body));
    }
  }
  append_chunk(file, "IEND", {});
  return file;
}

void write_animation(const std::filesystem::path& path, const at::Tensor& pictures, double rate) {
  write_atomically(path, encode_animation(pictures, rate));
}

}  // namespace vaetl
