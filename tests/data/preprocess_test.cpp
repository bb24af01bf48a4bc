#include "vaetl/data/preprocess.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/random.hpp"

namespace vaetl::preprocess_test {
namespace {

using testing::expect_error;

Dataset bytes(std::uint64_t seed) {
  Fields fields;
  fields.set("input", at::randint(0, 256, {500, 3, 4, 4}, make_generator(seed), at::kByte));
  return Dataset::from_tensors(fields);
}

at::Tensor applied(const Preprocess& preprocess, const at::Tensor& input) {
  Fields fields;
  fields.set("input", input);
  preprocess.apply(fields);
  return fields.input();
}

TEST(Preprocess, FitsEachOnWhatTheOneBeforeLeaves) {
  const Dataset train = bytes(1);
  const Preprocess fitted = Preprocess::fit({{"scale"}, {"standardise"}}, train);
  const at::Tensor y = applied(fitted, train.all().input());
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  const at::Tensor channels = y.transpose(0, 1).flatten(1).to(at::kDouble);
  EXPECT_LT(channels.mean(1).abs().max().item<double>(), 1e-5);
  EXPECT_LT((channels.std(1, false) - 1).abs().max().item<double>(), 1e-5);
  EXPECT_LT(fitted.json()[1]["mean"][0].get<double>(), 1);  // of values in [0, 1], not of bytes
}

TEST(Preprocess, GoesThroughJsonWithItsFittedValues) {
  const Preprocess fitted = Preprocess::fit({{"scale", {{"to", {-1, 1}}}}, {"standardise"}}, bytes(1));
  const Json json = parse_json(fitted.json().dump(), "card");
  const Preprocess again = Preprocess::from_json(json);
  const at::Tensor other = bytes(2).all().input();
  EXPECT_TRUE(at::equal(applied(fitted, other), applied(again, other)));
  EXPECT_EQ(again.json(), fitted.json());
  EXPECT_EQ(json[0]["from"], (Json{0, 255}));  // defaults are written out
  EXPECT_FALSE(again.empty());
  EXPECT_TRUE(Preprocess::from_json(Preprocess().json()).empty());
}

TEST(Preprocess, KnowsTheTrainingDataAlone) {
  const std::vector<Spec<Transform>> specs = {{"standardise"}};
  Splits a{bytes(1), bytes(2), bytes(3)}, b{bytes(1), bytes(4), bytes(5)};
  EXPECT_EQ(Preprocess::fit(specs, a.train).json(), Preprocess::fit(specs, b.train).json());
  EXPECT_NE(Preprocess::fit(specs, a.train).json(), Preprocess::fit(specs, a.test).json());
  const Json given = {{{"name", "standardise"}, {"mean", {1, 2, 3}}, {"std", {1, 1, 1}}}};
  const auto read = Preprocess::from_json(given).json();
  EXPECT_EQ(Preprocess::fit({{"standardise", {{"mean", {1, 2, 3}}, {"std", {1, 1, 1}}}}}, a.train).json(), read);
}

// Pictures as a file too large for memory would give them: as many as are asked for at once.
class Counting final : public Source {
 public:
  const DatasetInfo& info() const override { return info_; }
  std::int64_t size() const override { return 5000; }
  Fields gather(const at::Tensor& index) const override {
    most = std::max(most, index.size(0));
    Fields fields;
    fields.set("input", at::zeros({index.size(0), 3, 32, 32}, at::kByte));
    return fields;
  }
  mutable std::int64_t most = 0;

 private:
  DatasetInfo info_{.fields = {{"input", {{3, 32, 32}, at::kByte, 0, 255}}}};
};

TEST(Preprocess, MeasuresPartByPart) {
  const auto source = std::make_shared<Counting>();
  Preprocess::fit({{"scale"}, {"standardise"}}, Dataset(source));
  EXPECT_LE(source->most * 3 * 32 * 32, std::int64_t{1} << 21);  // values held at once
}

TEST(Preprocess, StandardMapsTheDeclaredRange) {
  DatasetInfo data{.fields = {{"input", {.low = 0, .high = 255}}}};
  auto standard = [&](double low, double high) {
    return Preprocess::standard(data, {.inputs = {{"input", {.low = low, .high = high}}}});
  };
  const at::Tensor ends = at::tensor(std::vector<std::uint8_t>{0, 255});
  EXPECT_TRUE(at::equal(applied(standard(0, 1), ends), at::tensor(std::vector<float>{0, 1})));
  EXPECT_TRUE(at::allclose(applied(standard(-1, 1), ends), at::tensor(std::vector<float>{-1, 1}), 0, 1e-6));
  EXPECT_TRUE(standard(0, 255).empty());
  EXPECT_TRUE(standard(0, 0).empty());  // a model that declares none
  data.fields["input"].high = 0;        // data that declare none
  EXPECT_TRUE(standard(0, 1).empty());
  EXPECT_TRUE(Preprocess::standard({}, {}).empty());
  EXPECT_EQ(applied(Preprocess(), ends).scalar_type(), at::kFloat);
}

TEST(Preprocess, LeavesTheUsersTensorAlone) {
  const at::Tensor mine = at::tensor(std::vector<float>{0, 255});
  applied(Preprocess::fit({{"scale", {{"to", {-1, 1}}}}}, bytes(1)), mine);
  EXPECT_EQ(mine[1].item<float>(), 255);
}

// Bytes are converted and scaled in one pass; what comes after sees no difference.
TEST(Preprocess, BytesAndTheirNumbersGiveTheSame) {
  for (const Json& options : {Json::object(), Json{{"to", {-1, 1}}}}) {
    const Preprocess fitted = Preprocess::fit({{"scale", options}, {"standardise"}}, bytes(1));
    const at::Tensor x = bytes(2).all().input();
    const at::Tensor expected = applied(fitted, x.to(at::kFloat));
    EXPECT_TRUE(at::equal(applied(fitted, x), expected));
    const at::Tensor turned = x.transpose(2, 3).contiguous().transpose(2, 3);  // not without gaps
    EXPECT_TRUE(at::equal(applied(fitted, turned), expected));
  }
}

TEST(Preprocess, RowsOfBytesAreThoseAskedFor) {
  const Dataset data = bytes(3);
  const at::Tensor all = data.all().input();
  for (const at::Tensor& index :
       {at::randperm(500, make_generator(4), at::kLong), at::tensor({7, 7, 499, 0}, at::kLong),
        at::empty({0}, at::kLong), at::arange(20, 60, at::kLong)}) {
    EXPECT_TRUE(at::equal(data.gather(index).input(), all.index_select(0, index)));
  }
}

TEST(Preprocess, RefusesWhatDoesNotBelong) {
  expect_error<ConfigError>(
      [] {
        Preprocess::fit({{"scale"}, {"flip"}}, bytes(1));
      },
      {"preprocess[1]", "not random", "\"flip\"", "`augment`"});
  expect_error<ConfigError>([] { Preprocess::from_json(Json{"scalee"}, "card.preprocess"); },
                            {"card.preprocess[0]", "did you mean \"scale\"?"});
  expect_error<ConfigError>(
      [] {
        Preprocess::from_json(Json{{{"name", "scale"}, {"form", {0, 1}}}});
      },
      {"preprocess[0]", "\"form\"", "\"from\""});
  expect_error<ConfigError>([] { Preprocess::from_json(Json(3)); }, {"preprocess", "an array"});
}

}  // namespace
}  // namespace vaetl::preprocess_test
