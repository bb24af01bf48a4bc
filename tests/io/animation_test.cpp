#include "vaetl/io/animation.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl::animation_test {
namespace {

using testing::expect_error;

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

struct Chunk {
  std::string kind, body;
};

// By the PNG specification, with checksums.
std::vector<Chunk> read_chunks(const std::string& file) {
  EXPECT_EQ(file.substr(0, 8), "\x89PNG\r\n\x1a\n");
  std::vector<Chunk> chunks;
  for (std::size_t at = 8; at < file.size();) {
    const std::uint32_t size = number_at(file, at);
    const std::string kind = file.substr(at + 4, 4), body = file.substr(at + 8, size), checked = kind + body;
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
    EXPECT_EQ(number_at(file, at + 8 + size), sum) << kind;
    chunks.push_back({kind, body});
    at += size + 12;
  }
  return chunks;
}

std::string inflated(const std::string& bytes, std::size_t size) {
  std::string result(size, '\0');
  uLongf length = size;
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(result.data()), &length, reinterpret_cast<const Bytef*>(bytes.data()),
                       bytes.size()),
            Z_OK);
  EXPECT_EQ(length, size);
  return result;
}

at::Tensor three_pictures() { return at::arange(3 * 2 * 5).remainder(7).to(at::kByte).view({3, 1, 2, 5}); }

TEST(Animation, HoldsEveryPictureInOrder) {
  const auto chunks = read_chunks(encode_animation(three_pictures(), 8));
  std::vector<std::string> kinds, frames;
  std::vector<std::uint32_t> numbers;
  for (const Chunk& chunk : chunks) {
    kinds.push_back(chunk.kind);
    if (chunk.kind == "fcTL" || chunk.kind == "fdAT") numbers.push_back(number_at(chunk.body, 0));
    if (chunk.kind == "IDAT") frames.push_back(chunk.body);
    if (chunk.kind == "fdAT") frames.push_back(chunk.body.substr(4));
  }
  EXPECT_EQ(kinds, (std::vector<std::string>{"IHDR", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"}));
  EXPECT_EQ(numbers, (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
  const std::string& control = chunks[1].body;
  EXPECT_EQ(number_at(control, 0), 3u);  // pictures
  EXPECT_EQ(number_at(control, 4), 0u);  // without end
  const std::string& frame = chunks[2].body;
  ASSERT_EQ(frame.size(), 26u);
  EXPECT_EQ(number_at(frame, 4), 5u);                  // width
  EXPECT_EQ(number_at(frame, 8), 2u);                  // height
  EXPECT_EQ(number_at(frame, 20), 125u << 16 | 1000);  // seconds: 125 / 1000
  for (std::size_t i = 0; i < 3; ++i) {
    const at::Tensor alone = three_pictures()[static_cast<std::int64_t>(i)];
    const auto still = read_chunks(encode_png(alone));
    EXPECT_EQ(inflated(frames[i], 12), inflated(still[1].body, 12)) << i;
  }
}

TEST(Animation, ShowsTheFirstWhereAnimationIsNotKnown) {
  const at::Tensor pictures = at::randint(0, 256, {4, 3, 9, 6}, at::kByte);
  EXPECT_TRUE(decode_png(encode_animation(pictures, 25), "animation").equal(pictures[0]));
}

TEST(Animation, Refusals) {
  const at::Tensor pictures = three_pictures();
  expect_error<DataError>([&] { encode_animation(pictures[0], 10); },
                          {"animation: expected uint8 pictures (N, C, H, W), at least one, found (1, 2, 5)"});
  expect_error<DataError>([&] { encode_animation(pictures.slice(0, 0, 0), 10); }, {"found (0, 1, 2, 5)"});
  expect_error<DataError>([&] { encode_animation(pictures, 0); },
                          {"animation: expected from 0.1 to 100 pictures a second, found 0"});
  expect_error<DataError>([&] { encode_animation(pictures.to(at::kFloat), 10); }, {"uint8"});
}

}  // namespace
}  // namespace vaetl::animation_test
