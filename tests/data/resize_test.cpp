// Resizing against Pillow (tests/parity/resize.py), the centre crop, and the two as transforms.
#include "vaetl/data/transforms/resize.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::resize_test {
namespace {

using namespace transforms;
using testing::expect_error;

const std::map<std::string, at::Tensor>& reference() {
  static const TensorFile file = read_safetensors("tests/parity/resize.safetensors");
  return file.tensors;
}

TEST(Resize, AgreesWithPillowWithinTwoLevels) {
  std::int64_t differing = 0, count = 0;
  for (const auto& [key, expected] : reference()) {
    const std::string filter = key.substr(3);
    if (filter == "input") continue;
    const at::Tensor images = reference().at(key.substr(0, 3) + "input").unsqueeze(0);
    const at::Tensor interleaved = images.contiguous(at::MemoryFormat::ChannelsLast);
    for (const at::Tensor& given : {images, interleaved}) {
      const at::Tensor got = resize_images(given, expected.size(1), expected.size(2), filter)[0];
      const at::Tensor gap = (got.to(at::kInt) - expected.to(at::kInt)).abs();
      EXPECT_LE(gap.max().item<int>(), 2) << key;
      differing += gap.gt(0).sum().item<std::int64_t>();
      count += gap.numel();
    }
  }
  EXPECT_GT(count, 50'000);
  EXPECT_LT(static_cast<double>(differing), 0.01 * static_cast<double>(count));
}

// Bilinear needs no clipping: without rounding between and behind the passes each may add half a level, and Pillow's
// own two rounding errors are another.
TEST(Resize, FloatsAgreeWithinTheRounding) {
  for (const auto& [key, expected] : reference()) {
    if (!key.ends_with("bilinear")) continue;
    const at::Tensor images = reference().at(key.substr(0, 3) + "input").unsqueeze(0).to(at::kFloat);
    const at::Tensor got = resize_images(images, expected.size(1), expected.size(2), "bilinear")[0];
    EXPECT_LE((got - expected).abs().max().item<float>(), 1.01F) << key;
  }
}

TEST(Resize, SameSizeIsTheSame) {
  const at::Tensor images = at::rand({2, 3, 5, 4});
  EXPECT_TRUE(at::equal(resize_images(images, 5, 4, "bicubic"), images));
  EXPECT_TRUE(at::equal(resize_images(at::full({1, 1, 9, 1}, 7.F), 3, 1, "bilinear"), at::full({1, 1, 3, 1}, 7.F)));
}

TEST(Resize, CentreCropRoundsHalvesToEven) {
  const at::Tensor images = at::arange(49, at::kFloat).view({1, 1, 7, 7});
  auto corner = [&](std::int64_t height, std::int64_t width) {
    return centre_crop_images(images, height, width)[0][0][0][0].item<float>();
  };
  EXPECT_EQ(corner(7, 7), 0);
  EXPECT_EQ(corner(6, 4), 0 * 7 + 2);  // (7 − 6)/2 → 0, (7 − 4)/2 → 2
  EXPECT_EQ(corner(3, 2), 2 * 7 + 2);  // 2, 5/2 → 2
  expect_error<DataError>([&] { centre_crop_images(images, 8, 7); },
                          {"centre_crop: expected images of at least 8×7 (height by width), found 7×7"});
}

TEST(Resize, AsPreprocessing) {
  const auto preprocess = Preprocess::from_json(parse_json(R"([{"name": "resize", "size": [8, 6], "filter": "bicubic"},
                     {"name": "centre_crop", "size": [4, 4]}])",
                                                           "preprocess"));
  Fields fields;
  fields.set("input", at::full({2, 3, 5, 5}, 9, at::kByte));
  preprocess.apply(fields);
  EXPECT_EQ(fields.input().sizes().vec(), (std::vector<std::int64_t>{2, 3, 4, 4}));
  EXPECT_LE((fields.input() - 9).abs().max().item<float>(), 1e-5F);
}

TEST(Resize, Options) {
  testing::expect_fields_cover<Resize::Options>();
  testing::expect_fields_cover<CentreCrop::Options>();
  expect_error<ConfigError>([] { Resize({.size = {3}}); }, {"resize.size: expected [height, width]", "found [3]"});
  expect_error<ConfigError>([] { CentreCrop({.size = {0, 3}}); }, {"centre_crop.size", "found [0, 3]"});
}

}  // namespace
}  // namespace vaetl::resize_test
