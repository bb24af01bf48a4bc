#include "vaetl/io/jpeg.hpp"

#include <ATen/ATen.h>
#include <libexif/exif-data.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
// After <cstdio>, which it needs.
#include <jpeglib.h>
// After <jpeglib.h>.
#include <jerror.h>

#include "vaetl/core/error.hpp"

// libjpeg reports errors by a function that must not return. Every setjmp below stands in a function of its own whose
// locals are all trivial, and the state it works on belongs to the caller, so that a jump skips no destructor.
namespace vaetl {
namespace {

constexpr int most_scans = 100;  // each may cost a pass over the whole image

struct Decoder {
  explicit Decoder(std::string_view data) : bytes(data) {}
  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  jpeg_decompress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  jpeg_progress_mgr progress = {};
  std::jmp_buf jump = {};
  std::string_view bytes;
  char message[JMSG_LENGTH_MAX] = "";
};

Decoder& owner(j_common_ptr common) { return *static_cast<Decoder*>(common->client_data); }

void on_error(j_common_ptr common) {
  Decoder& decoder = owner(common);
  common->err->format_message(common, decoder.message);
  std::longjmp(decoder.jump, 1);
}

// Warnings that leave the pixels whole; every other one means that some of them were made up.
bool harmless(int code) { return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR; }

void on_message(j_common_ptr common, int level) {
  if (level < 0 && !harmless(common->err->msg_code)) on_error(common);
}

void on_output(j_common_ptr) {}

void on_progress(j_common_ptr common) {
  Decoder& decoder = owner(common);
  if (decoder.jpeg.input_scan_number <= most_scans) return;
  std::strncpy(decoder.message, "more than 100 scans", sizeof decoder.message - 1);
  std::longjmp(decoder.jump, 1);
}

bool read_header(Decoder& decoder) {
  decoder.jpeg.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = on_error;
  decoder.errors.emit_message = on_message;
  decoder.errors.output_message = on_output;
  decoder.progress.progress_monitor = on_progress;
  decoder.jpeg.client_data = &decoder;
  if (setjmp(decoder.jump) != 0) return false;
  jpeg_create_decompress(&decoder.jpeg);
  decoder.jpeg.progress = &decoder.progress;
  jpeg_save_markers(&decoder.jpeg, JPEG_APP0 + 1, 0xffff);
  jpeg_mem_src(&decoder.jpeg, reinterpret_cast<const unsigned char*>(decoder.bytes.data()), decoder.bytes.size());
  jpeg_read_header(&decoder.jpeg, TRUE);
  return true;
}

bool read_rows(Decoder& decoder, JSAMPROW* rows) {
  if (setjmp(decoder.jump) != 0) return false;
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  const J_COLOR_SPACE spaces[] = {JCS_GRAYSCALE, JCS_RGB, JCS_RGB, JCS_CMYK};
  jpeg.out_color_space = spaces[jpeg.num_components - 1];
  jpeg_start_decompress(&jpeg);
  while (jpeg.output_scanline < jpeg.output_height) {
    jpeg_read_scanlines(&jpeg, rows + jpeg.output_scanline, jpeg.output_height - jpeg.output_scanline);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

// 1 … 8 as EXIF numbers them; 1 where nothing is said, or nothing that holds.
int orientation_in(const JOCTET* data, unsigned int size) {
  const std::unique_ptr<ExifData, decltype(&exif_data_unref)> exif(exif_data_new_from_data(data, size),
                                                                   &exif_data_unref);
  if (!exif) return 1;
  const ExifEntry* entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
  const int value = exif_get_short(entry->data, exif_data_get_byte_order(exif.get()));
  return value >= 1 && value <= 8 ? value : 1;
}

int orientation_of(const jpeg_decompress_struct& jpeg) {
  constexpr char mark[6] = {'E', 'x', 'i', 'f', 0, 0};
  for (auto* marker = jpeg.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->marker == JPEG_APP0 + 1 && marker->data_length > 6 && std::memcmp(marker->data, mark, 6) == 0) {
      return orientation_in(marker->data, marker->data_length);
    }
  }
  return 1;
}

at::Tensor oriented(const at::Tensor& pixels, int orientation) {
  const at::Tensor upright = orientation >= 5 ? pixels.transpose(0, 1) : pixels;
  switch (orientation) {
    case 2:
    case 6:
      return upright.flip(1);
    case 3:
    case 7:
      return upright.flip({0, 1});
    case 4:
    case 8:
      return upright.flip(0);
    default:
      return upright;
  }
}

// Inverted inks to light: (255 − ink) · (255 − black) / 255, rounded as Pillow does.
at::Tensor rgb_of_cmyk(const at::Tensor& pixels) {
  const at::Tensor result = at::empty({pixels.size(0), pixels.size(1), 3}, at::kByte);
  const auto* from = pixels.const_data_ptr<std::uint8_t>();
  auto* to = result.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < pixels.size(0) * pixels.size(1); ++i, from += 4, to += 3) {
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - from[c]) * from[3] + 128;
      to[c] = static_cast<std::uint8_t>(std::max(0, from[3] - ((product + (product >> 8)) >> 8)));
    }
  }
  return result;
}

[[noreturn]] void throw_damaged(const Decoder& decoder, const std::string& where) {
  throw DataError({where, "an intact JPEG image", fmt::format("\"{}\"", decoder.message), {}});
}

PictureInfo open_image(Decoder& decoder, const std::string& where) {
  if (!read_header(decoder)) throw_damaged(decoder, where);
  const int components = decoder.jpeg.num_components;
  if (components != 1 && components != 3 && components != 4) {
    throw DataError({where, "a grey, RGB or CMYK JPEG image", fmt::format("{} components", components), {}});
  }
  PictureInfo info{decoder.jpeg.image_width, decoder.jpeg.image_height, components == 1 ? 1 : 3, "JPEG"};
  if (orientation_of(decoder.jpeg) >= 5) std::swap(info.width, info.height);
  return info;
}

}  // namespace

PictureInfo peek_jpeg(std::string_view bytes, const std::string& where) {
  Decoder decoder(bytes);
  return open_image(decoder, where);
}

at::Tensor decode_jpeg_pixels(std::string_view bytes, const std::string& where, std::int64_t max_pixels) {
  Decoder decoder(bytes);
  check_pixels(open_image(decoder, where), where, max_pixels);
  const int orientation = orientation_of(decoder.jpeg);  // reading the rows forgets the markers
  const std::int64_t height = decoder.jpeg.image_height, width = decoder.jpeg.image_width;
  const at::Tensor pixels = at::empty({height, width, decoder.jpeg.num_components}, at::kByte);
  std::vector<JSAMPROW> rows(static_cast<std::size_t>(height));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = pixels.mutable_data_ptr<std::uint8_t>() + static_cast<std::int64_t>(i) * pixels.stride(0);
  }
  if (!read_rows(decoder, rows.data())) throw_damaged(decoder, where);
  return oriented(pixels.size(2) == 4 ? rgb_of_cmyk(pixels) : pixels, orientation);
}

}  // namespace vaetl
