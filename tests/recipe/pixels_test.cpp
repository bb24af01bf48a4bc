// Pictures as people look at them: black and white are the ends of the range that the data have, by what each transform
// of the preprocessing says of itself.
#include "vaetl/recipe/pixels.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/data/preprocess.hpp"

namespace vaetl::testing::pixels_test {
namespace {

// A program's own: film negatives, which are darker the more they hold, up to 4.
class Density final : public Transform {
 public:
  static constexpr const char* name = "density";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Density(Options) {}
  void apply(Fields& fields, at::Generator&) const override { fields.set("input", 1 - fields.input() / 4); }
  at::Tensor restore(const at::Tensor& values) const override { return 4 * (1 - values); }
  std::optional<Range> range_before(std::optional<Range>) const override { return between(0, 4); }
};

// Raw values, one picture of 1 × 1 × N, as the pixels that a model with this preprocessing shows.
std::vector<std::int64_t> shown(const Json& preprocess, const std::vector<double>& raw,
                                const std::string& model_name = "mlp") {
  const auto count = static_cast<std::int64_t>(raw.size());
  const auto model = build({model_name, {{"input", {1, 1, count}}}});
  if (!preprocess.is_null()) model->set_preprocess(preprocess);
  Fields fields;
  fields.set("input", at::tensor(at::ArrayRef<double>(raw)).view({1, 1, 1, count}));
  (preprocess.is_null() ? Preprocess() : Preprocess::from_json(preprocess)).apply(fields);
  const at::Tensor pixels = recipe::to_pixels(*model, fields.input()).to(at::kLong).contiguous();
  const auto* values = pixels.const_data_ptr<std::int64_t>();
  return {values, values + count};
}

using Pixels = std::vector<std::int64_t>;

TEST(Pixels, AreInTheRangeOfTheData) {
  const Json standardise = {{"name", "standardise"}, {"mean", {100}}, {"std", {50}}};
  EXPECT_EQ(shown({}, {0, 0.2, 1, 2}), (Pixels{0, 51, 255, 255}));
  EXPECT_EQ(shown({}, {-1, 0.2, 1}, "gan"), (Pixels{0, 153, 255}));  // of a model whose signature has −1 to 1
  EXPECT_EQ(shown(Json::array({"scale"}), {0, 51, 255}), (Pixels{0, 51, 255}));
  const Json unit = {{"name", "scale"}, {"from", {0, 1}}, {"to", {-1, 1}}};
  EXPECT_EQ(shown(Json::array({unit}), {0, 0.2, 1}, "gan"), (Pixels{0, 51, 255}));
  EXPECT_EQ(shown(Json::array({standardise}), {0, 51, 255}), (Pixels{0, 51, 255}));  // bytes
  const Json own = {{"name", "standardise"}, {"mean", {0.4}}, {"std", {0.2}}};
  EXPECT_EQ(shown(Json::array({{{"name", "scale"}, {"from", {0, 15}}}, own}), {0, 3, 15}), (Pixels{0, 51, 255}));
}

TEST(Pixels, AProgramsOwnTransformTellsItsRange) {
  registry<Transform>().add<Density>();
  EXPECT_EQ(shown(Json::array({"density"}), {0, 0.8, 4}), (Pixels{0, 51, 255}));
}

TEST(Pixels, RangesAreThoseOfTheData) {
  const auto range = [](const Json& json) { return Preprocess::from_json(json).raw_range(between(0, 1)); };
  EXPECT_EQ(range(Json::array({"scale", "binarise"}))->high, 255);
  EXPECT_EQ(range(Json::array())->high, 1);
  EXPECT_FALSE(range(Json::array({{{"name", "standardise"}, {"mean", {1}}, {"std", {1}}}})).has_value());
  const Json of_targets = {{"name", "standardise"}, {"mean", {1}}, {"std", {1}}, {"field", "target"}};
  EXPECT_EQ(range(Json::array({of_targets}))->high, 1);
  EXPECT_FALSE(range(Json::array({{{"name", "standardise_series"}, {"mean", {1}}, {"std", {1}}}})).has_value());
}

}  // namespace
}  // namespace vaetl::testing::pixels_test
