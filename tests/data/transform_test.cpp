#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/transforms/colour.hpp"
#include "vaetl/data/transforms/geometry.hpp"
#include "vaetl/data/transforms/mapping.hpp"

namespace vaetl::transform_test {
namespace {

using namespace transforms;
using testing::expect_error;
using testing::long_tensor;

Fields input(const at::Tensor& values) {
  Fields fields;
  fields.set("input", values);
  return fields;
}

at::Tensor apply(const Transform& transform, const at::Tensor& values, std::uint64_t seed = 0) {
  Fields fields = input(values);
  at::Generator generator = make_generator(seed);
  transform.apply(fields, generator);
  return fields.input();
}

at::Tensor random_images(std::int64_t count, std::int64_t channels = 1, std::int64_t size = 6) {
  return at::rand({count, channels, size, size}, make_generator(99), at::kFloat);
}

at::Tensor numbered_image() { return at::arange(1, 10, at::kFloat).view({1, 1, 3, 3}); }

at::Tensor image(std::vector<float> values) { return at::tensor(values).view({1, 1, 3, 3}); }

TEST(Transforms, OptionsAreCovered) {
  testing::expect_fields_cover<Scale::Options>();
  testing::expect_fields_cover<Standardise::Options>();
  testing::expect_fields_cover<Shift::Options>();
  testing::expect_fields_cover<Crop::Options>();
  testing::expect_fields_cover<Flip::Options>();
  testing::expect_fields_cover<Brightness::Options>();
  testing::expect_fields_cover<Noise::Options>();
}

TEST(Transforms, AnUnknownNameSuggestsTheNearest) {
  expect_error<ConfigError>([] { make<Transform>("flop", {}); }, {"transform", "did you mean \"flip\""});
}

// What each random transform owes: the same for the same key, another for another, the shape and type kept, the given
// tensor untouched, nothing drawn from the default generator.
class RandomTransform : public ::testing::TestWithParam<const char*> {};

TEST_P(RandomTransform, IsAFunctionOfItsGenerator) {
  const auto transform = registry<Transform>().make({GetParam()});
  EXPECT_TRUE(transform->random());
  const at::Tensor images = random_images(64, 3), copy = images.clone();
  const at::Tensor before = at::detail::getDefaultCPUGenerator().get_state();
  const at::Tensor a = apply(*transform, images, 1);
  EXPECT_TRUE(at::equal(a, apply(*transform, images, 1)));
  EXPECT_FALSE(at::equal(a, apply(*transform, images, 2)));
  EXPECT_FALSE(at::equal(a, images));
  EXPECT_EQ(a.sizes(), images.sizes());
  EXPECT_EQ(a.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(images, copy));
  EXPECT_TRUE(at::equal(before, at::detail::getDefaultCPUGenerator().get_state()));
}

TEST_P(RandomTransform, RefusesWhatIsNoImage) {
  const auto transform = registry<Transform>().make({GetParam()});
  expect_error<DataError>(
      [&] {
        apply(*transform, at::zeros({16, 784}));
      },
      {GetParam(), "images (N, C, H, W) of floats", "(16, 784) float32"});
  expect_error<DataError>([&] { apply(*transform, at::zeros({2, 1, 4, 4}, at::kByte)); }, {"(2, 1, 4, 4) uint8"});
  EXPECT_EQ(apply(*transform, at::zeros({0, 1, 4, 4})).size(0), 0);
}

INSTANTIATE_TEST_SUITE_P(All, RandomTransform, ::testing::Values("shift", "crop", "flip", "brightness", "noise"));

TEST(Shift, MovesDownAndRight) {
  const at::Tensor x = numbered_image();
  const auto moved = [&](std::int64_t down, std::int64_t right, bool border) {
    return shift_images(x, at::tensor(std::vector<std::int64_t>{down, right}, at::kLong).view({2, 1}), 2, border);
  };
  EXPECT_TRUE(at::equal(moved(0, 0, false), x));
  EXPECT_TRUE(at::equal(moved(1, 0, false), image({0, 0, 0, 1, 2, 3, 4, 5, 6})));
  EXPECT_TRUE(at::equal(moved(0, 1, false), image({0, 1, 2, 0, 4, 5, 0, 7, 8})));
  EXPECT_TRUE(at::equal(moved(-2, -1, false), image({8, 9, 0, 0, 0, 0, 0, 0, 0})));
  EXPECT_TRUE(at::equal(moved(-2, -1, true), image({8, 9, 9, 8, 9, 9, 8, 9, 9})));
}

TEST(Shift, EachImageHasItsOwnOffset) {
  const at::Tensor x = random_images(2, 3);
  const at::Tensor offsets = at::tensor(std::vector<std::int64_t>{1, 0, 0, -2}, at::kLong).view({2, 2});
  const at::Tensor y = shift_images(x, offsets, 2);
  EXPECT_TRUE(at::equal(y[0].slice(1, 1), x[0].slice(1, 0, 5)));
  EXPECT_TRUE(at::equal(y[1].slice(2, 0, 4), x[1].slice(2, 2)));
}

// One lit pixel shows where its image went: all 25 offsets occur, each equally often (2000 draws, 80 each,
// deviation 8.8).
TEST(Shift, IsUniform) {
  at::Tensor x = at::zeros({2000, 1, 5, 5});
  x.select(2, 2).select(2, 2).fill_(1);
  const at::Tensor hits = apply(Shift({.pixels = 2}), x).sum(0).flatten();
  EXPECT_EQ(hits.sum().item<float>(), 2000);
  EXPECT_NEAR(hits.min().item<float>(), 80, 44);
  EXPECT_NEAR(hits.max().item<float>(), 80, 44);
}

// Positions are rounded to float: 6 pixels × 2⁻²³ × a few operations, times differences below 1.
constexpr double position_error = 5e-6;

TEST(Crop, WholeImageIsItself) {
  const at::Tensor x = random_images(8, 3);
  EXPECT_TRUE(at::allclose(apply(Crop({.scale = {1, 1}, .ratio = {1, 1}}), x), x, 0, position_error));
}

TEST(Crop, ResizesABox) {
  const at::Tensor x = at::arange(16, at::kFloat).view({1, 1, 4, 4});
  const at::Tensor box = at::tensor(std::vector<float>{1, 2, 2, 2}).view({4, 1});  // rows 1–2, columns 2–3
  const at::Tensor y = crop_images(x, box).squeeze();
  // Output centres 0.5, 1.5, 2.5, 3.5 lie at start + 0.25, 0.75, 1.25, 1.75, so at pixel indices 0.75, 1.25, 1.75, 2.25
  // of the rows and 1.75, 2.25, 2.75, 3 (3.25 beyond the edge) of the columns; the image is 4 row + column.
  const at::Tensor rows = at::tensor(std::vector<float>{0.75, 1.25, 1.75, 2.25}).view({4, 1});
  const at::Tensor columns = at::tensor(std::vector<float>{1.75, 2.25, 2.75, 3});
  EXPECT_TRUE(at::allclose(y, rows * 4 + columns, 0, 16 * position_error));
}

TEST(Crop, AgreesWithResizing) {
  const at::Tensor x = random_images(1, 2, 8);
  const at::Tensor box = at::tensor(std::vector<float>{2, 1, 4, 4}).view({4, 1});
  const at::Tensor part = x.slice(2, 2, 6).slice(3, 1, 5);
  const at::Tensor expected = at::upsample_bilinear2d(part, {8, 8}, false);
  // Inside the box both interpolate the same pixels; at its border a crop sees what lies beyond.
  EXPECT_TRUE(at::allclose(crop_images(x, box).slice(2, 1, 7).slice(3, 1, 7), expected.slice(2, 1, 7).slice(3, 1, 7), 0,
                           position_error));
}

// On an image that is its own column number, the first and last column tell left and width of the box.
TEST(Crop, BoxesFollowTheOptions) {
  const std::int64_t size = 32;
  const at::Tensor ramp = at::arange(size, at::kFloat).view({1, 1, 1, size}).expand({400, 1, size, size});
  const at::Tensor y = apply(Crop({.scale = {0.25, 0.5}, .ratio = {1, 1}}), ramp).select(2, 0).squeeze(1);
  const at::Tensor step = y.select(1, 20) - y.select(1, 19);  // width of the box over the size of the image
  EXPECT_GE(step.min().item<float>(), 0.5 - 1e-4);
  EXPECT_LE(step.max().item<float>(), std::sqrt(0.5) + 1e-4);
  EXPECT_NEAR(step.square().mean().item<float>(), 0.375, 5 * 0.25 / std::sqrt(12 * 400));
  EXPECT_GE(y.min().item<float>(), 0);
  EXPECT_LE(y.max().item<float>(), size - 1);
}

TEST(Crop, RefusesEmptyIntervals) {
  expect_error<ConfigError>([] { Crop({.scale = {0.5, 0.2}}); }, {"crop.scale", "[low, high]", "[0.5, 0.2]"});
  expect_error<ConfigError>([] { Crop({.scale = {0, 1}}); }, {"crop.scale"});
  expect_error<ConfigError>([] { Crop({.ratio = {1}}); }, {"crop.ratio", "[1]"});
}

TEST(Flip, TurnsLeftIntoRight) {
  EXPECT_TRUE(at::equal(apply(Flip({.p = 1}), numbered_image()), image({3, 2, 1, 6, 5, 4, 9, 8, 7})));
  EXPECT_TRUE(at::equal(apply(Flip({.p = 0}), numbered_image()), numbered_image()));
}

// 2000 draws at 0.3: 600 ± 20.5.
TEST(Flip, HasItsProbability) {
  const at::Tensor x = at::tensor(std::vector<float>{0, 1}).view({1, 1, 1, 2}).expand({2000, 1, 1, 2});
  EXPECT_NEAR(apply(Flip({.p = 0.3}), x).select(3, 0).sum().item<float>(), 600, 103);
}

TEST(Brightness, RangeZeroIsIdentity) {
  const at::Tensor x = random_images(8, 3);
  EXPECT_TRUE(at::equal(apply(Brightness({.brightness = 0, .contrast = 0}), x), x));
}

TEST(Brightness, ScalesFromTheLeastValue) {
  const at::Tensor x = at::tensor(std::vector<float>{-1, -0.5, 0, 1}).view({1, 1, 2, 2}).expand({500, 1, 2, 2});
  const at::Tensor y = apply(Brightness({.brightness = 0.4}), x).view({500, 4});
  const at::Tensor factor = (y.select(1, 1) + 1) / 0.5;
  EXPECT_TRUE(at::equal(y.select(1, 0), at::full({500}, -1.0f)));
  EXPECT_TRUE(at::allclose(y.select(1, 2), factor - 1, 0, 1e-6));
  EXPECT_TRUE(at::allclose(y.select(1, 3), (factor * 2 - 1).clamp_max(1), 0, 1e-6));
  EXPECT_NEAR(factor.min().item<float>(), 0.6, 0.02);
  EXPECT_NEAR(factor.max().item<float>(), 1.4, 0.02);
}

TEST(Brightness, ContrastKeepsTheMeanWhereNothingIsClamped) {
  const at::Tensor x = at::tensor(std::vector<float>{0, 0.4f, 0.6f, 1}).view({1, 1, 2, 2}).expand({500, 1, 2, 2});
  const at::Tensor y = apply(Brightness({.brightness = 0, .contrast = 0.5}), x).view({500, 4});
  EXPECT_TRUE(at::allclose(y.mean(1), at::full({500}, 0.5f), 0, 1e-6));
  EXPECT_GE(y.min().item<float>(), 0);
  EXPECT_LE(y.max().item<float>(), 1);
  const at::Tensor factor = (y.select(1, 2) - 0.5) / 0.1;
  EXPECT_NEAR(factor.min().item<float>(), 0.5, 0.02);
  EXPECT_NEAR(factor.max().item<float>(), 1.5, 0.02);
}

// 40,000 normal numbers: the mean within 5 σ/√n, the deviation within 5 σ/√(2n).
TEST(Noise, HasItsMoments) {
  const at::Tensor noise = apply(Noise({.sigma = 0.2}), at::zeros({100, 1, 20, 20}));
  EXPECT_NEAR(noise.mean().item<float>(), 0, 5 * 0.2 / 200);
  EXPECT_NEAR(noise.std().item<float>(), 0.2, 5 * 0.2 / 283);
  EXPECT_TRUE(at::equal(apply(Noise({.sigma = 0}), numbered_image()), numbered_image()));
}

TEST(Scale, MapsTheEndsExactly) {
  const at::Tensor bytes = at::tensor(std::vector<float>{0, 51, 255});
  EXPECT_TRUE(at::allclose(apply(Scale({}), bytes), at::tensor(std::vector<float>{0, 0.2f, 1}), 0, 1e-7));
  EXPECT_EQ(apply(Scale({}), bytes)[2].item<float>(), 1.0f);
  EXPECT_TRUE(at::allclose(apply(Scale({.from = {0, 255}, .to = {-1, 1}}), bytes),
                           at::tensor(std::vector<float>{-1, -0.6f, 1}), 0, 2e-7));
  EXPECT_EQ(bytes[2].item<float>(), 255);
  expect_error<ConfigError>([] { Scale({.from = {1, 1}}); }, {"scale.from", "low below high", "[1, 1]"});
  expect_error<ConfigError>([] { Scale({.to = {}}); }, {"scale.to"});
}

TEST(Standardise, TakesMeanAndDeviationOfEachChannel) {
  const at::Tensor x = at::tensor(std::vector<float>{1, 3, 10, 10}).view({1, 2, 1, 2});
  const at::Tensor y = apply(Standardise({.mean = {2, 10}, .std = {1, 4}}), x);
  EXPECT_TRUE(at::equal(y.flatten(), at::tensor(std::vector<float>{-1, 1, 0, 0})));
  expect_error<ConfigError>([&] { apply(Standardise({}), x); }, {"standardise", "fit it as preprocessing"});
  expect_error<DataError>([&] { apply(Standardise({.mean = {0}, .std = {1}}), x); }, {"1 channels", "found 2"});
  expect_error<ConfigError>([] { Standardise({.mean = {0}}); }, {"as many entries", "1 and 0"});
  expect_error<ConfigError>([] { Standardise({.mean = {0}, .std = {0}}); }, {"standardise.std", "above 0"});
}

TEST(Standardise, FitsWithoutLosingPrecision) {
  // 1e6 + {0, 1, 2, …}: in one float pass the deviation would drown. Values are exact in float32.
  const at::Tensor column = at::arange(4000, at::kFloat).remainder(4).add(1e6);
  Fields fields = input(at::stack({column, at::full({4000}, 7.0f)}, 1));
  const Json fitted = Standardise({}).fit(Dataset::from_tensors(fields));
  EXPECT_NEAR(fitted["mean"][0].get<double>(), 1e6 + 1.5, 1e-6);
  EXPECT_NEAR(fitted["std"][0].get<double>(), std::sqrt(1.25), 1e-9);
  EXPECT_EQ(fitted["mean"][1].get<double>(), 7);
  EXPECT_EQ(fitted["std"][1].get<double>(), 1);  // a constant stays itself less its mean
}

}  // namespace
}  // namespace vaetl::transform_test
