// Long series: windows and horizons by hand, parts that share no row, missing values, the order of time, real sets.
#include "vaetl/data/readers/series.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"

namespace vaetl::series_test {
namespace {

using testing::expect_error;
using testing::Folder;
using testing::long_tensor;
using testing::shared_data;

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

// A row an hour of one day, and from there: a = row, b = 100 + row.
std::string table(std::int64_t rows, const std::map<std::int64_t, std::string>& others = {}) {
  std::string text = "date,a,kind,b\n";
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto other = others.find(i);
    text += other != others.end()
                ? other->second + "\n"
                : fmt::format("2020-{:02}-{:02} {:02}:00,{},x,{}\n", 1 + i / 600, 1 + i / 24 % 25, i % 24, i, 100 + i);
  }
  return text;
}

std::vector<float> floats(const at::Tensor& values) {
  const at::Tensor own = values.contiguous();
  return {own.const_data_ptr<float>(), own.const_data_ptr<float>() + own.numel()};
}

TEST(Series, Options) {
  testing::expect_fields_cover<readers::Series::Options>();
  testing::expect_defaults_round_trip<readers::Series::Options>();
  expect_error<ConfigError>([] { data::open("series:a.csv?rows=[1,2]"); }, {"series.rows", "three numbers"});
  expect_error<ConfigError>([] { data::open("series:a.csv?test_share=0.6&validation_share=0.5"); },
                            {"leave rows for training"});
}

TEST(Series, WindowsAndHorizons) {
  const Folder folder;
  const auto file = folder.write("a.csv", table(20));
  const auto [splits, problems] =
      open("series:" + file.string() + "?window=3&horizon=2&test_share=0.25&validation_share=0.25");
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(splits.train.size(), 6);  // rows 0 … 9
  EXPECT_EQ(splits.validation.size(), 1);
  EXPECT_EQ(splits.test.size(), 1);
  const Fields two = splits.train.gather(long_tensor({5, 0}));
  EXPECT_EQ(floats(two.input()), (std::vector<float>{5, 105, 6, 106, 7, 107, 0, 100, 1, 101, 2, 102}));
  EXPECT_EQ(two.input().sizes(), at::IntArrayRef({2, 3, 2}));
  EXPECT_EQ(floats(two.target()), (std::vector<float>{8, 108, 9, 109, 3, 103, 4, 104}));
  EXPECT_EQ(floats(splits.validation.column("input")), (std::vector<float>{10, 110, 11, 111, 12, 112}));
  EXPECT_EQ(floats(splits.test.column("target")), (std::vector<float>{18, 118, 19, 119}));
  EXPECT_EQ(splits.train.info().overlap, 4);
  EXPECT_EQ(splits.train.info().fields.at("target").shape, (std::vector<std::int64_t>{4}));
  EXPECT_EQ(splits.train.info().sha256.size(), 64u);
}

TEST(Series, StrideColumnsAndCounts) {
  const Folder folder;
  const auto file = folder.write("a.csv", table(20));
  const std::string reference = "series:" + file.string() + "?window=4&stride=3";
  auto splits = open(reference + "&horizon=0&columns=b&rows=[12,0,8]").splits;
  EXPECT_EQ(floats(splits.train.column("input").select(1, 0)), (std::vector<float>{100, 103, 106}));
  EXPECT_FALSE(splits.train.has("target"));
  EXPECT_EQ(splits.train.info().overlap, 1);
  EXPECT_EQ(splits.validation.size(), 0);
  EXPECT_EQ(floats(splits.test.column("input").select(1, 0)), (std::vector<float>{112, 115}));
  splits = open(reference + "&horizon=1&target=b&columns=a&rows=[12,0,8]").splits;
  EXPECT_EQ(floats(splits.train.column("target")), (std::vector<float>{104, 107, 110}));
  const Json fitted = splits.train.info().reader;
  EXPECT_EQ(fitted.at("columns"), Json({"a"}));
  EXPECT_EQ(fitted.at("time"), Json({"date"}));
  EXPECT_FALSE(fitted.contains("rows") || fitted.contains("test_share"));
  const auto other = folder.write("b.csv", "b,a\n1,2\n3,4\n5,6\n7,8\n9,10\n");
  EXPECT_EQ(floats(open("series:" + other.string() + "?test_share=0&time=[]", fitted).splits.train.column("input")),
            (std::vector<float>{2, 4, 6, 8}));
  expect_error<ConfigError>([&] { data::open(reference + "&columns=c"); }, {"columns", "a column of", "\"c\""});
  expect_error<DataError>([&] { data::open(reference + "&rows=[12,0,9]"); },
                          {"21 rows, as the option `rows` has them", "20"});
  expect_error<DataError>([&] { data::open(reference + "&horizon=1&rows=[12,4,4]"); },
                          {"at least one validation window of 5 complete rows", "4 rows"});
  const auto test = folder.write("c.csv", table(6));
  EXPECT_EQ(open(reference + "&horizon=1&test=c.csv").splits.test.size(), 1);
}

TEST(Series, MissingValues) {
  const Folder folder;
  const auto file =
      folder.write("a.csv", table(12, {{5, "2020-01-01 05:00,NA,x,105"}, {6, "2020-01-01 06:00,,x,106"}}));
  const std::string reference = "series:" + file.string() + "?window=2&horizon=1&test_share=0&target=b";
  auto [splits, problems] = open(reference);
  EXPECT_EQ(floats(splits.train.column("input").select(1, 0).select(1, 0)), (std::vector<float>{0, 1, 2, 7, 8, 9}));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].where, file.string() + ":7");
  EXPECT_NE(problems[0].found.find("4 windows were left out"), std::string::npos);
  std::tie(splits, problems) = [&] {
    auto read = open(reference + "&fill=1");
    return std::tuple(read.splits, read.problems);
  }();
  EXPECT_EQ(floats(splits.train.column("input")[3]), (std::vector<float>{3, 103, 4, 104}));
  EXPECT_EQ(splits.train.size(), 4 + 3);
  EXPECT_EQ(open(reference + "&fill=2").splits.train.size(), 10);
  EXPECT_EQ(floats(open(reference + "&fill=2").splits.train.column("input")[6]), (std::vector<float>{4, 106, 7, 107}));
}

TEST(Series, BadRowsAndTheOrderOfTime) {
  const Folder folder;
  const auto file = folder.write("a.csv", table(14, {{3, "2020-01-01 03:00,?0.2,x,103"},    // a slip: missing
                                                     {6, "2020-01-01 05:00,6,x,106"},       // the same time again
                                                     {9, "2020-01-01 09:00,9,x,109,1"}}));  // no row at all
  const auto [splits, problems] = open("series:" + file.string() + "?window=2&horizon=0&test_share=0");
  EXPECT_EQ(floats(splits.train.column("input").select(2, 0).select(1, 0)),
            (std::vector<float>{0, 1, 4, 5, 7, 10, 11, 12}));
  std::vector<std::string> lines;
  for (const auto& p : problems) lines.push_back(p.where.substr(file.string().size()) + " " + p.found);
  EXPECT_EQ(lines, (std::vector<std::string>{":5 \"?0.2\"", ":8 \"2020-01-01 05:00\"", ":11 5",
                                             ":5 a missing one, the first of those that 2 windows were left out for"}));
  expect_error<DataError>([&] { data::open(data::parse_reference("series:" + file.string()), {.strict = true}); },
                          {"a.csv:5", "a number in column \"a\""});
  std::string backwards = "date,a\n";
  for (int day = 9; day > 0; --day) backwards += fmt::format("2020-01-0{},1\n", day);
  expect_error<DataError>([&] { data::open("series:" + folder.write("b.csv", backwards).string()); },
                          {"rows in the order of the time, column \"date\"", "8 of 9", "sort them"});
  expect_error<DataError>([&] { data::open("series:" + folder.write("c.csv", "a,b\nx,y\nz,w\nx,y\n").string()); },
                          {"a column of numbers", "a, b"});
}

TEST(Series, StandardisedByTheTrainingRows) {
  const Folder folder;
  const auto file = folder.write("a.csv", table(20));
  const auto splits = open("series:" + file.string() + "?window=2&horizon=1&target=b").splits;
  const Preprocess fitted = Preprocess::standard(splits.train, {});
  Fields batch = splits.test.all();
  fitted.apply(batch);
  // Windows of rows 0 … 15, the first 14 and the second 14: mean 7.
  EXPECT_NEAR(fitted.json()[1].at("mean")[0].get<double>(), 7, 1e-12);
  EXPECT_NEAR(batch.input()[0][0][0].item<double>(), (16 - 7) / fitted.json()[1].at("std")[0].get<double>(), 1e-6);
  EXPECT_NEAR(fitted.restore("target", batch.target())[0][0].item<double>(), 118, 1e-4);
}

TEST(Series, RealSets) {
  const auto folder = shared_data("timeseries");
  if (!folder) GTEST_SKIP() << "no shared data";
  const std::string root = "series:" + folder->string();
  const auto ett = open(root + "/ett/ETTh1.csv?window=96&horizon=24&rows=[8640,2880,2880]");
  EXPECT_TRUE(ett.problems.empty());
  EXPECT_EQ(ett.splits.train.size(), 8640 - 119);
  EXPECT_EQ(ett.splits.validation.size(), 2880 - 119);
  EXPECT_EQ(ett.splits.train.info().fields.at("input").shape, (std::vector<std::int64_t>{96, 7}));
  EXPECT_EQ(ett.splits.train.info().reader.at("columns").back(), "OT");
  EXPECT_FLOAT_EQ(ett.splits.train.gather(long_tensor({0})).input()[0][0][6].item<float>(), 30.5310001373291f);
  const std::pair<const char*, std::int64_t> rows[] = {{"ett/ETTh1", 17420},
                                                       {"ett/ETTh2", 17420},
                                                       {"misc/airline-passengers", 144},
                                                       {"misc/daily-max-temperatures", 3650},
                                                       {"misc/daily-min-temperatures", 3650},
                                                       {"misc/monthly-sunspots", 2820}};
  for (const auto& [name, count] : rows) {
    const auto read = open(fmt::format("{}/{}.csv?window=1&horizon=0&test_share=0", root, name));
    EXPECT_EQ(read.splits.train.size(), count) << name;
    EXPECT_TRUE(read.problems.empty()) << name << ": " << read.problems[0].found;
  }
  const auto air = open(
      root + "/misc/pollution.csv?window=24&horizon=1&target=pm2.5&columns=[\"pm2.5\",\"TEMP\",\"PRES\"]&test_share=0");
  EXPECT_EQ(air.problems.size(), 1u);  // of missing values
  EXPECT_LT(air.splits.train.size(), 43824 - 24);
  EXPECT_GT(open(root + "/misc/pollution.csv?window=24&columns=[\"pm2.5\"]&fill=48&test_share=0").splits.train.size(),
            air.splits.train.size());
}

}  // namespace
}  // namespace vaetl::series_test
