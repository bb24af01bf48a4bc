// Tables as datasets: columns found and declared, targets, bad rows by text, further files, what is learnt from where.
#include "vaetl/data/readers/csv.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/packed.hpp"
#include "vaetl/data/preprocess.hpp"

namespace vaetl::csv_test {
namespace {

using readers::Csv;
using testing::expect_error;
using testing::Folder;
using testing::values_of;
using namespace std::string_literals;

std::vector<float> floats_of(const at::Tensor& tensor) {
  const at::Tensor own = tensor.to(at::kFloat).nan_to_num(-99).contiguous();  // NaN as −99, to compare
  return {own.const_data_ptr<float>(), own.const_data_ptr<float>() + own.numel()};
}
using Floats = std::vector<float>;
using Longs = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

Csv::Options with(const std::string& json) { return from_json<Csv::Options>(parse_json(json, "options")); }

struct Opened {
  Splits splits;
  Names skipped;  // "FILE:LINE: expected …, found …", without the folder
};

Opened open_table(const Folder& folder, const std::string& file, const std::string& options, Reading reading = {}) {
  Names skipped;
  reading.skipped = [&](const Problem& p) {
    skipped.push_back(p.where.substr(folder.path().string().size() + 1) + ": " + p.expected + ", " + p.found);
  };
  Splits splits = Csv(with(options)).open(folder.path() / file, reading);
  return {std::move(splits), skipped};
}

const std::string people =
    "age,job,\"home, town\",city code,income\n"
    "39, clerk,Bonn,10,low\n"
    "50,smith,Ulm,9,high\n"
    ",clerk,?,9,low\n"
    "28.5,?,\"Ulm\",10,high\n";

TEST(CsvReader, OptionsAreCovered) {
  testing::expect_fields_cover<Csv::Options>();
  testing::expect_fields_cover<readers::Column>();
  testing::expect_defaults_round_trip<Csv::Options>();
}

TEST(CsvReader, ASlipAmongNumbersIsTold) {
  const Folder folder;
  std::string text = "x,y\n";
  for (int i = 0; i < 30; ++i) text += fmt::format("{},{}\n", i == 7 ? "oops" : std::to_string(i), i % 2);
  folder.write("slip.csv", text);
  const auto [splits, skipped] = open_table(folder, "slip.csv", R"({"target": "y"})");
  EXPECT_EQ(splits.train.size(), 29);
  EXPECT_EQ(splits.train.info().reader["columns"][0]["kind"], "numeric");
  ASSERT_EQ(skipped.size(), 1u);
  EXPECT_NE(skipped[0].find("slip.csv:9"), std::string::npos) << skipped[0];
  EXPECT_NE(skipped[0].find("oops"), std::string::npos) << skipped[0];
}

TEST(CsvReader, APackedCopyOfAnotherReadingIsRefused) {
  const Folder folder;
  folder.write("t.csv", "x,y\n1,p\n2,q\n3,p\n");
  const std::string reference = "csv:" + (folder.path() / "t.csv").string() + "?target=y";
  const Splits learnt = data::open(reference);
  const Reading as_learnt{.fitted = learnt.train.info().reader};
  const auto packed = folder.path() / "t.safetensors";
  data::pack(learnt, packed);
  EXPECT_EQ(data::open("packed:" + packed.string(), as_learnt).train.size(), 3);
  data::pack(data::open(reference + "&classes=[\"q\",\"p\"]"), packed);
  expect_error<DataError>([&] { data::open("packed:" + packed.string(), as_learnt); },
                          {"classes as the model learnt them"});
  expect_error<DataError>([&] { data::open(reference + "&classes=[\"q\",\"p\"]", as_learnt); },
                          {"t.csv", "classes as the model learnt them"});
}

TEST(CsvReader, FindsHeaderKindsAndClasses) {
  const Folder folder;
  folder.write("people.csv", people);
  const auto [splits, skipped] = open_table(folder, "people.csv", R"({"target": "income"})");
  EXPECT_TRUE(skipped.empty());
  const Fields all = splits.train.all();
  EXPECT_EQ(floats_of(all.input()), (Floats{39, 0, 0, 10, 50, 1, 1, 9, -99, 0, -1, 9, 28.5, -1, 1, 10}));
  EXPECT_EQ(all.input().scalar_type(), at::kFloat);
  EXPECT_EQ(values_of(all.target()), (Longs{1, 0, 1, 0}));
  EXPECT_EQ(splits.train.info().classes, (Names{"high", "low"}));
  EXPECT_EQ(splits.test.size(), 0);
  const Json& reader = splits.train.info().reader;
  EXPECT_EQ(reader["name"], "csv");
  EXPECT_EQ(reader["header"], true);
  EXPECT_EQ(reader["target"], Json::array({"income"}));
  EXPECT_EQ(reader["columns"][2],
            (Json{{"name", "home, town"}, {"kind", "categorical"}, {"categories", {"Bonn", "Ulm"}}}));
  EXPECT_FALSE(reader.contains("test_share"));
  EXPECT_EQ(splits.train.info().preprocess, Json::parse(R"([{"name": "columns"}])"));
}

TEST(CsvReader, DeclarationsWin) {
  const Folder folder;
  folder.write("people.csv", people);
  const std::string declared =
      R"({"target": -1, "categorical": "city code", "ignore": ["home, town"], "missing": ["?", ""],
                                   "classes": ["low", "high"], "numeric": )";
  const auto [splits, skipped] = open_table(folder, "people.csv", declared + "0}");
  // Categories by number: 9, 10.
  EXPECT_EQ(floats_of(splits.train.column("input")), (Floats{39, 0, 1, 50, 1, 0, -99, 0, 0, 28.5, -1, 1}));
  EXPECT_EQ(values_of(splits.train.labels()), (Longs{0, 1, 0, 1}));
  EXPECT_EQ(splits.train.info().reader["columns"][2]["categories"], (Json{"9", "10"}));
  EXPECT_TRUE(skipped.empty());
  expect_error<DataError>([&] { open_table(folder, "people.csv", declared + "1}"); },
                          {"numbers in column \"job\"", "texts in 3 of 4 rows, such as \"clerk\""});
  folder.write("slips.csv", "a,b\n1,x\n2,y\nthree,x\n");
  const auto slips = open_table(folder, "slips.csv", R"({"target": "b", "numeric": "a"})");
  EXPECT_EQ(floats_of(slips.splits.train.column("input")), (Floats{1, 2}));
  EXPECT_EQ(slips.skipped, (Names{"slips.csv:4: a number in column \"a\", \"three\""}));
}

TEST(CsvReader, HeadersAreFoundOrDeclared) {
  const Folder folder;
  auto rows = [&](const std::string& text, const std::string& options) {
    folder.write("t.csv", text);
    return open_table(folder, "t.csv", options).splits.train.size();
  };
  EXPECT_EQ(rows("a,b\n1,2\n3,4\n", "{}"), 2);
  EXPECT_EQ(rows("1,2\n3,4\n", "{}"), 2);
  EXPECT_EQ(rows("x,red\ny,blue\n", "{}"), 1);         // all texts, none of which comes again
  EXPECT_EQ(rows("x,red\ny,blue\nz,red\n", "{}"), 3);  // `red` does
  EXPECT_EQ(rows("x,x\ny,z\n", "{}"), 2);              // a header has different names
  EXPECT_EQ(rows("x,red\ny,blue\n", R"({"header": false})"), 2);
  EXPECT_EQ(rows("1,2\n3,4\n", R"({"header": true})"), 1);
  folder.write("t.csv", "a,b,a\n1,2,3\n");
  expect_error<DataError>([&] { open_table(folder, "t.csv", R"({"header": true})"); },
                          {"t.csv", "two columns \"a\"", "header=false"});
}

TEST(CsvReader, TasksAreFoundOrDeclared) {
  const Folder folder;
  std::string counts, marks;
  for (int i = 0; i < 30; ++i) {
    counts += fmt::format("{},{}\n", i, i);
    marks += fmt::format("{},{}\n", i, i % 20 + 8);
  }
  folder.write("counts.csv", counts);
  folder.write("marks.csv", marks);
  folder.write("halves.csv", "1,0.5\n2,1\n");
  auto train = [&](const char* file, const char* options) { return open_table(folder, file, options).splits.train; };
  EXPECT_EQ(train("counts.csv", R"({"target": 1})").classes(), 0);
  EXPECT_EQ(train("marks.csv", R"({"target": 1})").classes(), 20);
  EXPECT_EQ(train("marks.csv", R"({"target": 1})").info().classes[2], "10") << "sorted by number";
  EXPECT_EQ(train("counts.csv", R"({"target": 1, "task": "classes"})").classes(), 30);
  const Dataset halves = train("halves.csv", R"({"target": -1})");
  EXPECT_EQ(halves.column("target").sizes(), at::IntArrayRef({2, 1}));
  EXPECT_EQ(halves.info().preprocess[1], (Json{{"name", "standardise"}, {"field", "target"}}));
  folder.write("two.csv", "a,b,c\n1,2,3\n4,5,6\n");
  EXPECT_EQ(floats_of(train("two.csv", R"({"target": ["c", 0]})").column("target")), (Floats{3, 1, 6, 4}));
  expect_error<ConfigError>([&] { train("two.csv", R"({"target": ["c", 0], "task": "classes"})"); },
                            {"target", "one column of labels", "found 2"});
  EXPECT_FALSE(train("two.csv", "{}").has("target"));
}

TEST(CsvReader, BadRowsAreToldByLineAndReason) {
  const Folder folder;
  folder.write("bad.csv", "a,b,y\n1,x,p\n2,x\n3,x,p,9\n4,\"x,p\n5,x,\n6,x,q\n7,\0,p\n8,x,p\n"s);
  const std::string options = R"({"target": "y", "classes": ["p"]})";
  const auto [splits, skipped] = open_table(folder, "bad.csv", options);
  EXPECT_EQ(floats_of(splits.train.column("input")), (Floats{1, 0, 8, 0}));
  EXPECT_EQ(skipped, (Names{"bad.csv:3: 3 values, 2", "bad.csv:4: 3 values, 4",
                            "bad.csv:5: a row that can be read, a quote that is never closed",
                            "bad.csv:6: a value in the target column \"y\", none",
                            "bad.csv:7: a label of the training data in column \"y\", \"q\"",
                            "bad.csv:8: a row that can be read, a byte 0, which no text has"}));
  expect_error<DataError>([&] { open_table(folder, "bad.csv", options, {.strict = true}); },
                          {"bad.csv:3: expected 3 values, found 2"});
  folder.write("none.csv", "a,y\n1,\n2,?\n");
  expect_error<DataError>([&] { open_table(folder, "none.csv", R"({"target": "y"})"); },
                          {"none.csv:2", "2 examples of", "none is left"});
}

TEST(CsvReader, SaysWhichColumnThereIsNot) {
  const Folder folder;
  folder.write("people.csv", people);
  expect_error<ConfigError>([&] { open_table(folder, "people.csv", R"({"target": "incme"})"); },
                            {"target: expected a column of", "found \"incme\"", "did you mean \"income\""});
  expect_error<ConfigError>([&] { open_table(folder, "people.csv", R"({"ignore": 5})"); }, {"ignore", "found 5"});
  expect_error<ConfigError>([&] { open_table(folder, "people.csv", R"({"numeric": "age", "categorical": 0})"); },
                            {"\"age\" in both"});
  expect_error<ConfigError>([] { with(R"({"target": 1.5})"); }, {"target", "a column's name, its position"});
  expect_error<ConfigError>([] { with(R"({"delimiter": "x"})"); }, {"csv.delimiter", "tab or space", "\"x\""});
  expect_error<ConfigError>([] { with(R"({"test": "t.csv", "test_share": 0.5})"); }, {"test_share"});
  folder.write("one.csv", "y\np\nq\np\n");
  expect_error<DataError>([&] { open_table(folder, "one.csv", R"({"target": "y", "header": true})"); },
                          {"a column besides the target"});
  folder.write("empty.csv", "");
  expect_error<DataError>([&] { open_table(folder, "empty.csv", "{}"); }, {"empty.csv: expected rows of a table"});
  std::string ids;
  for (int i = 0; i <= readers::most_categories; ++i) ids += fmt::format("id{},1\n", i);
  folder.write("ids.csv", ids);
  expect_error<DataError>([&] { open_table(folder, "ids.csv", R"({"header": false})"); },
                          {"column \"0\"", "at most 10000 different texts", "`ignore`"});
}

TEST(CsvReader, FurtherFilesAreReadByName) {
  const Folder folder;
  folder.write("people.csv", people);
  Reading reading;
  reading.fitted = open_table(folder, "people.csv", R"({"target": "income"})").splits.train.info().reader;
  auto further = [&](const std::string& text, const std::string& more = "") {
    folder.write("new.csv", text);
    return data::open("csv:" + (folder.path() / "new.csv").string() + more, reading).train;
  };
  // Other columns, another order, no target, an unknown job, a missing one.
  const Dataset mixed = further("job,id,city code,age,\"home, town\"\nking,7,10,1,Ulm\n?,8,9,2,Bonn\n");
  EXPECT_EQ(floats_of(mixed.column("input")), (Floats{1, -2, 1, 10, 2, -1, 0, 9}));
  EXPECT_FALSE(mixed.has("target"));
  EXPECT_EQ(mixed.info().reader, reading.fitted);
  EXPECT_EQ(values_of(further(people).labels()), (Longs{1, 0, 1, 0}));
  expect_error<DataError>([&] { further("job,city code,age\nking,10,1\n"); },
                          {"new.csv: expected a column \"home, town\", as the training data have"});
  // One class alone keeps its label, for the classes are known.
  EXPECT_EQ(values_of(further("age,job,\"home, town\",city code,income\n1,clerk,Ulm,9,low\n").labels()), Longs{1});
  EXPECT_EQ(values_of(further("age,job,\"home, town\",city code,pay\n1,clerk,Ulm,9,low\n", "?target=pay").labels()),
            Longs{1});
}

TEST(CsvReader, FurtherFilesWithoutAHeaderGoByPosition) {
  const Folder folder;
  folder.write("t.csv", "1,p,2\n3,q,4\n");
  Reading reading;
  reading.fitted = open_table(folder, "t.csv", R"({"target": 1})").splits.train.info().reader;
  auto further = [&](const std::string& text) {
    folder.write("new.csv", text);
    return data::open("csv:" + (folder.path() / "new.csv").string(), reading).train;
  };
  EXPECT_EQ(floats_of(further("5,6\n").column("input")), (Floats{5, 6}));
  EXPECT_EQ(values_of(further("5,q,6\n").labels()), Longs{1});
  expect_error<DataError>([&] { further("5,q,6,7\n"); },
                          {"rows of 3 values, as the training data have, or 2 without the target, found 4"});
}

// How columns are matched is checked and told: names that are missing, names that are too many, other columns.
TEST(CsvReader, FurtherFilesSayHowColumnsAreMatched) {
  const Folder folder;
  folder.write("named.csv", "age,job,pay\n30,clerk,1.5\n40,smith,2.5\n50,clerk,3.5\n");
  folder.write("bare.csv", "30,clerk,1.5\n40,smith,2.5\n50,clerk,3.5\n");
  const std::string target = R"({"target": 2, "task": "values"})";
  const Json named = open_table(folder, "named.csv", target).splits.train.info().reader;
  const Json bare = open_table(folder, "bare.csv", target).splits.train.info().reader;
  Names told;
  auto further = [&](const Json& fitted, const std::string& text) {
    folder.write("new.csv", text);
    told.clear();
    Reading reading;
    reading.fitted = fitted;
    reading.skipped = [&](const Problem& p) {
      told.push_back(p.where.substr(p.where.rfind('/') + 1) + ": " + p.remedy);
    };
    return data::open("csv:" + (folder.path() / "new.csv").string(), reading).train;
  };
  EXPECT_EQ(floats_of(further(named, "job,age\nsmith,7\n").column("input")), (Floats{7, 1}));
  expect_error<DataError>(
      [&] { further(named, "7,smith,1.5\n8,clerk,2.5\n"); },
      {"new.csv:1: expected the names of the columns (age, job)", "\"7, smith, 1.5\"", "put them into the first line"});
  expect_error<DataError>([&] { further(named, "5,5\n8,clerk\n"); }, {"the names of the columns", "\"5, 5\""});

  EXPECT_EQ(floats_of(further(bare, "age,job\n7,smith\n8,king\n").column("input")), (Floats{7, 1, 8, -2}));
  EXPECT_EQ(told, Names{"new.csv:1: passed over; columns are matched by their position"});
  EXPECT_EQ(floats_of(further(bare, "7,king\n8,smith\n").column("input")), (Floats{7, -2, 8, 1}));
  EXPECT_EQ(told, Names{});
  expect_error<DataError>(
      [&] { further(bare, "smith,7\nclerk,8\nclerk,9\n"); },
      {"numbers in column \"0\"", "texts in 3 of 3 rows, such as \"clerk\"", "columns are matched by their position"});
  expect_error<DataError>([&] { further(named, "age,job\nold,7\nyoung,8\n5,9\n"); },
                          {"numbers in column \"age\"", "texts in 2 of 3 rows", "matched by their names"});
  EXPECT_EQ(further(bare, "7,smith\nx,clerk\n").size(), 1);  // half is a slip
  EXPECT_EQ(told.size(), 1U);
}

// What is learnt comes from the training rows: another test file, or another fate of the held-out rows, changes
// nothing.
TEST(CsvReader, LearnsFromTheTrainingRowsAlone) {
  const Folder folder;
  const std::string options = R"({"target": -1, "header": false, "test": "test.csv", "strip": "."})";
  folder.write("train.csv", "1,a,no\n2,b,yes\n3,a,no\n4,b,yes\n");
  auto learnt = [&](const std::string& test) {
    folder.write("test.csv", test);
    return open_table(folder, "train.csv", options);
  };
  const Opened one = learnt("9,a,yes.\n"), other = learnt("x,c,no.\n1e9,zzz,no.\n5,b,maybe.\n,?,yes.\n");
  EXPECT_EQ(one.splits.train.info().reader, other.splits.train.info().reader);
  EXPECT_EQ(one.splits.train.info().sha256, other.splits.train.info().sha256);
  const Preprocess fitted = Preprocess::standard(one.splits.train, {});
  EXPECT_EQ(fitted.json(), Preprocess::standard(other.splits.train, {}).json());
  EXPECT_EQ(values_of(one.splits.test.labels()), Longs{1});
  EXPECT_EQ(floats_of(other.splits.test.column("input")), (Floats{1e9, -2, -99, -1}));
  EXPECT_EQ(other.skipped, (Names{"test.csv:1: a number in column \"0\", \"x\"",
                                  "test.csv:3: a label of the training data in column \"2\", \"maybe.\""}));
  folder.write("share.csv", "1,a,p\n2,a,p\n3,a,p\n4,a,p\n5,b,q\n6,b,q\n7,b,q\n8,b,q\n");
  const Splits shared =
      open_table(folder, "share.csv", R"({"target": -1, "header": false, "test_share": 0.25})").splits;
  EXPECT_EQ(values_of(at::bincount(shared.test.labels())), (Longs{1, 1}));
  EXPECT_EQ(shared.train.size(), 6);
}

TEST(CsvReader, DelimitersEncodingsAndGzip) {
  const Folder folder;
  folder.write("a.tsv", "x\ty\n1\t2\n");
  folder.write("b.txt", "  1   2\n 3\t4\n");
  folder.write("c.csv.gz", gzip_compress("caf\xe9;1\nth\xe9;2\ncaf\xe9;3\n"));
  EXPECT_EQ(open_table(folder, "a.tsv", "{}").splits.train.size(), 1);
  EXPECT_EQ(floats_of(open_table(folder, "b.txt", R"({"delimiter": "space"})").splits.train.column("input")),
            (Floats{1, 2, 3, 4}));
  const auto latin = open_table(folder, "c.csv.gz", R"({"delimiter": ";", "encoding": "latin-1", "target": 0})");
  EXPECT_EQ(latin.splits.train.info().classes, (Names{"café", "thé"}));
}

TEST(CsvReader, NumbersAreWhatTheyAre) {
  using readers::parse_number;
  for (const char* text : {"1", "-2.5e3", "+.5", "0.1", "1E5", "007"}) EXPECT_TRUE(parse_number(text)) << text;
  for (const char* text : {"", "x", "1x", "0x10", "1,000", "nan", "inf", "-inf", "1e39", "+-1", "+", " 1"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
  EXPECT_EQ(*parse_number("-2.5e3"), -2500);
}

// The counts of ../shared/data/INDEX.md.
TEST(CsvReader, RealTablesAgreeWithTheirIndex) {
  const auto folder = testing::shared_data("tabular");
  if (!folder) GTEST_SKIP() << "no shared data";
  const Splits adult = data::open("csv:" + (*folder / "adult-train.csv").string() +
                                  "?header=false&target=-1&test=adult-test.csv&strip=.");
  EXPECT_EQ(values_of(at::bincount(adult.train.labels())), (Longs{24720, 7841}));
  EXPECT_EQ(values_of(at::bincount(adult.test.labels())), (Longs{12435, 3846}));
  EXPECT_EQ(adult.train.info().classes, (Names{"<=50K", ">50K"}));
  EXPECT_EQ(adult.train.info().fields.at("input").shape, Longs{14});
  const Dataset housing = data::open("csv:" + (*folder / "housing.csv").string() + "?target=-1").train;
  EXPECT_EQ(housing.column("target").sizes(), at::IntArrayRef({506, 1}));
  const Dataset cancer = data::open("csv:" + (*folder / "breast-cancer-wisconsin.csv").string() + "?target=-1").train;
  EXPECT_EQ(values_of(at::bincount(cancer.labels())), (Longs{458, 241}));
  EXPECT_GT(cancer.column("input").isnan().sum().item<std::int64_t>(), 0);
}

}  // namespace
}  // namespace vaetl::csv_test
