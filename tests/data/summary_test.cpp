#include "vaetl/data/summary.hpp"

#include "tests/data/support.hpp"
#include "vaetl/data/example_text.hpp"
#include "vaetl/data/open.hpp"

namespace vaetl::summary_test {
namespace {

using namespace testing;
using data::Form;

DatasetInfo info_of(std::vector<std::int64_t> shape, at::ScalarType dtype) {
  DatasetInfo info;
  info.fields["input"] = {std::move(shape), dtype};
  return info;
}

TEST(Summary, FormsOfInputs) {
  EXPECT_EQ(data::form_of(info_of({3, 32, 32}, at::kByte)), Form::pictures);
  EXPECT_EQ(data::form_of(info_of({1, 8, 8}, at::kFloat)), Form::pictures);
  EXPECT_EQ(data::form_of(info_of({14}, at::kFloat)), Form::table);
  EXPECT_EQ(data::form_of(info_of({40}, at::kInt)), Form::tokens);
  EXPECT_EQ(data::form_of(info_of({96, 7}, at::kFloat)), Form::series);
  EXPECT_EQ(data::form_of(info_of({16000}, at::kShort)), Form::sound);
  EXPECT_EQ(data::form_of(info_of({64, 8, 8}, at::kFloat)), Form::values);
  EXPECT_EQ(data::form_of(DatasetInfo{}), Form::values);
}

// 5,000,000 × 4 bytes are read in two parts; of 0 … n − 1 mean and variance are known.
TEST(Summary, PartsAreMergedExactly) {
  constexpr std::int64_t n = 5'000'000;
  Fields fields;
  fields.set("input", at::arange(n, at::kFloat).view({n, 1}));
  const auto summary = data::summarise(Dataset::from_tensors(fields));
  ASSERT_EQ(summary.columns.size(), 1u);
  const auto& column = summary.columns[0];
  EXPECT_EQ(column.count, n);
  // Each value's distance from the mean is rounded to float32: a relative error of 2⁻²⁴ at most.
  EXPECT_NEAR(column.mean, (n - 1) / 2.0, 1e-6 * n);
  EXPECT_NEAR(column.std(), std::sqrt((double(n) * n - 1) / 12.0), 1e-6 * n);
  EXPECT_EQ(column.low, 0);
  EXPECT_EQ(column.high, n - 1);
}

TEST(Summary, ChannelsOfPicturesAndClasses) {
  Fields fields;
  at::Tensor pixels = at::zeros({4, 2, 2, 2}, at::kByte);
  pixels.select(1, 1).fill_(10);
  pixels[3][1][0][0] = 30;
  fields.set("input", pixels);
  fields.set("target", long_tensor({0, 2, 2, 0}));
  const auto summary = data::summarise(Dataset::from_tensors(fields, {.classes = {"a", "b", "c"}}));
  EXPECT_EQ(summary.classes, (std::vector<std::int64_t>{2, 0, 2}));
  ASSERT_EQ(summary.columns.size(), 2u);
  EXPECT_TRUE(summary.columns[0].constant());
  EXPECT_DOUBLE_EQ(summary.columns[1].mean, (15 * 10 + 30) / 16.0);
  EXPECT_DOUBLE_EQ(summary.columns[1].std(), std::sqrt(20.0 * 20 * 15 / 256));  // one of 16 values lies 20 off
  EXPECT_EQ(summary.constant, 0);
  EXPECT_EQ(summary.fields.at("input").high, 30);
}

TEST(Summary, PaddingIsNotCounted) {
  Fields fields;
  fields.set("input", at::tensor({1.0f, 2.0f, 0.0f, 3.0f, 0.0f, 0.0f}).view({2, 3, 1}));
  fields.set("length", long_tensor({2, 1}));
  const auto summary = data::summarise(Dataset::from_tensors(fields));
  EXPECT_EQ(summary.columns[0].count, 3);
  EXPECT_EQ(summary.columns[0].missing, 0);
  EXPECT_DOUBLE_EQ(summary.columns[0].mean, 2);
  ASSERT_TRUE(summary.lengths);
  EXPECT_EQ(summary.lengths->low, 1);
  EXPECT_EQ(summary.lengths->high, 2);
}

TEST(Summary, MissingAndInfiniteValues) {
  Fields fields;
  fields.set("input", at::tensor({1.0f, NAN, 3.0f, INFINITY, NAN, 5.0f}).view({3, 2}));
  const auto summary = data::summarise(Dataset::from_tensors(fields));
  EXPECT_EQ(summary.fields.at("input").missing, 2);
  EXPECT_EQ(summary.fields.at("input").infinite, 1);
  EXPECT_EQ(summary.columns[0].missing, 1);  // 1, 3, NaN
  EXPECT_DOUBLE_EQ(summary.columns[0].mean, 2);
  EXPECT_EQ(summary.columns[1].count, 1);  // NaN, ∞, 5
  EXPECT_FALSE(summary.columns[1].constant());
  EXPECT_EQ(summary.json({}).dump().find("null"), std::string::npos);
}

TEST(Summary, ColumnsOfATableHaveNamesAndCategories) {
  const Folder folder;
  const auto file = folder.write("t.csv", "age,colour,kind\n20,red,a\n30,blue,b\n,red,a\n50,?,b\n");
  const auto splits = data::open("csv:" + file.string() + "?target=kind");
  const auto summary = data::summarise(splits.train);
  ASSERT_EQ(summary.columns.size(), 2u);
  EXPECT_EQ(summary.columns[0].name, "age");
  EXPECT_EQ(summary.columns[0].missing, 1);
  EXPECT_NEAR(summary.columns[0].mean, 100 / 3.0, 1e-5);
  EXPECT_EQ(summary.columns[1].categories, 2);
  EXPECT_EQ(summary.columns[1].most, "red");
  EXPECT_EQ(summary.columns[1].most_count, 2);
  EXPECT_EQ(summary.columns[1].missing, 1);
  ASSERT_EQ(summary.shown.size(), 3u);
  EXPECT_EQ(summary.shown[0], "age=20 colour=red");
  EXPECT_EQ(summary.shown[2], "age= colour=red");
}

TEST(Summary, TokensAsText) {
  const Folder folder;
  const auto file = folder.write("t.tsv", "a\tCall me, now\nb\tcall me\n");
  const auto train = data::open("lines:" + file.string() + "?ngrams=2").train;
  const auto summary = data::summarise(train);
  ASSERT_EQ(summary.shown.size(), 2u);
  EXPECT_EQ(summary.shown[0], "call me , now");  // the runs of two words are not repeated
  EXPECT_EQ(data::vocabulary_size(train.info()), train.info().fields.at("input").high + 1);
  const Json reader = {{"by", "character"}, {"vocabulary", {"h", "é"}}};
  const std::int32_t ids[] = {2, 3, 1, 0};
  EXPECT_EQ(data::TokenText(reader)(ids, 4), "hé�");
}

TEST(Summary, ADescriptionOfWrongTypesIsNoDescription) {
  DatasetInfo info = info_of({2}, at::kFloat);
  for (const Json& reader :
       {Json("x"), Json{{"columns", 3}}, Json{{"columns", {1, 2}}}, Json{{"columns", {{{"name", 7}}, {}}}}}) {
    info.reader = reader;
    EXPECT_EQ(data::table_columns(info)[1].name, "1") << reader;
  }
  for (const Json& reader : {Json(4), Json{{"by", 3}}, Json{{"by", "word"}, {"vocabulary", "no"}}}) {
    EXPECT_FALSE(data::TokenText(reader).known()) << reader;
  }
}

TEST(Summary, Mnist) {
  const auto folder = shared_data("mnist");
  if (!folder) GTEST_SKIP() << "shared data are absent";
  const auto summary = data::summarise(data::open("idx:" + folder->string()).train);
  EXPECT_NEAR(summary.columns[0].mean, 33.318, 5e-4);  // its index gives three decimals
  EXPECT_EQ(summary.classes, (std::vector<std::int64_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
}

}  // namespace
}  // namespace vaetl::summary_test
