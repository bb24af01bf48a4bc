// Further examples by what a reader learnt: the values are those of its datasets, with names, gaps told, few at a time.
#include "vaetl/data/further.hpp"

#include <unistd.h>

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/readers/further_files.hpp"
#include "vaetl/io/npy.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl::further_test {
namespace {

using testing::expect_error;
using testing::Folder;
using Names = std::vector<std::string>;

// A pipe that holds a text.
class Pipe {
 public:
  explicit Pipe(const std::string& text) {
    EXPECT_EQ(::pipe(ends_), 0);
    EXPECT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends_[1]);
  }
  ~Pipe() { ::close(ends_[0]); }
  Place place() const { return {.descriptor = ends_[0]}; }

 private:
  int ends_[2] = {};
};

struct All {
  at::Tensor input = {}, length = {};
  Names names = {}, problems = {}, notes = {};
  std::int64_t largest = 0;
};

All all_of(FurtherStream& stream, std::int64_t count) {
  All all;
  std::vector<at::Tensor> inputs, lengths;
  for (FurtherExamples some; stream.next(count, some);) {
    all.names.insert(all.names.end(), some.names.begin(), some.names.end());
    for (const Problem& problem : some.problems) all.problems.push_back(DataError(problem).what());
    for (const Problem& note : some.notes) all.notes.push_back(DataError(note).what());
    if (some.names.empty()) continue;
    EXPECT_EQ(some.fields.input().size(0), std::ssize(some.names));
    all.largest = std::max(all.largest, some.fields.input().size(0));
    inputs.push_back(some.fields.input());
    if (some.fields.has("length")) lengths.push_back(some.fields["length"]);
  }
  if (!inputs.empty()) all.input = at::cat(inputs);
  if (!lengths.empty()) all.length = at::cat(lengths);
  return all;
}

std::shared_ptr<Reader> fitted(const Dataset& data) {
  Json options = data.info().reader;
  const std::string name = options.at("name");
  options.erase("name");
  return registry<Reader>().make({name, options});
}

All further(const Dataset& learnt, const Place& place, std::int64_t count) {
  const auto reader = fitted(learnt);
  return all_of(*dynamic_cast<const ReadsFurther&>(*reader).further(place), count);
}

std::string table_of(int rows, bool header) {
  std::string text = header ? "age,town,kind\n" : "";
  for (int i = 0; i < rows; ++i) {
    text += fmt::format("{},{},{}\n", 20 + i * 7 % 60, i % 3 == 0 ? "Bonn" : "Ulm", i % 2 == 0 ? "a" : "b");
  }
  return text;
}

TEST(Further, RowsOfATableAreTheReaders) {
  const Folder folder;
  const auto path = folder.write("train.csv", table_of(50, true));
  const Dataset data = data::open("csv:" + path.string() + "?target=kind").train;
  for (const std::int64_t count : {2, 7, 50, 1000}) {
    const All all = further(data, {.path = path}, count);
    EXPECT_TRUE(at::equal(all.input, data.column("input")));
    EXPECT_EQ(all.names.front() + " " + all.names.back(), "1 50");
    EXPECT_LE(all.largest, count);
  }
  const All other = further(data, Pipe("town,more,age\nUlm,x,30\nKöln,y,\n").place(), 64);
  EXPECT_EQ(other.input[0][0].item<float>(), 30);
  EXPECT_TRUE(other.input[1][0].isnan().item<bool>());
  EXPECT_EQ(other.input[1][1].item<float>(), -2);  // a text that the training data lack
}

TEST(Further, BadRowsLeaveGapsInTheNumbers) {
  const Folder folder;
  const Dataset data = data::open("csv:" + folder.write("t.csv", table_of(50, true)).string() + "?target=kind").train;
  for (const std::int64_t count : {2, 3, 64}) {
    const Place place{.path = folder.write("new.csv", "age,town\n1,Ulm\n2\nmany,Ulm\n\n4,Bonn\n5,\"Ulm\n6,Ulm\n"),
                      .prefix = "new:"};
    const All all = further(data, place, count);
    EXPECT_EQ(all.names, (Names{"new:1", "new:4", "new:6"}));
    ASSERT_EQ(all.problems.size(), 3u);
    EXPECT_NE(all.problems[0].find("new.csv:3: expected 2 values, found 1"), std::string::npos);
    EXPECT_NE(all.problems[1].find("new.csv:4: expected a number in column \"age\", found \"many\""),
              std::string::npos);
    EXPECT_NE(all.problems[2].find("new.csv:7"), std::string::npos);
  }
}

TEST(Further, ATableWithoutNamesIsReadByPosition) {
  const Folder folder;
  const auto path = folder.write("train.csv", table_of(50, false));
  const Dataset data = data::open("csv:" + path.string() + "?target=2&header=false").train;
  EXPECT_TRUE(at::equal(further(data, {.path = path}, 16).input, data.column("input")));
  const All named = further(data, Pipe("years,place\n20,Bonn\n27,Ulm\n").place(), 16);
  EXPECT_EQ(named.names, (Names{"1", "2"}));
  ASSERT_EQ(named.notes.size(), 1u);
  EXPECT_NE(named.notes[0].find("names of the columns"), std::string::npos);
  EXPECT_TRUE(at::equal(named.input, data.column("input").slice(0, 0, 2)));
}

TEST(Further, TablesThatDoNotFit) {
  const Folder folder;
  const Dataset data = data::open("csv:" + folder.write("t.csv", table_of(50, true)).string() + "?target=kind").train;
  expect_error<DataError>([&] { further(data, Pipe("1,2\n").place(), 4); },
                          {"standard input:1: expected the names of the columns (age, town)"});
  expect_error<DataError>([&] { further(data, Pipe("age\n1\n").place(), 4); },
                          {"standard input: expected a column \"town\""});
  expect_error<DataError>([&] { further(data, Pipe("").place(), 4); }, {"standard input: expected rows of a table"});
  expect_error<DataError>([&] { further(data, {.path = folder.path() / "none.csv"}, 4); }, {"none.csv"});
}

TEST(Further, LinesAreTheReadersTexts) {
  const Folder folder;
  const std::string texts = "good film\nbad bad film\n\nfine\n";
  const auto path = folder.write("train.txt", texts);
  const Dataset data = data::open("lines:" + path.string() + "?labels=false").train;
  for (const std::int64_t count : {1, 2, 64}) {
    const All all = further(data, Pipe(texts).place(), count);
    EXPECT_TRUE(at::equal(all.input, data.column("input")));
    EXPECT_TRUE(at::equal(all.length, data.column("length")));
    EXPECT_EQ(all.names, (Names{"1", "2", "4"}));
  }
  const All bad = further(data, Pipe("fine\n\xff\nfilm\n").place(), 64);
  EXPECT_EQ(bad.names, (Names{"1", "3"}));
  ASSERT_EQ(bad.problems.size(), 1u);
  EXPECT_NE(bad.problems[0].find("standard input:2: expected a line of text, found"), std::string::npos);
}

at::Tensor picture(std::int64_t height, std::int64_t width, int value) {
  return at::full({1, height, width}, value, at::kByte);
}

TEST(Further, PicturesOfAFolderInTheOrderOfTheirNames) {
  const Folder folder;
  folder.write("b/x", "");
  folder.write("notes.xml", "");
  write_png(folder.path() / "b" / "2.png", picture(3, 4, 2));
  write_png(folder.path() / "1.png", picture(3, 4, 1));
  write_png(folder.path() / "c.png", picture(3, 4, 3));
  folder.write("b/3.jpg", "none");
  for (const std::int64_t count : {1, 2, 64}) {
    const All all = all_of(*readers::further_pictures({.path = folder.path()}, {.channels = 1}, {1, 3, 4}), count);
    const std::string root = folder.path().string();
    EXPECT_EQ(all.names, (Names{root + "/1.png", root + "/b/2.png", root + "/c.png"}));
    EXPECT_EQ(testing::values_of(all.input.select(3, 0).select(2, 0).flatten()), (std::vector<std::int64_t>{1, 2, 3}));
    ASSERT_EQ(all.problems.size(), 1u);
    EXPECT_NE(all.problems[0].find("b/3.jpg"), std::string::npos);
    EXPECT_EQ(all.notes.size(), 1u);
  }
}

TEST(Further, PicturesOfAnySizeComeInRunsOfOne) {
  const Folder folder;
  std::string names;
  for (int i = 0; i < 6; ++i) {
    const auto path = folder.path() / fmt::format("{}.png", i);
    write_png(path, picture(3, i < 4 ? 4 : 5, i));
    names += path.string() + "\n";
  }
  const Pipe pipe(names + (folder.path() / "none.png").string() + "\n");
  const auto stream = readers::further_pictures(pipe.place(), {.channels = 3}, {3, -1, -1});
  FurtherExamples some;
  std::vector<std::int64_t> sizes;
  std::size_t problems = 0;
  while (stream->next(64, some)) {
    if (!some.names.empty()) sizes.push_back(some.fields.input().size(0));
    problems += some.problems.size();
  }
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{4, 2}));
  EXPECT_EQ(problems, 1u);
  const All strict = all_of(*readers::further_pictures({.path = folder.path()}, {.channels = 3}, {3, 3, 4}), 64);
  EXPECT_EQ(strict.names.size(), 4u);
  EXPECT_NE(strict.problems.at(0).find("expected a picture of 4×3 pixels, as the model reads, found 5×3; resize it"),
            std::string::npos);
}

TEST(Further, FoldersWithoutExamples) {
  const Folder folder;
  folder.write("notes.xml", "");
  expect_error<DataError>([&] { readers::further_pictures({.path = folder.path()}, {}); },
                          {"expected pictures", "only 1 other file (.xml)"});
}

TEST(Further, ArraysHoldRawValues) {
  const Folder folder;
  const at::Tensor values = at::arange(24, at::kFloat).view({4, 2, 3});
  values[2][1][1] = NAN;
  write_npy(folder.path() / "a.npy", values);
  const All all = all_of(*further_arrays({.path = folder.path() / "a.npy"}, {1, 2, 3}), 2);
  EXPECT_EQ(all.names, (Names{"1", "2", "4"}));
  EXPECT_TRUE(at::equal(all.input, values.index_select(0, testing::long_tensor({0, 1, 3})).unsqueeze(1)));
  ASSERT_EQ(all.problems.size(), 1u);
  EXPECT_NE(all.problems[0].find("a.npy: row 3: expected finite values"), std::string::npos);
  expect_error<DataError>([&] { further_arrays({.path = folder.path() / "b.npy"}, {}); }, {"b.npy"});
  EXPECT_TRUE(holds_arrays("x/y.npy") && holds_arrays("y.safetensors") && !holds_arrays("y.csv"));
}

TEST(Further, SeriesWindowsAreNamedByTheirLastLine) {
  const Folder folder;
  std::string text = "time,level\n";
  for (int t = 0; t < 12; ++t) text += fmt::format("{},{}\n", t, t * t);
  const auto path = folder.write("s.csv", text);
  const Dataset data = data::open("series:" + path.string() + "?window=4&horizon=2&test_share=0").train;
  const All all = further(data, {.path = path}, 5);
  EXPECT_EQ(all.names.size(), 9u);  // horizon or not, every window of four
  EXPECT_EQ(all.names.front() + " " + all.names.back(), "5 13");
  EXPECT_TRUE(at::equal(all.input.slice(0, 0, data.size()), data.all().input()));
  EXPECT_EQ(all.input[8][3][0].item<float>(), 121);
}

TEST(Further, CasesOfAFileOfSeries) {
  const Folder folder;
  const auto path = folder.write("T_TRAIN.tsv", "a\t1\t2\t3\nb\t4\t5\t6\na\t7\t8\t9\n");
  const Dataset data = data::open("ts:" + path.string()).train;
  const Place unlabelled{.path = folder.write("new.tsv", "1\t2\t3\n4\t5\t6\n")};
  EXPECT_TRUE(at::equal(further(data, {.path = path}, 2).input, data.column("input")));
  const All all = further(data, unlabelled, 2);
  EXPECT_EQ(all.names, (Names{unlabelled.path.string() + ":1", unlabelled.path.string() + ":2"}));
  EXPECT_TRUE(at::equal(all.input, data.column("input").slice(0, 0, 2)));
  expect_error<DataError>([&] { further(data, Pipe("1\t2\t3\n").place(), 2); }, {"standard input", "name the file"});
}

}  // namespace
}  // namespace vaetl::further_test
