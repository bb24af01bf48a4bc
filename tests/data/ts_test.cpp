// Labelled series: the archive's formats by hand and as it has them, unequal lengths, missing values, bad lines.
#include "vaetl/data/readers/ts.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/npy.hpp"

namespace vaetl::ts_test {
namespace {

using testing::expect_error;
using testing::Folder;
using testing::shared_data;
using testing::values_of;

const std::string header = "# a comment\n@problemName P\n@timeStamps false\n@classLabel true b a\n@data\n";

struct Read {
  Splits splits;
  std::vector<Problem> problems = {};
};

Read open(const std::string& reference, Json fitted = {}) {
  std::vector<Problem> problems;
  Reading reading;
  reading.skipped = [&](const Problem& problem) { problems.push_back(problem); };
  reading.fitted = std::move(fitted);
  return {data::open(reference, reading), std::move(problems)};
}

std::vector<std::int64_t> counts(const Dataset& data) {
  return values_of(at::bincount(data.labels(), {}, data.classes()));
}

TEST(Ts, Options) {
  testing::expect_fields_cover<readers::Ts::Options>();
  testing::expect_defaults_round_trip<readers::Ts::Options>();
  expect_error<ConfigError>([] { data::open("ts:a.ts?test=b.ts&test_share=0.5"); }, {"ts.test_share", "0 beside test"});
}

TEST(Ts, AHeldOutShareTeachesNothing) {
  // Which cases will be held out: the longest is one of them.
  Fields cases;
  cases.set("input", at::arange(12, at::kLong));
  cases.set("target", at::arange(12, at::kLong).remainder(2));
  const auto held = hold_out(Dataset::from_tensors(cases), 0.5, /*seed=*/0).held.column("input")[2].item<int>();
  const Folder folder;
  std::string text = "@problemName t\n@timestamps false\n@univariate true\n@classLabel true a b\n@data\n";
  for (int i = 0; i < 12; ++i) {
    for (int t = 0; t <= (i == held ? 40 : i); ++t) text += fmt::format("{}{}", t > 0 ? "," : "", t);
    text += i % 2 == 0 ? ":a\n" : ":b\n";
  }
  folder.write("t.ts", text);
  const Splits splits = data::open("ts:" + (folder.path() / "t.ts").string() + "?test_share=0.5");
  const std::int64_t longest = splits.train.column("length").max().item<std::int64_t>();
  EXPECT_LE(longest, 12);
  EXPECT_EQ(splits.test.column("length").max().item<std::int64_t>(), longest);  // 41 values, cut
  EXPECT_EQ(splits.train.info().fields.at("input").shape[0], longest);
  EXPECT_EQ(splits.train.info().reader["length"], longest);
}

TEST(Ts, DimensionsLengthsAndLabels) {
  const Folder folder;
  const auto file = folder.write("P_TRAIN.ts", header + "1,2,3:4,5,6:a\n\n 7 , 8 : 9,1e1 : b \r\n");
  folder.write("P_TEST.ts", header + "1:2:b\n1,2,3,4:5,6,7,8:a\n");
  const auto [splits, problems] = open("ts:" + file.string());
  EXPECT_TRUE(problems.empty());
  const at::Tensor wanted = at::tensor({1.f, 4.f, 2.f, 5.f, 3.f, 6.f, 7.f, 9.f, 8.f, 10.f, 0.f, 0.f}).view({2, 3, 2});
  EXPECT_TRUE(at::equal(splits.train.column("input"), wanted));
  EXPECT_EQ(values_of(splits.train.column("length")), (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(values_of(splits.train.labels()), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"a", "b"}));
  const at::Tensor cut = at::tensor({1.f, 2.f, 0.f, 0.f, 0.f, 0.f, 1.f, 5.f, 2.f, 6.f, 3.f, 7.f}).view({2, 3, 2});
  EXPECT_TRUE(at::equal(splits.test.column("input"), cut));
  EXPECT_EQ(values_of(splits.test.column("length")), (std::vector<std::int64_t>{1, 3}));
  const Json fitted = splits.train.info().reader;
  EXPECT_EQ(fitted,
            Json::parse(
                R"({"name": "ts", "length": 3, "missing": "skip", "dims": 2, "padded": true, "classes": ["a", "b"]})"));
  EXPECT_TRUE(at::equal(open("ts:" + file.string(), fitted).splits.test.column("input"), cut));
  const auto more = folder.write("more.ts", "@classLabel false\n@data\n1,2,3,4:5,6,7,8\n");
  const auto unlabelled = open("ts:" + more.string(), fitted).splits.train;
  EXPECT_TRUE(at::equal(unlabelled.column("input"), cut.narrow(0, 1, 1)));
  EXPECT_FALSE(unlabelled.has("target"));
  EXPECT_EQ(open("ts:" + folder.path().string() + "?length=2").splits.train.column("input").size(1), 2);
}

TEST(Ts, RegressionAndMissing) {
  const Folder folder;
  const auto file = folder.write("a.ts", "@targetlabel true\n@data\n?,2,?,?,5,?:0.5\n1,2,3,4,5,6:-3\n");
  auto [splits, problems] = open("ts:" + file.string());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].where, file.string() + ":3");
  EXPECT_EQ(problems[0].remedy, "missing=interpolate fills it");
  EXPECT_TRUE(at::equal(splits.train.column("target"), at::tensor({-3.f}).view({1, 1})));
  splits = open("ts:" + file.string() + "?missing=interpolate").splits;
  const at::Tensor filled = at::tensor({2.f, 2.f, 3.f, 4.f, 5.f, 5.f});
  EXPECT_TRUE(at::equal(splits.train.column("input")[0].squeeze(1), filled));
  EXPECT_TRUE(at::equal(splits.train.column("target"), at::tensor({0.5f, -3.f}).view({2, 1})));
}

TEST(Ts, RowsWithALabelFirst) {
  const Folder folder;
  const auto file = folder.write("a.tsv", "2\t1\t2\t3\n-1\t4\t5\tNaN\n10\t6\t7\t8\n");
  const auto splits = open("ts:" + file.string()).splits;
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"-1", "2", "10"}));
  EXPECT_EQ(values_of(splits.train.labels()), (std::vector<std::int64_t>{1, 0, 2}));
  EXPECT_EQ(values_of(splits.train.column("length")), (std::vector<std::int64_t>{3, 2, 3}));
  EXPECT_EQ(splits.train.column("input").sizes(), at::IntArrayRef({3, 3, 1}));
  // The same label, however it is written, and a test file of another kind.
  folder.write("b.txt", "  1.0000000e+00  0.5 1.5\n  2.0   2.5 3.5\n");
  write_npy(folder.path() / "c.npy", at::tensor({2.0f, 9.0f, 8.0f}).view({1, 3}));
  const Splits mixed = open("ts:" + (folder.path() / "b.txt").string() + "?test=c.npy").splits;
  EXPECT_EQ(mixed.train.info().classes, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(values_of(mixed.test.labels()), (std::vector<std::int64_t>{1}));
  EXPECT_FALSE(mixed.train.has("length"));
  const auto bare = folder.write("d.txt", "7 8\n");
  const auto unlabelled = open("ts:" + bare.string(), mixed.train.info().reader).splits.train;
  EXPECT_TRUE(at::equal(unlabelled.column("input").flatten(), at::tensor({7.f, 8.f})));
  EXPECT_FALSE(unlabelled.has("target"));
}

TEST(Ts, BadLinesAreToldAndLeftOut) {
  const Folder folder;
  const auto file =
      folder.write("a.ts", header + "1,2:3,4:a\n1,2:a\n1,x:3,4:a\n1,2:3:a\n:,:a\n1,2:3,4:\n1,inf:3,4:b\n5,6:7,8:b\n");
  const auto [splits, problems] = open("ts:" + file.string());
  EXPECT_EQ(splits.train.size(), 2);
  std::vector<std::string> lines;
  for (const auto& p : problems)
    lines.push_back(fmt::format("{} {}, {}", p.where.substr(file.string().size()), p.expected, p.found));
  EXPECT_EQ(lines, (std::vector<std::string>{":7 2 dimensions, 1", ":8 a number, \"x\"",
                                             ":9 2 values in every dimension, 1 in dimension 2",
                                             ":10 values in every dimension, 0 in dimension 1",
                                             ":11 a label at the end, none", ":12 a number, \"inf\""}));
  expect_error<DataError>([&] { data::open(data::parse_reference("ts:" + file.string()), {.strict = true}); },
                          {"a.ts:7", "2 dimensions"});
  const auto test = folder.write("b.ts", "@classLabel true\n@data\n1,2:3,4:c\n1,2:3,4:a\n");
  EXPECT_EQ(open("ts:" + file.string() + "?test=b.ts").problems.back().expected, "a label of the training cases");
}

TEST(Ts, RefusesOtherFiles) {
  const Folder folder;
  auto refused = [&](const std::string& name, const std::string& text, std::initializer_list<std::string_view> parts) {
    const auto file = folder.write(name, text);
    expect_error<DataError>([&] { data::open("ts:" + file.string()); }, parts);
  };
  refused("a.ts", "1,2:a\n", {"a.ts:1", "the header of a .ts file", "\"1,2:a\"", ".tsv"});
  refused("a.ts", "@problemName P\n", {"a header and @data", "its end before @data"});
  refused("a.ts", "@timestamps true\n@data\n(0,1):a\n", {"a.ts:1", "without time stamps"});
  refused("a.ts", "@dimensions none\n@data\n", {"a number of dimensions", "\"none\""});
  refused("a.ts", header, {"a.ts", "examples", "none"});
  refused("a.ts", header + "x:a\ny:b\n", {"a.ts:6", "a number", "2 examples", "none is left"});
  refused("a.doc", "", {"a file of another kind"});
  expect_error<DataError>([&] { data::open("ts:" + folder.path().string()); }, {"one file NAME_TRAIN.ts", "none"});
  // One long case among many short ones would take 5 GB.
  std::string rows;
  for (int i = 0; i < 20000; ++i) rows += "1\t2\n";
  rows += "1";
  for (int i = 0; i < 60000; ++i) rows += "\t2";
  refused("long.tsv", rows + "\n", {"20001 examples, the longest of 60000 values", "give a shorter length"});
  EXPECT_EQ(data::open("ts:" + (folder.path() / "long.tsv").string() + "?length=4").train.column("input").size(1), 4);
}

TEST(Ts, CutAnywhereNeverCrashes) {
  const Folder folder;
  const std::string whole = header + "1,2:3,4:a\n5,6:7,8:b\n";
  std::int64_t refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto file = folder.write("cut.ts", whole.substr(0, size));
    try {
      data::open("ts:" + file.string());
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GE(refused, static_cast<std::int64_t>(header.size()));
}

TEST(StandardiseSeries, CountsWhatIsThereAlone) {
  Fields fields;
  fields.set("input", at::tensor({1.f, 10.f, 3.f, 30.f, 0.f, 0.f, 5.f, 50.f, 0.f, 0.f, 0.f, 0.f}).view({2, 3, 2}));
  fields.set("length", testing::long_tensor({2, 1}));
  const Dataset train = Dataset::from_tensors(fields);
  const Preprocess fitted = Preprocess::fit({{"standardise_series"}}, train);
  const Json json = fitted.json()[0];
  EXPECT_EQ(json.at("mean"), Json({3.0, 30.0}));
  EXPECT_NEAR(json.at("std")[1].get<double>(), 10 * std::sqrt(8.0 / 3), 1e-12);
  Fields batch = train.all();
  Preprocess::from_json(fitted.json()).apply(batch);
  const float unit = static_cast<float>(1 / std::sqrt(8.0 / 3)) * 2;
  const at::Tensor wanted =
      at::tensor({-unit, -unit, 0.f, 0.f, 0.f, 0.f, unit, unit, 0.f, 0.f, 0.f, 0.f}).view({2, 3, 2});
  EXPECT_TRUE(at::allclose(batch.input(), wanted, 0, 1e-6));
  Fields other;
  other.set("input", at::zeros({1, 3, 4}));
  expect_error<DataError>([&] { fitted.apply(other); }, {"2 features", "4"});
  other.set("input", at::zeros({1, 3}));
  expect_error<DataError>([&] { fitted.apply(other); }, {"input (N, T, F)", "(1, 3)"});
}

TEST(Ts, JapaneseVowels) {
  const auto folder = shared_data("timeseries/japanesevowels");
  if (!folder) GTEST_SKIP() << "no shared data";
  const auto [splits, problems] = open("ts:" + folder->string());
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(splits.train.column("input").sizes(), at::IntArrayRef({270, 26, 12}));  // the longest, 29, is a test case
  EXPECT_EQ(counts(splits.train), std::vector<std::int64_t>(9, 30));
  EXPECT_EQ(splits.train.column("length").min().item<std::int64_t>(), 7);
  EXPECT_EQ(splits.test.size(), 370);
  EXPECT_EQ(counts(splits.test).size(), 9u);
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"1", "2", "3", "4", "5", "6", "7", "8", "9"}));
}

TEST(Ts, Ecg5000) {
  const auto folder = shared_data("timeseries/ecg5000");
  if (!folder) GTEST_SKIP() << "no shared data";
  const auto [splits, problems] =
      open("ts:" + (*folder / "ECG5000_TRAIN.txt").string() + "?test=ECG5000_TEST_4499.npy");
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(splits.train.column("input").sizes(), at::IntArrayRef({500, 140, 1}));
  EXPECT_EQ(counts(splits.train), (std::vector<std::int64_t>{292, 177, 10, 19, 2}));
  EXPECT_EQ(counts(splits.test), (std::vector<std::int64_t>{2626, 1590, 86, 175, 22}));
  EXPECT_FALSE(splits.train.has("length"));
  EXPECT_LT(splits.test.column("input").mean({1, 2}).abs().max().item<double>(), 1e-4);  // each is standardised
}

}  // namespace
}  // namespace vaetl::ts_test
