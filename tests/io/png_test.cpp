#include "vaetl/io/png.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "tests/io/scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::png_test {
namespace {

using testing::expect_error;
using testing::Scratch;

at::Tensor ramp(at::IntArrayRef shape) {
  return at::arange(c10::multiply_integers(shape)).remainder(251).to(at::kByte).view(shape);
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// PNG files put together by hand, so that reading is not checked against our own writing.
std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto checksum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(checksum));
}

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string result(size, '\0');
  compress(reinterpret_cast<Bytef*>(result.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  result.resize(size);
  return result;
}

constexpr char grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgb_alpha = 6;  // colour types

struct Plan {
  std::uint32_t width, height;
  char depth, colour;
  std::string rows;  // each begins with its filter byte
  std::string extra = "";
  char interlace = 0;
};

std::string png_file(const Plan& plan) {
  const std::string header =
      big_endian(plan.width) + big_endian(plan.height) + plan.depth + plan.colour + '\0' + '\0' + plan.interlace;
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + plan.extra + chunk("IDAT", deflated(plan.rows)) +
         chunk("IEND", "");
}

std::string bytes(std::initializer_list<int> values) {
  std::string result;
  for (int value : values) result += static_cast<char>(value);
  return result;
}

void expect_pixels(const Plan& plan, at::IntArrayRef shape, std::initializer_list<int> expected) {
  const at::Tensor image = decode_png(png_file(plan), "made.png");
  EXPECT_EQ(image.scalar_type(), at::kByte);
  ASSERT_EQ(image.sizes(), shape);
  const auto wanted = at::tensor(std::vector<std::int64_t>(expected.begin(), expected.end())).to(at::kByte).view(shape);
  EXPECT_TRUE(at::equal(image, wanted)) << image << wanted;
}

TEST(Png, RoundTripOfEveryChannelCount) {
  const Scratch scratch;
  for (std::int64_t channels : {1, 2, 3, 4}) {
    const auto image = ramp({channels, 5, 7});
    write_png(scratch / "a.png", image);
    EXPECT_TRUE(at::equal(read_png(scratch / "a.png"), image)) << channels << " channels";
  }
  EXPECT_EQ(scratch.names().size(), 1u);
}

TEST(Png, TwoDimensionsAndViews) {
  const auto image = ramp({6, 4});
  EXPECT_TRUE(at::equal(decode_png(encode_png(image), "a"), image.unsqueeze(0)));
  EXPECT_TRUE(at::equal(decode_png(encode_png(image.t()), "a"), image.t().unsqueeze(0)));
  const auto channels_last = ramp({4, 5, 3}).permute({2, 0, 1});
  EXPECT_TRUE(at::equal(decode_png(encode_png(channels_last), "a"), channels_last));
}

TEST(Png, ReadsTheFormsOfOthers) {
  expect_pixels({2, 2, 8, grey, bytes({0, 1, 2, 0, 3, 4})}, {1, 2, 2}, {1, 2, 3, 4});
  expect_pixels({2, 1, 8, rgb, bytes({0, 1, 2, 3, 4, 5, 6})}, {3, 1, 2}, {1, 4, 2, 5, 3, 6});
  expect_pixels({1, 1, 8, rgb_alpha, bytes({0, 1, 2, 3, 4})}, {4, 1, 1}, {1, 2, 3, 4});
  expect_pixels({1, 1, 8, grey_alpha, bytes({0, 9, 8})}, {2, 1, 1}, {9, 8});
  expect_pixels({3, 1, 1, grey, bytes({0, 0b10100000})}, {1, 1, 3}, {255, 0, 255});
  expect_pixels({3, 1, 2, grey, bytes({0, 0b00011000})}, {1, 1, 3}, {0, 85, 170});
  // 16 bits: v · 255 / 65535, rounded; 0x0180 = 384 is 1.494 and 0x0181 = 385 is 1.498, both 1; 0x0182 = 386 is 1.502.
  expect_pixels({4, 1, 16, grey, bytes({0, 0xff, 0xff, 0x01, 0x80, 0x01, 0x81, 0x01, 0x82})}, {1, 1, 4},
                {255, 1, 1, 2});
}

TEST(Png, ReadsFiltersAndInterlacing) {
  expect_pixels({2, 2, 8, grey, bytes({1, 10, 5, 2, 1, 1})}, {1, 2, 2}, {10, 15, 11, 16});       // sub, then up
  expect_pixels({2, 2, 8, grey, bytes({0, 1, 0, 2, 0, 3, 4}), "", 1}, {1, 2, 2}, {1, 2, 3, 4});  // Adam7
}

TEST(Png, PalettesAndTransparency) {
  const std::string colours = chunk("PLTE", bytes({10, 20, 30, 40, 50, 60}));
  const std::string rows = bytes({0, 1, 0});
  expect_pixels({2, 1, 8, palette, rows, colours}, {3, 1, 2}, {40, 10, 50, 20, 60, 30});
  expect_pixels({2, 1, 8, palette, rows, colours + chunk("tRNS", bytes({7}))}, {4, 1, 2},
                {40, 10, 50, 20, 60, 30, 255, 7});
  expect_pixels({2, 1, 8, grey, bytes({0, 5, 6}), chunk("tRNS", bytes({0, 6}))}, {2, 1, 2}, {5, 6, 255, 0});
}

TEST(Png, GammaIsLeftAlone) {
  expect_pixels({2, 1, 8, grey, bytes({0, 100, 200}), chunk("gAMA", big_endian(100'000))}, {1, 1, 2}, {100, 200});
}

TEST(Png, HugeDimensionsAreRefusedBeforeMemoryIsTaken) {
  const Plan wide{2'147'483'647, 2'147'483'647, 8, rgb, bytes({0, 1, 2, 3})};
  expect_error<DataError>([&] { decode_png(png_file(wide), "wide.png"); },
                          {"wide.png: expected at most 67108864 pixels, found 2147483647×2147483647"});
  const Plan small{3, 2, 8, grey, bytes({0, 1, 2, 3, 0, 1, 2, 3})};
  EXPECT_EQ(decode_png(png_file(small), "small.png", 6).numel(), 6);
  expect_error<DataError>([&] { decode_png(png_file(small), "small.png", 5); },
                          {"small.png: expected at most 5 pixels, found 3×2"});
}

TEST(Png, WrongFilesAreOneLine) {
  const Scratch scratch;
  auto refused = [&](std::string_view content, std::string_view message) {
    const auto path = scratch.put("a.png", content);
    expect_error<DataError>([&] { read_png(path); }, {path.string() + ": expected an intact PNG image", message});
  };
  std::string checksum = encode_png(ramp({4, 4}));
  checksum[20] = static_cast<char>(checksum[20] ^ 1);  // in IHDR
  refused("", "the file ends early");
  refused("this is no picture at all", "Not a PNG file");
  refused(checksum, "CRC error");
  refused(png_file({0, 1, 8, grey, ""}), "Invalid IHDR data");
  refused(png_file({1, 1, 8, palette, bytes({0, 0})}), "Missing PLTE");
  refused(png_file({4, 4, 8, grey, bytes({0, 1})}), "Not enough image data");
  expect_error<DataError>([&] { read_png(scratch / "absent.png"); },
                          {(scratch / "absent.png").string(), "No such file or directory"});
  expect_error<DataError>([&] { read_png(scratch.folder()); }, {"expected a regular file, found a folder"});
}

TEST(Png, EveryTruncationIsRefused) {
  const std::string whole = encode_png(ramp({3, 6, 5}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error<DataError>([&] { decode_png(std::string_view(whole).substr(0, size), "cut.png"); },
                            {"cut.png: expected an intact PNG image"});
  }
}

TEST(Png, MutationsLoadOrAreDataErrors) {
  const std::string whole = encode_png(ramp({3, 6, 5}));
  std::mt19937 random(11);
  for (int i = 0; i < 3000; ++i) {
    std::string mutant = whole;
    for (std::uint32_t flips = random() % 3 + 1; flips > 0; --flips) {
      mutant[random() % mutant.size()] = static_cast<char>(random());
    }
    try {
      EXPECT_EQ(decode_png(mutant, "mutant.png").dim(), 3);
    } catch (const DataError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("mutant.png: expected ")) << error.what();
    }
  }
}

TEST(Png, WrongTensorsAreOneLine) {
  const Scratch scratch;
  auto refused = [](const at::Tensor& image, std::string_view found) {
    expect_error<DataError>([&] { encode_png(image); }, {"expected a uint8 tensor of H×W or C×H×W", found});
  };
  refused(at::zeros({3, 4}), "found Float [3, 4]");
  refused(ramp({5, 2, 2}), "found Byte [5, 2, 2]");
  refused(ramp({1, 1, 2, 2}), "found Byte [1, 1, 2, 2]");
  refused(ramp({3, 0, 2}), "found Byte [3, 0, 2]");
  refused(ramp({4}), "found Byte [4]");
  refused(at::Tensor(), "found an undefined tensor");
  expect_error<OutputError>([&] { write_png(scratch / "absent/a.png", ramp({2, 2})); }, {"absent/a.png"});
}

TEST(ImageGrid, PlacesRowByRow) {
  const auto images = at::tensor({1, 2, 3}, at::kByte).view({3, 1, 1, 1}).expand({3, 1, 1, 2});
  const auto expected = at::tensor({9, 9, 9, 9, 9, 9, 9,  //
                                    9, 1, 1, 9, 2, 2, 9,  //
                                    9, 9, 9, 9, 9, 9, 9,  //
                                    9, 3, 3, 9, 9, 9, 9,  //
                                    9, 9, 9, 9, 9, 9, 9},
                                   at::kByte)
                            .view({1, 5, 7});
  EXPECT_TRUE(at::equal(image_grid(images, 2, 1, 9), expected));
}

TEST(ImageGrid, ShapesAndDefaults) {
  EXPECT_EQ(image_grid(ramp({2, 3, 4, 5}), 8).sizes(), (std::vector<std::int64_t>{3, 8, 16}));
  EXPECT_EQ(image_grid(ramp({5, 1, 4, 4}), 2, 0).sizes(), (std::vector<std::int64_t>{1, 12, 8}));
  EXPECT_EQ(image_grid(ramp({1, 1, 4, 4}), 1)[0][0][0].item<int>(), 255);
}

TEST(ImageGrid, RefusesOtherTensors) {
  expect_error<DataError>([] { image_grid(at::zeros({2, 1, 3, 3}), 2); }, {"found Float [2, 1, 3, 3]"});
  expect_error<DataError>([] { image_grid(ramp({2, 3, 3}), 2); }, {"expected uint8 images of N×C×H×W"});
  expect_error<DataError>([] { image_grid(ramp({0, 1, 3, 3}), 2); }, {"at least one"});
  expect_error<DataError>([] { image_grid(ramp({2, 1, 3, 3}), 0); }, {"at least 1 column", "found 0 and 2"});
  expect_error<DataError>([] { image_grid(ramp({2, 1, 3, 3}), 1, -1); }, {"no negative padding", "found 1 and -1"});
}

}  // namespace
}  // namespace vaetl::png_test
