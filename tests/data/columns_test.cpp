// Columns of a table as inputs, against numbers by hand; targets that are standardised, and back.
#include "vaetl/data/transforms/columns.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/data/transforms/mapping.hpp"
#include "vaetl/data/transforms/moments.hpp"

namespace vaetl::columns_test {
namespace {

using testing::expect_error;
using transforms::Columns;

constexpr float absent = std::numeric_limits<float>::quiet_NaN();

at::Tensor rows(const std::vector<float>& values, std::int64_t width) { return at::tensor(values).view({-1, width}); }

// Two numeric columns, then two categorical ones, of two and three categories.
Dataset table(const at::Tensor& input) {
  Fields fields;
  fields.set("input", input);
  auto column = [](const char* name, const char* kind, std::vector<std::string> categories) {
    return Json{{"name", name}, {"kind", kind}, {"categories", categories}};
  };
  DatasetInfo info;
  info.reader = {{"name", "csv"},
                 {"columns",
                  {column("a", "numeric", {}), column("b", "numeric", {}), column("c", "categorical", {"x", "y"}),
                   column("d", "categorical", {"p", "q", "r"})}}};
  return Dataset::from_tensors(fields, info);
}

const at::Tensor training = rows({1, 5, 0, 2, 3, 5, 1, -1, absent, 5, 1, 0, 8, 5, 0, 1}, 4);

at::Tensor applied(const Json& fitted, const at::Tensor& input) {
  Fields fields;
  fields.set("input", input);
  at::Generator none;
  make<Transform>("columns", fitted)->apply(fields, none);
  return fields.input();
}

TEST(Columns, OptionsAreCovered) {
  testing::expect_fields_cover<Columns::Options>();
  testing::expect_fields_cover<Columns::Column>();
}

TEST(Columns, StandardiseAndEncodeAsByHand) {
  const Json fitted = Columns({}).fit(table(training));
  // a: mean of 1, 3, 8 is 4, the squares of −3, −1, 4 sum to 26; b is constant; d misses a value, c does not.
  const float std = std::sqrt(26.0f / 3);
  const at::Tensor y = applied(fitted, rows({1, 6, 0, 2, absent, 5, -1, -1, 4 + std, 5, -2, -2}, 4));
  const at::Tensor expected = rows({-3 / std, 1, 1, 0, 0, 0, 1, 0,   //
                                    0,        0, 0, 0, 0, 0, 0, 1,   //
                                    1,        0, 0, 0, 0, 0, 0, 0},  //
                                   8);
  EXPECT_TRUE(at::allclose(y, expected, 0, 1e-6)) << y;
  EXPECT_EQ(fitted["columns"][1]["std"], 1.0);
  EXPECT_EQ(Columns(from_json<Columns::Options>(fitted)).fit(table(training * 2)), fitted) << "fitted already";
}

TEST(Columns, MedianAndIndicators) {
  const Json fitted = Columns({.impute = "median", .indicate_missing = true}).fit(table(training));
  const float std = std::sqrt(26.0f / 3);
  const at::Tensor y = applied(fitted, rows({absent, 5, 0, 0, 3, absent, 0, 0}, 4));
  EXPECT_EQ(y.size(1), 9);  // an indicator of `a` alone, which training data miss
  EXPECT_TRUE(at::allclose(y.narrow(1, 0, 3), rows({-1 / std, 0, 1, -1 / std, 0, 0}, 3), 0, 1e-6)) << y;
}

TEST(Columns, WithoutAReaderAllAreNumbersAndPartsMerge) {
  // More rows than are measured at once, far from 0: one pass of sums in float32 would lose the deviation.
  Fields fields;
  const at::Tensor column = at::arange(100000, at::kFloat).remainder(4).add(1e6);
  fields.set("input", at::stack({column, at::full_like(column, absent)}, 1));
  const Json fitted = Columns({}).fit(Dataset::from_tensors(fields));
  EXPECT_NEAR(fitted["columns"][0]["mean"].get<double>(), 1e6 + 1.5, 1e-6);
  EXPECT_NEAR(fitted["columns"][0]["std"].get<double>(), std::sqrt(1.25), 1e-9);
  EXPECT_TRUE(at::equal(applied(fitted, rows({1e6 + 1.5, absent}, 2)), rows({0, 0}, 2)));
}

TEST(Columns, SaysWhatDoesNotFit) {
  const Json fitted = Columns({}).fit(table(training));
  expect_error<DataError>(
      [&] {
        applied(fitted, rows({1, 2, 3}, 3));
      },
      {"columns: expected input of shape (N, 4), found (1, 3)"});
  expect_error<ConfigError>([&] { applied(Json::object(), training); }, {"columns", "fit it as preprocessing"});
  EXPECT_FALSE(Preprocess::fit({{"columns"}}, table(training)).raw_shape({4}));
  expect_error<DataError>([&] { Preprocess::fit({{"standardise"}}, table(training)); },
                          {"standardise: expected finite values of input", "channel 0", "columns"});
  const std::vector<std::int64_t> shape = {4};
  EXPECT_EQ(Preprocess::fit({{"standardise"}}, table(training.nan_to_num(0))).raw_shape(shape), shape);
}

// Two values an example, of other units.
TEST(StandardiseTarget, SetsItsScaleAndIsUndone) {
  Fields fields;
  fields.set("input", at::rand({4, 3}));
  fields.set("target", rows({100, 1, 300, 1, 100, 3, 300, 3}, 2));
  const Dataset train = Dataset::from_tensors(fields);
  const Preprocess fitted = Preprocess::fit({{"standardise", {{"field", "target"}}}}, train);
  EXPECT_EQ(fitted.json()[0]["mean"], (Json{200.0, 2.0}));
  Fields batch = train.all();
  fitted.apply(batch);
  EXPECT_TRUE(at::equal(batch.target(), rows({-1, -1, 1, -1, -1, 1, 1, 1}, 2)));
  EXPECT_TRUE(at::equal(batch["target.scale"], rows({100, 1, 100, 1, 100, 1, 100, 1}, 2)));
  EXPECT_TRUE(at::equal(batch.input(), fields.input()));
  EXPECT_TRUE(at::equal(fitted.restore("target", batch.target()), fields["target"]));
  EXPECT_TRUE(at::equal(fitted.restore("input", batch.target()), batch.target()));
  // Targets need no input, and an input no targets.
  Fields cached, bare;
  cached.set("features", at::rand({4, 3}));
  cached.set("target", fields["target"]);
  bare.set("input", fields.input());
  fitted.apply(cached);
  fitted.apply(bare);
  EXPECT_TRUE(at::equal(cached.target(), batch.target()));
  EXPECT_FALSE(bare.has("target.scale"));
}

TEST(StandardiseTarget, LeavesLabelsAlone) {
  Fields fields;
  fields.set("input", at::rand({3, 2}));
  fields.set("target", testing::long_tensor({0, 1, 2}));
  const Preprocess fitted =
      Preprocess::from_json({{{"name", "standardise"}, {"field", "target"}, {"mean", {5}}, {"std", {2}}}});
  fitted.apply(fields);
  EXPECT_TRUE(at::equal(fields.target(), testing::long_tensor({0, 1, 2})));
  const Dataset train = Dataset::from_tensors(fields);
  expect_error<DataError>(
      [&] {
        Preprocess::fit({{"standardise", {{"field", "target"}}}}, train);
      },
      {"standardise: expected targets that are numbers, found labels"});
}

// Part by part as at once, with a large mean, and over the values that are there.
TEST(Moments, PartsAreMerged) {
  at::Tensor values = at::rand({3, 1000}, at::kDouble).add(1e6);
  transforms::Moments whole, parts;
  whole.add(values);
  for (const std::int64_t begin : {0, 1, 7, 400}) {
    const std::int64_t end = begin == 0 ? 1 : begin == 1 ? 7 : begin == 7 ? 400 : 1000;
    parts.add(values.narrow(1, begin, end - begin));
  }
  const at::Tensor mean = values.mean(1), std = values.std(1, /*unbiased=*/false);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(parts.mean()[c], mean[static_cast<std::int64_t>(c)].item<double>(), 1e-9);
    // Rounding of values near 1e6 is 1e-10, and so is that of their differences.
    EXPECT_NEAR(parts.std()[c], std[static_cast<std::int64_t>(c)].item<double>(), 1e-9);
    EXPECT_NEAR(whole.std()[c], parts.std()[c], 1e-9);
  }
  transforms::Moments known;
  values[0].fill_(NAN);
  values[1].narrow(0, 0, 500).fill_(NAN);
  values[2].fill_(4);
  known.add_known(values.narrow(1, 0, 450));
  known.add_known(values.narrow(1, 450, 550));
  EXPECT_EQ(known.count(), (std::vector<double>{0, 500, 1000}));
  const at::Tensor rest = values[1].narrow(0, 500, 500);
  EXPECT_EQ(known.mean()[0], 0);
  EXPECT_NEAR(known.mean()[1], rest.mean().item<double>(), 1e-9);
  EXPECT_NEAR(known.std()[1], rest.std(/*unbiased=*/false).item<double>(), 1e-9);
  EXPECT_EQ(known.mean()[2], 4);
  EXPECT_EQ(known.std(), (std::vector<double>{1, known.std()[1], 1}));
}

}  // namespace
}  // namespace vaetl::columns_test
