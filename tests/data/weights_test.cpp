// What examples count for: weights of classes, columns and arrays of weights, and what mixing makes of them.
#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/transforms/replace.hpp"
#include "vaetl/io/npy.hpp"

namespace vaetl::weights_test {
namespace {

using testing::expect_error;
using testing::Folder;
using testing::long_tensor;
using testing::values_of;
using Names = std::vector<std::string>;

Dataset labelled(const std::vector<std::int64_t>& labels, Names classes = {"a", "b", "c"}) {
  Fields fields;
  fields.set("input", at::zeros({std::ssize(labels), 1}));
  fields.set("target", long_tensor(labels));
  return Dataset::from_tensors(fields, {.name = "rare", .classes = std::move(classes)});
}

void expect_weights(const Dataset& data, const std::vector<float>& expected) {
  const at::Tensor found = data.column("weight"), wanted = at::tensor(expected);
  ASSERT_EQ(found.sizes(), wanted.sizes());
  EXPECT_EQ(found.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::allclose(found, wanted, 1e-6, 0)) << found;
}

TEST(WeighClasses, BalancedIsThatOfScikitLearn) {
  // compute_class_weight("balanced", y=[0, 0, 0, 1, 2, 2]): 6 / (3 · 3), 6 / (3 · 1), 6 / (3 · 2).
  expect_weights(labelled({0, 0, 0, 1, 2, 2}).weigh_classes(), {2.F / 3, 2.F / 3, 2.F / 3, 2, 1, 1});
  // Of a class without examples there is nothing to balance: K = 2.
  expect_weights(labelled({0, 0, 2}).weigh_classes(), {0.75F, 0.75F, 1.5F});
}

// An example of weight 2 is two examples: every class has the same sum of weights, and all together what they had.
TEST(WeighClasses, MultipliesTheWeightsThatThereAre) {
  const Dataset data = labelled({0, 0, 1, 2}).with("weight", at::tensor({1.0, 2.0, 1.0, 2.0}));
  expect_weights(data.weigh_classes(), {2.F / 3, 4.F / 3, 2, 2});
  expect_weights(data.weigh_classes({1, 3, 0}), {1, 2, 3, 0});
}

TEST(WeighClasses, KnowsAViewsOwnLabels) {
  const Dataset data = labelled({0, 0, 0, 1, 1, 2});
  expect_weights(data.select(long_tensor({0, 1, 5})).weigh_classes(), {0.75F, 0.75F, 1.5F});
  expect_weights(data.take_per_class(1, 3).weigh_classes(), {1, 1, 1});
  const Fields batch = data.weigh_classes().select(long_tensor({5, 0})).gather(long_tensor({0, 1}));
  EXPECT_TRUE(at::allclose(batch["weight"], at::tensor({2.0F, 2.0F / 3})));
}

// Examples are never gathered: what decodes as it goes has its labels in one piece.
TEST(WeighClasses, ReadsLabelsAlone) {
  struct Costly final : Source {
    const DatasetInfo& info() const override { return data.info(); }
    std::int64_t size() const override { return data.size(); }
    Fields gather(const at::Tensor&) const override {
      throw DataError({"costly", "no pictures", "a look at them", {}});
    }
    at::Tensor column(const std::string& field) const override { return data.column(field); }
    bool decodes() const override { return true; }
    Dataset data = labelled({0, 1, 1});
  };
  const Dataset weighed = Dataset(std::make_shared<Costly>()).weigh_classes();
  EXPECT_TRUE(weighed.decodes());
  expect_weights(weighed, {1.5F, 0.75F, 0.75F});
}

TEST(WeighClasses, SaysWhatIsWrong) {
  const Dataset data = labelled({0, 0, 1});
  expect_error<ConfigError>(
      [&] {
        data.weigh_classes({1, 2});
      },
      {"class_weights: expected 3 numbers, one a class, found 2"});
  expect_error<ConfigError>([&] { data.weigh_classes({1, -2, 1}); }, {"numbers of at least 0", "found -2"});
  expect_error<ConfigError>([&] { data.weigh_classes({1, NAN, 1}); }, {"numbers of at least 0", "found nan"});
  expect_error<DataError>(
      [&] {
        data.weigh_classes({0, 0, 1});
      },
      {"an example with a weight above 0", "weigh a class that has examples"});
  expect_error<DataError>([&] { data.without("target").weigh_classes(); }, {"labels: integers (N)"});
}

struct Read {
  Splits splits;
  Names skipped;
};

Read read(const std::string& reference, const Json& fitted = {}) {
  Names skipped;
  Reading reading{.fitted = fitted};
  reading.skipped = [&](const Problem& p) { skipped.push_back(p.expected + ", " + p.found); };
  Splits splits = data::open(reference, reading);
  return {std::move(splits), skipped};
}

TEST(CsvWeights, AreAColumnThatIsNoInput) {
  const Folder folder;
  const std::string file =
      folder.write("t.csv", "x,w,y\n1,2,a\n2,0,b\n3,-1,a\n4,nan,b\n5,,b\n6,much,a\n7,0.5,b\n").string();
  const auto [splits, skipped] = read("csv:" + file + "?target=y&weight=w");
  expect_weights(splits.train, {2, 0, 0.5F});
  EXPECT_EQ(splits.train.info().fields.at("input").shape, std::vector<std::int64_t>{1});
  const std::string expected = "a weight of at least 0 in column \"w\", ";
  EXPECT_EQ(skipped, (Names{expected + "\"-1\"", expected + "\"nan\"", expected + "none", expected + "\"much\""}));
  expect_error<DataError>(
      [&] { data::open(data::parse_reference("csv:" + file + "?target=y&weight=w"), {.strict = true}); },
      {"t.csv:4: expected a weight of at least 0 in column \"w\", found \"-1\""});
  expect_error<ConfigError>([&] { read("csv:" + file + "?target=y&weight=ww"); },
                            {"weight: expected a column of", "\"w\""});
  expect_error<ConfigError>([&] { read("csv:" + file + "?target=y&weight=y"); },
                            {"weight", "a column that is no target"});
  expect_error<ConfigError>([&] { read("csv:" + file + "?target=y&weight=[0,1]"); },
                            {"weight", "one column of weights"});
  const std::string none = folder.write("none.csv", "x,w,y\n1,0,a\n2,0,b\n").string();
  expect_error<DataError>([&] { read("csv:" + none + "?target=y&weight=w"); },
                          {"none.csv, split train: expected an example with a weight above 0, found 2 of weight 0"});
}

TEST(CsvWeights, ServeEverySplitAndFurtherFiles) {
  const Folder folder;
  const std::string file = folder.write("t.csv", "x,w,y\n1,2,a\n2,3,b\n").string();
  folder.write("test.csv", "w,y,x\n4,b,1\n");
  const auto [splits, skipped] = read("csv:" + file + "?target=y&weight=w&test=test.csv");
  expect_weights(splits.test, {4});
  const Json fitted = splits.train.info().reader;
  const auto further = [&](const std::string& text, const std::string& more = "") {
    return read("csv:" + folder.write("new.csv", text).string() + more, fitted).splits.train;
  };
  expect_weights(further("y,w,x\na,7,1\n"), {7});
  EXPECT_FALSE(further("y,x\na,1\n").has("weight"));
  expect_weights(further("y,x,other\na,1,5\n", "?weight=other"), {5});
  expect_error<ConfigError>([&] { further("y,x\na,1\n", "?weight=other"); }, {"weight: expected a column of"});
  const std::string bare = folder.write("bare.csv", "1,2,a\n2,3,b\n").string();
  const Json by_place = read("csv:" + bare + "?target=-1&weight=1&header=false").splits.train.info().reader;
  const auto placed = [&](const std::string& text) {
    return read("csv:" + folder.write("new.csv", text).string(), by_place).splits.train;
  };
  expect_weights(placed("5,6,a\n"), {6});
  EXPECT_FALSE(placed("5\n").has("weight"));
  EXPECT_FALSE(placed("5,a\n").has("weight"));
  EXPECT_TRUE(placed("5,b\n").has("target"));
  expect_error<DataError>(
      [&] { placed("5,6,7,8\n"); },
      {"rows of 3 values, as the training data have, or 2 without the weight, or 1 without weight and target"});
}

TEST(NpyWeights, AreFoundByNameAndFollowTheirRows) {
  const Folder folder;
  const auto write = [&](const char* name, const at::Tensor& values) { write_npy(folder.path() / name, values); };
  write("x_train.npy", at::tensor({1.0F, NAN, 3.0F, 4.0F, 5.0F}).view({5, 1}));
  write("y_train.npy", long_tensor({0, 1, 1, 0, 1}));
  write("sample_weight_train.npy", at::tensor({1.0, 2.0, -3.0, NAN, 5.0}).view({5, 1}));
  write("x_test.npy", at::ones({2, 1}));
  write("y_test.npy", long_tensor({7, 1}));
  write("w_test.npy", long_tensor({2, 3}));
  const std::string reference = "npy:" + folder.path().string();
  const auto [splits, skipped] = read(reference);
  expect_weights(splits.train, {1, 5});
  EXPECT_EQ(values_of(splits.train.labels()), (std::vector<std::int64_t>{0, 1}));
  expect_weights(splits.test, {3});
  EXPECT_EQ(skipped, (Names{"finite values, NaN or infinity", "finite values, NaN or infinity",
                            "a weight of at least 0, one below", "a label of the training data, another"}));
  write("other.npy", at::ones({5}));
  expect_weights(read(reference + "?weight=other").splits.train, {1, 1, 1, 1});
  write("other.npy", at::ones({4}));
  expect_error<DataError>([&] { read(reference + "?weight=other"); },
                          {"x_train: expected 5 weights, one for each input, found (4) float32; name the array"});
  write("other.npy", at::zeros({5}));
  expect_error<DataError>([&] { read(reference + "?weight=other"); },
                          {"split train", "a weight above 0", "4 of weight 0"});
}

TEST(NpyWeights, LieBesideAFile) {
  const Folder folder;
  write_npy(folder.path() / "a.npy", at::ones({2, 3}));
  write_npy(folder.path() / "importance.npy", at::tensor({1.0F, 4.0F}));
  expect_weights(read("npy:" + (folder.path() / "a.npy").string() + "?weight=importance.npy").splits.train, {1, 4});
}

// 400 examples, each with a label of its own, and weights of which some are 0.
Fields weighted_batch() {
  Fields fields;
  auto generator = make_generator(4);
  fields.set("input", at::rand({400, 1, 6, 6}, generator));
  fields.set("target", at::arange(400, at::kLong));
  fields.set("weight", at::rand({400}, generator) * at::rand({400}, generator).gt(0.3));
  return fields;
}

// The loss of a mixed example is λ w L + (1 − λ) w′ L′, for any losses L of labels.
TEST(MixedWeights, AreThoseOfBothExamples) {
  const Fields given = weighted_batch();
  at::Tensor equal_weights = at::full({400}, 1.0F);
  for (const bool cut : {false, true}) {
    const auto apply = [&](Fields fields) {
      at::Generator generator = make_generator(9);
      if (cut) {
        transforms::CutMix({}).apply(fields, generator);
      } else {
        transforms::Mixup({.alpha = 1}).apply(fields, generator);
      }
      return fields;
    };
    Fields plain = given;
    plain.set("weight", equal_weights);
    const Fields even = apply(plain), mixed = apply(given);
    EXPECT_TRUE(at::allclose(even["weight"], equal_weights));
    const at::Tensor share = even["mix"], other = mixed["target.other"], weight = given["weight"];
    EXPECT_TRUE(at::equal(other, even["target.other"]));
    const at::Tensor loss = at::arange(400, at::kFloat).remainder(7);
    const at::Tensor found = mixed["weight"] * (mixed["mix"] * loss + (1 - mixed["mix"]) * loss.index_select(0, other));
    const at::Tensor own = share * weight, theirs = (1 - share) * weight.index_select(0, other);
    EXPECT_TRUE(at::allclose(found, own * loss + theirs * loss.index_select(0, other), 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(mixed["weight"], own + theirs, 1e-6, 1e-7));
    EXPECT_GT(mixed["weight"].eq(0).sum().item<std::int64_t>(), 5);
    EXPECT_TRUE(mixed["mix"].isfinite().all().item<bool>());
  }
}

// Of values y, the mixed one is (λ w y + (1 − λ) w′ y′) / (λ w + (1 − λ) w′).
TEST(MixedWeights, OfValuesToo) {
  const auto mixed_with = [](const at::Tensor& weights, const at::Tensor& targets) {
    Fields fields = weighted_batch();
    fields.set("weight", weights);
    fields.set("target", targets.view({-1, 1}));
    at::Generator generator = make_generator(9);
    transforms::Mixup({.alpha = 1}).apply(fields, generator);
    return fields;
  };
  const at::Tensor weights = weighted_batch()["weight"], values = at::arange(400, at::kFloat).remainder(7);
  const at::Tensor sums = mixed_with(at::ones({400}), weights * values).target().squeeze(1);
  const Fields mixed = mixed_with(weights, values);
  EXPECT_TRUE(at::allclose(mixed.target().squeeze(1) * mixed["weight"], sums, 1e-4, 1e-5));
}

}  // namespace
}  // namespace vaetl::weights_test
