// Damage that only pictures have, where it lies, and the objective that learns to repair it.
#include "vaetl/objectives/picture_corruption.hpp"

#include <ATen/ATen.h>

#include "objectives/support.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/nn/restorer.hpp"
#include "vaetl/objectives/restoration.hpp"

namespace vaetl::testing::picture_corruption_test {
namespace {

const FieldInfo unit = {.shape = {1, 20, 30}, .dtype = at::kFloat, .low = 0, .high = 1};

std::shared_ptr<Corruption> damage(const std::string& name, const Json& options = Json::object()) {
  return registry<Corruption>().make({name, options}, "corrupt");
}

at::Tensor some_pictures(std::int64_t count = 50) {
  at::manual_seed(1);
  return 0.6 + 0.3 * at::rand({count, 2, 20, 30});
}

TEST(PictureCorruption, OptionsAreDescribed) {
  expect_fields_cover<corruptions::Box::Options>();
  expect_fields_cover<corruptions::Strokes::Options>();
  expect_fields_cover<objectives::Restoration::Options>();
}

TEST(PictureCorruption, ABoxIsARectangleAnywhere) {
  const at::Tensor x = some_pictures();
  const auto box = damage("box", {{"side", 0.4}, {"fill", 0.25}});
  const at::Tensor noise = box->draw(x), missing = box->missing(x, noise), y = box->apply(x, noise, unit);
  EXPECT_EQ(box->damage(), Damage::missing);
  ASSERT_EQ(missing.sizes(), at::IntArrayRef({50, 1, 20, 30}));
  EXPECT_TRUE(missing.sum({1, 2, 3}).eq(8 * 12).all().item<bool>());
  EXPECT_TRUE(missing.any(3).sum({1, 2}).eq(8).all().item<bool>()) << "8 rows of 12";
  EXPECT_TRUE(at::equal(y, at::where(missing, at::scalar_tensor(0.25, x.options()), x)));
  const at::Tensor many = box->missing(x, at::rand({5000, 2}));
  EXPECT_TRUE(many.any(0).all().item<bool>()) << "a corner is hit by one in 13 · 19";
  const at::Tensor all = at::ones({1, 2});  // a number next to 1 is rounded to it
  EXPECT_EQ(box->missing(x.slice(0, 0, 1), all).sum().item<std::int64_t>(), 8 * 12);
  const at::Tensor whole = damage("box", {{"side", 1}})->apply(x, noise, unit);
  EXPECT_TRUE(whole.eq(0.5).all().item<bool>());
}

TEST(PictureCorruption, StrokesAreLinesOfTheirWidth) {
  const at::Tensor x = some_pictures(1);
  const auto strokes = damage("strokes", {{"count", 1}, {"width", 0.2}});  // 4 of 20 pixels
  const at::Tensor across = at::tensor({0.5, 0.0, 0.5, 1.0}).view({1, 1, 4});
  const at::Tensor missing = strokes->missing(x, across);
  EXPECT_TRUE(missing[0][0].all(1).eq(at::arange(20).ge(8).logical_and(at::arange(20).lt(12))).all().item<bool>());
  EXPECT_EQ(missing.sum().item<std::int64_t>(), 4 * 30);
  const at::Tensor diagonal = at::tensor({0.0, 0.0, 1.0, 1.0}).view({1, 1, 4});
  // A band of width 4 and length √(20² + 30²), but for its ends.
  EXPECT_NEAR(strokes->missing(x, diagonal).sum().item<double>(), 4 * std::sqrt(1300.0), 16);
  const auto three = damage("strokes");
  const at::Tensor noise = three->draw(x);
  EXPECT_EQ(noise.sizes(), at::IntArrayRef({1, 3, 4}));
  at::Tensor each = at::zeros({1, 1, 20, 30}, at::kBool);
  for (std::int64_t k = 0; k < 3; ++k) {
    each = each.logical_or(damage("strokes", {{"count", 1}})->missing(x, noise.slice(1, k, k + 1)));
  }
  EXPECT_TRUE(at::equal(three->missing(x, noise), each));
}

TEST(PictureCorruption, HalvedPicturesAreMeansOfFour) {
  const at::Tensor x = at::arange(30, at::kFloat).view({1, 1, 5, 6});
  const auto halve = damage("halve");
  EXPECT_EQ(halve->damage(), Damage::detail);
  const at::Tensor half = corruptions::halved_picture(x);
  EXPECT_TRUE(at::equal(half[0][0], at::tensor({3.5, 5.5, 7.5, 15.5, 17.5, 19.5, 24.5, 26.5, 28.5}).view({3, 3})));
  const at::Tensor y = halve->apply(x, halve->draw(x), unit);
  ASSERT_EQ(y.sizes(), x.sizes());
  EXPECT_TRUE(at::equal(corruptions::halved_picture(y), half)) << "nothing else is lost";
  EXPECT_EQ(y[0][0][1][3].item<float>(), 5.5);
}

TEST(PictureCorruption, NoiseIsClippedOnRequest) {
  const at::Tensor x = some_pictures();
  const auto plain = damage("gaussian", {{"sigma", 0.5}}),
             clipped = damage("gaussian", {{"sigma", 0.5}, {"clip", true}});
  const at::Tensor noise = plain->draw(x), y = plain->apply(x, noise, unit);
  EXPECT_GT(y.max().item<double>(), 1);
  EXPECT_TRUE(at::equal(clipped->apply(x, noise, unit), y.clamp(0, 1)));
}

TEST(PictureCorruption, ItIsKnownWhatMaskingTookAway) {
  const at::Tensor x = some_pictures();
  const auto masking = damage("masking");
  const at::Tensor noise = masking->draw(x);
  EXPECT_TRUE(at::equal(masking->missing(x, noise), masking->apply(x, noise, unit).eq(0)));
  EXPECT_FALSE(damage("gaussian")->missing(x, noise).defined());
}

TEST(PictureCorruption, OnlyOfPictures) {
  for (const std::string name : {"box", "strokes", "halve"}) {
    expect_error<DataError>(
        [&] {
          damage(name)->draw(at::rand({5, 7}));
        },
        {"corruption " + name + ": expected pictures (N, C, H, W), found (5, 7)"});
  }
}

// y = w x, and a record of what it saw.
class Gain final : public Model, public Restorer {
 public:
  Gain() : Model({"gain", Json::object()}) { weight = register_parameter("weight", at::full({1}, 0.5, at::kDouble)); }
  std::vector<LayerGroup> layer_groups() const override { return {{"all", {"weight"}}}; }
  Signature signature() const override { return {{{"input", {{1, 4, 6}, at::kDouble, 0, 1}}}}; }
  at::Tensor restore(const Fields& fields) override {
    seen = fields.input();
    return weight * seen;
  }
  at::Tensor weight, seen;
};

TEST(Restoration, ComparesWithWhatWasThere) {
  at::manual_seed(4);
  const at::Tensor x = at::rand({3, 1, 4, 6}, at::kDouble);
  const Batch data = batch({{"input", x}, {"weight", at::tensor({1.0, 2.0, 0.0}, at::kDouble)}});
  for (const std::string loss : {"squared", "absolute"}) {
    Gain model;
    const auto objective =
        make_objective(Json{{"name", "restoration"}, {"loss", loss}, {"corrupt", {{"name", "halve"}}}});
    objective->bind(model, data);
    Pass pass(model, data);
    const Terms terms = objective->terms(0, pass);
    const at::Tensor damaged = corruptions::doubled_picture(corruptions::halved_picture(x), 4, 6);
    expect_near(model.seen, damaged);
    at::Tensor error = 0.5 * damaged - x;
    error = loss == "squared" ? error.square() : error.abs();
    const at::Tensor each = error.flatten(1).mean(1);
    expect_near(value(terms.minimised(), "restoration"), (each[0] + 2 * each[1]) / 3);
  }
}

TEST(Restoration, SaysWhatIsMissing) {
  const BareModel bare;
  const auto objective = make<objectives::Restoration>();
  expect_error<ConfigError>([&] { check_needs(objective->needs(), bare, {}, "objective restoration"); },
                            {"objective restoration: expected a model that offers Restorer"});
  EXPECT_EQ(complete_objective("restoration"),
            (Json{{"name", "restoration"},
                  {"loss", "squared"},
                  {"corrupt", {{"name", "gaussian"}, {"sigma", 0.3}, {"clip", false}}}}));
}

TEST(Restored, ByWhateverAModelOffers) {
  Gain gain;
  EXPECT_TRUE(restores(gain));
  Fields fields;
  fields.set("input", at::ones({1, 1, 4, 6}, at::kDouble));
  expect_near(restored(gain, fields, "test"), at::full({1, 1, 4, 6}, 0.5, at::kDouble));
  BareModel bare;
  EXPECT_FALSE(restores(bare));
  expect_error<ConfigError>([&] { restored(bare, fields, "test"); },
                            {"test: expected a model that offers Restorer", "choose another model"});
}

}  // namespace
}  // namespace vaetl::testing::picture_corruption_test
