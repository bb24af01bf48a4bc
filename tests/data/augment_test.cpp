// The random transforms: values against torchvision (tests/parity/augment.py) or by hand, and what all of them owe.
#include <ATen/Parallel.h>

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/feed.hpp"
#include "vaetl/data/transforms/colour.hpp"
#include "vaetl/data/transforms/geometry.hpp"
#include "vaetl/data/transforms/replace.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::augment_test {
namespace {

using namespace transforms;
using testing::expect_error;
using testing::long_tensor;
using testing::values_of;

const at::Tensor& reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/augment.safetensors");
  return file.tensors.at(name);
}

// What differs is the order of at most 60 float64 operations on values of at most 1, and positions of at most 11
// pixels.
constexpr double rounding = 60 * 11 * 0x1p-52;

double distance(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

Fields apply(const Transform& transform, Fields fields, std::uint64_t seed = 0) {
  at::Generator generator = make_generator(seed);
  transform.apply(fields, generator);
  return fields;
}

Fields input(const at::Tensor& values) {
  Fields fields;
  fields.set("input", values);
  return fields;
}

at::Tensor random_images(std::int64_t count, std::int64_t channels = 3, std::int64_t size = 8) {
  return at::rand({count, channels, size, size}, make_generator(99), at::kFloat);
}

TEST(Augmentation, OptionsAreCovered) {
  testing::expect_fields_cover<RandomCrop::Options>();
  testing::expect_fields_cover<Flip::Options>();
  testing::expect_fields_cover<Rotate::Options>();
  testing::expect_fields_cover<Colour::Options>();
  testing::expect_fields_cover<Blur::Options>();
  testing::expect_fields_cover<Erase::Options>();
  testing::expect_fields_cover<Mixup::Options>();
  testing::expect_fields_cover<CutMix::Options>();
}

// What each owes: the same for the same key whatever the threads, another for another, the given tensor untouched,
// nothing from the default generator, and a change of one example leaves the others as they were.
class Augmentation : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<Transform> transform() const {
    const Json json = parse_json(GetParam(), "test");
    Json options = json;
    options.erase("name");
    return registry<Transform>().make({json["name"], options});
  }
};

TEST_P(Augmentation, IsAFunctionOfItsGenerator) {
  const auto each = transform();
  EXPECT_TRUE(each->random());
  const at::Tensor images = random_images(64), copy = images.clone();
  const at::Tensor before = at::detail::getDefaultCPUGenerator().get_state();
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor a = apply(*each, input(images), 1).input();
  at::set_num_threads(4);
  EXPECT_TRUE(at::equal(a, apply(*each, input(images), 1).input()));
  at::set_num_threads(threads);
  EXPECT_FALSE(at::equal(a, apply(*each, input(images), 2).input()));
  EXPECT_EQ(a.sizes(), images.sizes());
  EXPECT_EQ(a.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::isfinite(a).all().item<bool>());
  EXPECT_TRUE(at::equal(images, copy));
  EXPECT_TRUE(at::equal(before, at::detail::getDefaultCPUGenerator().get_state()));
  EXPECT_EQ(apply(*each, input(images.slice(0, 0, 0))).input().size(0), 0);
}

TEST_P(Augmentation, DrawsForEachExample) {
  const auto each = transform();
  const at::Tensor images = random_images(1).expand({64, 3, 8, 8}).contiguous();
  at::Tensor other = images.clone();
  other[5].zero_();
  const at::Tensor a = apply(*each, input(images)).input(), b = apply(*each, input(other)).input();
  if (each->mixes()) return;  // equal examples mixed are themselves
  EXPECT_GT((a - a[0]).abs().amax({1, 2, 3}).gt(0).sum().item<std::int64_t>(), 8) << "one draw for all examples";
  EXPECT_TRUE(at::equal(at::cat({a.slice(0, 0, 5), a.slice(0, 6)}), at::cat({b.slice(0, 0, 5), b.slice(0, 6)})));
}

TEST_P(Augmentation, LeavesLabelsAndTheRestAlone) {
  Fields fields = input(random_images(16));
  fields.set("target", at::arange(16, at::kLong));
  fields.set("weight", at::ones({16}));
  const Fields after = apply(*transform(), fields);
  EXPECT_TRUE(at::equal(after.target(), fields.target()));
  EXPECT_TRUE(at::equal(after["weight"], fields["weight"]));
}

TEST_P(Augmentation, RefusesWhatIsNoImage) {
  const auto each = transform();
  const std::string name = parse_json(GetParam(), "test")["name"];
  if (name == "mixup") return;
  expect_error<DataError>([&] { apply(*each, input(at::zeros({16, 784}))); }, {name, "images (N, C, H, W) of floats"});
  expect_error<DataError>([&] { apply(*each, input(at::zeros({2, 3, 8, 8}, at::kByte))); }, {"(2, 3, 8, 8) uint8"});
}

INSTANTIATE_TEST_SUITE_P(
    All, Augmentation,
    ::testing::Values(R"({"name": "random_crop"})", R"({"name": "random_crop", "padding": 2, "fill": "reflect"})",
                      R"({"name": "flip", "axis": "vertical"})", R"({"name": "rotate"})",
                      R"({"name": "rotate", "degrees": 180, "scale": [0.5, 2], "shear": 20, "fill": "border"})",
                      R"({"name": "rotate", "fill": "reflect"})", R"({"name": "colour", "grey": 0.2})",
                      R"({"name": "blur"})", R"({"name": "erase"})", R"({"name": "erase", "fill": "noise"})",
                      R"({"name": "mixup"})", R"({"name": "cutmix"})"));

TEST(RandomCrop, CutsOutOfThePaddedImage) {
  const at::Tensor x = at::arange(1, 10, at::kFloat).view({1, 1, 3, 3});
  const auto cut = [&](std::int64_t top, std::int64_t left, const std::string& fill) {
    return values_of(crop_padded(x, long_tensor({top, left}).view({2, 1}), 2, 3, 2, fill).flatten());
  };
  using Row = std::vector<std::int64_t>;
  EXPECT_EQ(cut(2, 2, "zero"), (Row{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(cut(1, 0, "zero"), (Row{0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(cut(1, 0, "border"), (Row{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(cut(1, 0, "reflect"), (Row{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(cut(5, 4, "reflect"), (Row{6, 5, 4, 3, 2, 1}));
}

// 8 × 8 out of 10 × 8 without padding: three places, 1000 ± 26 each of 3000.
TEST(RandomCrop, PlacesAreUniform) {
  const at::Tensor rows = at::arange(10, at::kFloat).view({1, 1, 10, 1}).expand({3000, 1, 10, 8});
  const at::Tensor y = apply(RandomCrop({.size = {8, 8}, .padding = 0}), input(rows)).input();
  EXPECT_EQ(y.sizes(), (std::vector<std::int64_t>{3000, 1, 8, 8}));
  const at::Tensor count = at::bincount(y.select(2, 0).select(2, 0).flatten().to(at::kLong));
  ASSERT_EQ(count.size(0), 3);
  EXPECT_LE(distance(count, at::full({3}, 1000, at::kLong)), 130);
}

TEST(RandomCrop, RefusesWhatDoesNotFit) {
  const auto crop = [](RandomCrop::Options options) { apply(RandomCrop(options), input(random_images(2))); };
  expect_error<DataError>([&] { crop({.padding = 8}); }, {"random_crop", "larger than the padding of 8", "8 × 8"});
  expect_error<DataError>([&] { crop({.size = {11, 8}, .padding = 1}); }, {"images of 11 × 8 at least", "8 × 8"});
  expect_error<ConfigError>([&] { crop({.size = {8}}); }, {"random_crop.size", "[height, width]", "(8)"});
}

TEST(Flip, TurnsTopIntoBottom) {
  const at::Tensor x = random_images(3);
  EXPECT_TRUE(at::equal(apply(Flip({.p = 1, .axis = "vertical"}), input(x)).input(), x.flip(2)));
}

TEST(Rotate, EqualsTorchvision) {
  const at::Tensor x = reference("images"), one = at::ones({4}, at::kDouble), none = at::zeros({4}, at::kDouble);
  const at::Tensor all =
      affine_images(x, reference("affine.degrees"), reference("affine.scale"), reference("affine.shear"));
  EXPECT_LE(distance(all, reference("affine.result")), rounding);
  EXPECT_LE(distance(affine_images(x, reference("rotate.degrees"), one, none), reference("rotate.result")), rounding);
}

// Turned by 45° the corners read beyond the edge: nothing, the corner's own value, or what is mirrored there.
TEST(Rotate, FillsWhatComesIntoSight) {
  const at::Tensor x = at::full({1, 1, 5, 5}, 0.5, at::kDouble), angle = at::full({1}, 0.785, at::kDouble);
  const auto corner = [&](const std::string& fill) {
    return affine_images(x, angle, at::ones_like(angle), at::zeros_like(angle), fill)[0][0][0][0].item<double>();
  };
  EXPECT_LT(corner("zero"), 0.25);
  EXPECT_NEAR(corner("border"), 0.5, rounding);
  EXPECT_NEAR(corner("reflect"), 0.5, rounding);
}

// A lit pixel right of the centre tells the angle: within ± degrees, and both ways.
TEST(Rotate, StaysWithinItsDegrees) {
  at::Tensor x = at::zeros({500, 1, 41, 41});
  x.select(2, 20).select(2, 38).fill_(1);
  const at::Tensor y = apply(Rotate({.degrees = 30}), input(x)).input().squeeze(1);
  const at::Tensor place = at::arange(-20, 21, at::kFloat);
  const at::Tensor down = (y.sum(2) * place).sum(1), right = (y.sum(1) * place).sum(1);
  const at::Tensor degrees = at::atan2(down, right) * (180 / 3.14159265);
  const double step = 180 / (3.14159265 * 18);  // a pixel seen from the centre
  EXPECT_NEAR(degrees.max().item<double>(), 30, step);
  EXPECT_NEAR(degrees.min().item<double>(), -30, step);
  EXPECT_NEAR(degrees.mean().item<double>(), 0, 5 * 30 / std::sqrt(3 * 500));
  expect_error<ConfigError>([] { Rotate({.scale = {2, 1}}); }, {"rotate.scale", "[2, 1]"});
}

TEST(Colour, EqualsTorchvision) {
  const at::Tensor x = reference("images");
  EXPECT_LE(distance(adjust_saturation(x, reference("saturation.factor")), reference("saturation.result")), rounding);
  // Both go through a hue of at most 6 in float32 and a handful of operations.
  const at::Tensor turned = turn_hue(x.to(at::kFloat), reference("hue.turn").to(at::kFloat));
  EXPECT_LE(distance(turned, reference("hue.result")), 8 * 6 * 0x1p-24);
}

TEST(Colour, DoesNotDependOnTheRange) {
  const at::Tensor x = reference("images"), turn = reference("hue.turn");
  EXPECT_LE(distance(turn_hue(x * 5 - 2, turn), turn_hue(x, turn) * 5 - 2), 10 * rounding);
}

TEST(Colour, GreyHasItsProbability) {
  const at::Tensor x = random_images(1).expand({1000, 3, 8, 8});
  const at::Tensor y = apply(Colour({.saturation = 0, .hue = 0, .grey = 0.3}), input(x)).input();
  const at::Tensor grey = (y.amax(1) - y.amin(1)).amax({1, 2}).eq(0);
  EXPECT_NEAR(grey.sum().item<double>(), 300, 5 * 14.5);
  EXPECT_TRUE(at::equal(y.index({grey.logical_not()}), x.index({grey.logical_not()})));
  expect_error<DataError>([] { apply(Colour({}), input(random_images(2, 1))); },
                          {"colour", "3 channels", "(2, 1, 8, 8)"});
}

TEST(Blur, EqualsTorchvision) {
  const at::Tensor sigma = reference("blur.sigma");
  EXPECT_LE(distance(blur_images(reference("images"), sigma, 3), reference("blur.result")), rounding);
}

TEST(Blur, HasItsProbabilityAndItsRadius) {
  const at::Tensor x = random_images(1).expand({1000, 3, 8, 8});
  const at::Tensor y = apply(Blur({.sigma = {0.5, 1}, .p = 0.3}), input(x)).input();
  EXPECT_NEAR((y - x).abs().amax({1, 2, 3}).gt(0).sum().item<double>(), 300, 5 * 14.5);
  expect_error<DataError>(
      [&] {
        apply(Blur({.sigma = {1, 3}}), input(x));
      },
      {"blur", "larger than its radius of 9", "8 × 8"});
  expect_error<ConfigError>([] { Blur({.sigma = {0, 1}}); }, {"blur.sigma", "[0, 1]"});
}

TEST(Erase, EqualsTorchvision) {
  const at::Tensor boxes =
      at::stack({reference("erase.top"), reference("erase.left"), reference("erase.height"), reference("erase.width")});
  const at::Tensor filling = at::full({}, 0.25, at::kDouble);
  EXPECT_TRUE(at::equal(fill_boxes(reference("images"), boxes, filling), reference("erase.result")));
}

// Of ones, zeros remain: their count is the box. Rounded to whole pixels, sides of 16 to 48 pixels err by half a pixel.
TEST(Erase, BoxesFollowTheOptions) {
  const at::Tensor x = at::ones({2000, 1, 64, 64});
  const at::Tensor gone =
      apply(Erase({.p = 0.25, .scale = {0.1, 0.3}, .ratio = {0.5, 2}}), input(x)).input().eq(0).squeeze(1);
  const at::Tensor share = gone.to(at::kDouble).mean(at::IntArrayRef{1, 2});
  const at::Tensor erased = share.gt(0);
  EXPECT_NEAR(erased.sum().item<double>(), 500, 5 * 19.4);
  const at::Tensor areas = share.index({erased});
  EXPECT_NEAR(areas.mean().item<double>(), 0.2, 5 * 0.2 / std::sqrt(12 * 400) + 0.002);
  EXPECT_GE(areas.min().item<double>(), 0.1 * (1 - 1.0 / 16) * (1 - 1.0 / 16));
  EXPECT_LE(areas.max().item<double>(), 0.3 * (1 + 1.0 / 24) * (1 + 1.0 / 24));
  const at::Tensor where = gone.index({erased}).any(2);  // rows with a hole
  EXPECT_TRUE(where.any(0).all().item<bool>()) << "some rows are never erased";
  expect_error<ConfigError>([] { Erase({.scale = {0, 1}}); }, {"erase.scale", "[0, 1]"});
  expect_error<ConfigError>([] { Erase({.ratio = {2, 1}}); }, {"erase.ratio", "[2, 1]"});
}

TEST(Erase, NoiseStaysInTheRangeOfTheImage) {
  const at::Tensor x = random_images(200) * 5 - 2;
  const at::Tensor y = apply(Erase({.p = 1, .scale = {0.5, 0.5}, .ratio = {1, 1}, .fill = "noise"}), input(x)).input();
  EXPECT_TRUE(y.amin({1, 2, 3}).ge(x.amin({1, 2, 3})).all().item<bool>());
  EXPECT_TRUE(y.amax({1, 2, 3}).le(x.amax({1, 2, 3})).all().item<bool>());
  EXPECT_NEAR(y.ne(x).to(at::kDouble).mean().item<double>(), 36.0 / 64, 1e-3);  // a box of 6 × 6
}

// Example n is n everywhere and its label is n, so the result is told by its labels.
Fields numbered_batch(std::int64_t count, bool floats = false) {
  Fields fields = input(at::arange(count, at::kFloat).view({-1, 1, 1, 1}).expand({count, 2, 6, 10}).contiguous());
  fields.set("target", at::arange(count, floats ? at::kFloat : at::kLong));
  return fields;
}

constexpr std::int64_t many = 2000;

void expect_partners(const Fields& mixed) {
  EXPECT_TRUE(at::equal(mixed.target(), at::arange(many, at::kLong)));
  EXPECT_TRUE(at::equal(std::get<0>(mixed["target.other"].sort()), mixed.target())) << "not a permutation";
  EXPECT_LT(mixed["target.other"].eq(mixed.target()).sum().item<std::int64_t>(), 10);
  const at::Tensor mix = mixed["mix"];
  EXPECT_EQ(mix.sizes(), (std::vector<std::int64_t>{many}));
  EXPECT_GE(mix.min().item<double>(), 0);
  EXPECT_LE(mix.max().item<double>(), 1);
}

// Beta(a, a) has the mean 1/2 and the variance 1 / (8 a + 4).
TEST(Mixup, MixesByItsShare) {
  for (const double alpha : {0.05, 0.4, 3.0}) {
    const Fields mixed = apply(Mixup({.alpha = alpha}), numbered_batch(many));
    expect_partners(mixed);
    const at::Tensor mix = mixed["mix"].to(at::kDouble);
    const at::Tensor value = mix * mixed.target() + (1 - mix) * mixed["target.other"];
    // Values of at most 2000 in float32, three operations.
    EXPECT_LE(distance(mixed.input().to(at::kDouble), value.view({-1, 1, 1, 1})), 3 * many * 0x1p-23);
    const double variance = 1 / (8 * alpha + 4);
    EXPECT_NEAR(mix.mean().item<double>(), 0.5, 5 * std::sqrt(variance / many));
    // The variance of (λ − 1/2)² is at most a quarter of its mean.
    EXPECT_NEAR((mix - 0.5).square().mean().item<double>(), variance, 5 * std::sqrt(variance / 4 / many));
  }
}

TEST(CutMix, MixesByTheAreaOfItsBox) {
  const Fields mixed = apply(CutMix({}), numbered_batch(many));
  expect_partners(mixed);
  const at::Tensor own = mixed.input().eq(mixed.target().view({-1, 1, 1, 1}));
  const at::Tensor partner = mixed.input().eq(mixed["target.other"].view({-1, 1, 1, 1}));
  EXPECT_TRUE(own.logical_or(partner).all().item<bool>());
  const at::Tensor other = mixed["target.other"].ne(mixed.target());
  const at::Tensor kept = own.to(at::kFloat).mean(at::IntArrayRef{1, 2, 3}).index({other});
  EXPECT_LE(distance(kept, mixed["mix"].index({other})), 60 * 0x1p-24);
  // All of a box's rows are alike, and every pixel is sometimes replaced.
  const at::Tensor hole = own.logical_not();
  EXPECT_TRUE(at::equal(hole, hole.any(2, true).logical_and(hole.any(3, true))));
  EXPECT_TRUE(hole.any(0).all().item<bool>());
}

TEST(Mixup, FloatingTargetsAreMixedThemselves) {
  const Fields mixed = apply(Mixup({.alpha = 1}), numbered_batch(many, true));
  EXPECT_FALSE(mixed.has("mix") || mixed.has("target.other"));
  EXPECT_TRUE(at::equal(mixed.target(), mixed.input().select(1, 0).select(1, 0).select(1, 0)));
  EXPECT_FALSE(at::equal(mixed.target(), at::arange(many, at::kFloat)));
  // With rows of values too, and by area.
  Fields rows = numbered_batch(many, true);
  rows.set("target", rows.target().view({-1, 1}).expand({many, 3}));
  const Fields cut = apply(CutMix({}), rows);
  EXPECT_LE(distance(cut.target(), cut.input().mean(at::IntArrayRef{1, 2, 3}).view({-1, 1}).expand({many, 3})),
            130 * many * 0x1p-24);
}

TEST(Mixup, TablesAndUnlabelledBatchesAreMixed) {
  const Fields mixed = apply(Mixup({.alpha = 1}), input(at::eye(16)));
  EXPECT_EQ(mixed.keys(), std::vector<std::string>{"input"});
  EXPECT_TRUE(at::allclose(mixed.input().sum(1), at::ones({16})));
}

TEST(Mixup, RefusesWhatCannotBeMixed) {
  Fields padded = numbered_batch(4);
  padded.set("length", long_tensor({1, 2, 3, 4}));
  expect_error<DataError>([&] { apply(Mixup({}), padded); }, {"mixup", "the field \"length\"", "padded sequences"});
  expect_error<DataError>([] { apply(Mixup({}), input(at::zeros({4, 5}, at::kLong))); }, {"mixup", "int64", "tokens"});
  const Fields mixed = apply(Mixup({}), numbered_batch(4));
  expect_error<ConfigError>([&] { apply(CutMix({}), mixed); }, {"cutmix", "not mixed yet", "leave one of them out"});
  expect_error<ConfigError>([] { make<Transform>("mixup", {{"alpha", 0}}); }, {"alpha", "0.05"});
}

TEST(Mixup, NeedsASingleView) {
  for (const char* name : {"mixup", "cutmix"}) {
    Stream stream{
        .data = testing::numbered(8, 2), .views = 2, .augment = {{"flip", Json::object()}, {name, Json::object()}}};
    expect_error<ConfigError>([&] { Feed(Pipeline({stream}), {}, {.batch_size = 4}); },
                              {"data.train.augment[1]", "one view", std::string(name) + "\" with 2 views"});
    stream.views = 1;
    const Batch batch = Feed(Pipeline({stream}), {}, {.batch_size = 4}).at(0, 1);
    EXPECT_TRUE(batch.at("train").has("mix"));
  }
}

// Preprocessing as ImageNet's weights want it.
TEST(Standardise, GivenValuesFollowAScale) {
  const at::Tensor bytes = (random_images(4) * 255).round().to(at::kByte);
  const Json transforms = parse_json(
      R"([{"name": "scale"}, {"name": "standardise", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}])",
      "");
  std::vector<Spec<Transform>> specs;
  Codec<std::vector<Spec<Transform>>>::read(transforms, "preprocess", specs, {});
  const Preprocess fitted = Preprocess::fit(specs, Dataset::from_tensors(input(bytes)));
  EXPECT_EQ(fitted.json().back()["mean"], transforms.back()["mean"]);
  Fields fields = input(bytes);
  Preprocess::from_json(fitted.json()).apply(fields);
  const auto row = [](std::vector<double> values) { return at::tensor(values, at::kDouble).view({1, 3, 1, 1}); };
  const at::Tensor expected = (bytes.to(at::kDouble) / 255 - row({0.485, 0.456, 0.406})) / row({0.229, 0.224, 0.225});
  // A few roundings to float of values of at most 1, divided by at least 0.22.
  EXPECT_LE(distance(fields.input().to(at::kDouble), expected), 4 * 0x1p-24 / 0.22);
}

}  // namespace
}  // namespace vaetl::augment_test
