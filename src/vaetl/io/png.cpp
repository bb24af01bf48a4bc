#include "vaetl/io/png.hpp"

#include <ATen/ops/empty.h>
#include <fmt/ranges.h>
#include <png.h>

#include <csetjmp>
#include <cstring>

#include "vaetl/core/error.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/descriptor.hpp"

// libpng reports errors by longjmp. Every setjmp below stands in a function of its own whose locals are all trivial,
// and the state it works on belongs to the caller, so that a jump skips no destructor.
namespace vaetl {
namespace {

struct State {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string_view input = {};
  std::string output = {};
  bool no_memory = false;
  char message[160] = "";
};

void on_error(png_structp png, png_const_charp text) {
  auto* state = static_cast<State*>(png_get_error_ptr(png));
  std::strncpy(state->message, text, sizeof state->message - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep to, std::size_t size) {
  auto* state = static_cast<State*>(png_get_io_ptr(png));
  if (size > state->input.size()) png_error(png, "the file ends early");
  std::memcpy(to, state->input.data(), size);
  state->input.remove_prefix(size);
}

void on_write(png_structp png, png_bytep from, std::size_t size) {
  auto* state = static_cast<State*>(png_get_io_ptr(png));
  try {
    state->output.append(reinterpret_cast<const char*>(from), size);
  } catch (const std::bad_alloc&) {
    state->no_memory = true;
  }
  if (state->no_memory) png_error(png, "no memory");
}

void on_flush(png_structp) {}

struct Reader : State {
  explicit Reader(std::string_view bytes) {
    input = bytes;
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, static_cast<State*>(this), on_error, on_warning);
    if (png != nullptr) info = png_create_info_struct(png);
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  png_uint_32 width = 0, height = 0;
  int channels = 0;
};

struct Writer : State {
  Writer() {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, static_cast<State*>(this), on_error, on_warning);
    if (png != nullptr) info = png_create_info_struct(png);
  }
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

bool read_header(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_set_read_fn(reader.png, static_cast<State*>(&reader), on_read);
  png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(reader.png, reader.info);
  reader.width = png_get_image_width(reader.png, reader.info);
  reader.height = png_get_image_height(reader.png, reader.info);
  const png_byte colour = png_get_color_type(reader.png, reader.info);
  const bool alpha = (colour & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(reader.png, reader.info, PNG_INFO_tRNS) != 0;
  reader.channels = ((colour & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1) + (alpha ? 1 : 0);
  return true;
}

bool choose_form(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_set_expand(reader.png);
  png_set_scale_16(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  reader.channels = png_get_channels(reader.png, reader.info);
  return true;
}

bool read_rows(Reader& reader, png_bytepp rows) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_read_image(reader.png, rows);
  png_read_end(reader.png, nullptr);
  return true;
}

bool write_image(Writer& writer, png_uint_32 width, png_uint_32 height, int colour, png_bytepp rows) {
  if (setjmp(png_jmpbuf(writer.png)) != 0) return false;
  png_set_write_fn(writer.png, static_cast<State*>(&writer), on_write, on_flush);
  png_set_user_limits(writer.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_IHDR(writer.png, writer.info, width, height, 8, colour, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  png_write_image(writer.png, rows);
  png_write_end(writer.png, writer.info);
  return true;
}

// `pixels` is H×W×C and contiguous.
std::vector<png_bytep> row_pointers(const at::Tensor& pixels) {
  std::vector<png_bytep> rows(static_cast<std::size_t>(pixels.size(0)));
  auto* data = pixels.data_ptr<std::uint8_t>();
  const std::int64_t stride = pixels.size(1) * pixels.size(2);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = data + static_cast<std::int64_t>(i) * stride;
  return rows;
}

// H×W×C on the CPU.
at::Tensor pixels_of(const at::Tensor& image) {
  const bool dims = image.defined() && (image.dim() == 2 || image.dim() == 3);
  const auto full = dims && image.dim() == 2 ? image.unsqueeze(0) : image;
  if (dims && full.scalar_type() == at::kByte && full.size(0) >= 1 && full.size(0) <= 4 && full.numel() > 0) {
    return full.cpu().permute({1, 2, 0}).contiguous();
  }
  throw DataError({.where = "PNG image",
                   .expected = "a uint8 tensor of H×W or C×H×W with 1 to 4 channels and at least one pixel",
                   .found = image.defined() ? fmt::format("{} [{}]", c10::toString(image.scalar_type()),
                                                          fmt::join(image.sizes().begin(), image.sizes().end(), ", "))
                                            : "an undefined tensor"});
}

[[noreturn]] void throw_damaged(const Reader& reader, const std::string& where) {
  throw DataError(
      {.where = where, .expected = "an intact PNG image", .found = "\"" + std::string(reader.message) + "\""});
}

PictureInfo open_image(Reader& reader, const std::string& where) {
  if (reader.info == nullptr) throw std::bad_alloc();
  if (!read_header(reader)) throw_damaged(reader, where);
  return {reader.width, reader.height, reader.channels, "PNG"};
}

}  // namespace

std::string encode_png(const at::Tensor& image) {
  const at::Tensor pixels = pixels_of(image);
  constexpr int colours[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                             PNG_COLOR_TYPE_RGB_ALPHA};
  auto rows = row_pointers(pixels);
  Writer writer;
  if (writer.info == nullptr) throw std::bad_alloc();
  const bool fits = std::max(pixels.size(0), pixels.size(1)) <= std::int64_t{PNG_UINT_31_MAX};
  if (!fits || !write_image(writer, static_cast<png_uint_32>(pixels.size(1)), static_cast<png_uint_32>(pixels.size(0)),
                            colours[pixels.size(2) - 1], rows.data())) {
    throw DataError({.where = "PNG image",
                     .expected = "an image that libpng can encode",
                     .found = fits ? std::string(writer.message) : "more than 2147483647 pixels along one side"});
  }
  return std::move(writer.output);
}

void write_png(const std::filesystem::path& path, const at::Tensor& image) {
  write_atomically(path, encode_png(image));
}

at::Tensor decode_png_pixels(std::string_view bytes, const std::string& where, std::int64_t max_pixels) {
  Reader reader(bytes);
  check_pixels(open_image(reader, where), where, max_pixels);
  if (!choose_form(reader)) throw_damaged(reader, where);
  const auto pixels = at::empty({reader.height, reader.width, reader.channels}, at::kByte);
  auto rows = row_pointers(pixels);
  if (!read_rows(reader, rows.data())) throw_damaged(reader, where);
  return pixels;
}

at::Tensor decode_png(std::string_view bytes, const std::string& where, std::int64_t max_pixels) {
  return decode_png_pixels(bytes, where, max_pixels).permute({2, 0, 1}).contiguous();
}

PictureInfo peek_png(std::string_view bytes, const std::string& where) {
  Reader reader(bytes);
  return open_image(reader, where);
}

at::Tensor read_png(const std::filesystem::path& path, std::int64_t max_pixels) {
  constexpr std::size_t largest_file = std::size_t{1} << 30;
  std::string bytes;
  if (auto problem = slurp(path, largest_file, bytes)) throw DataError(*std::move(problem));
  return decode_png(bytes, path.string(), max_pixels);
}

}  // namespace vaetl
