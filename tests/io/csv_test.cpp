// Rows of delimited text. The expectations of AgreesWithPython are what Python's csv.reader gives for the same texts
// (skipinitialspace=True, empty rows dropped).
#include "vaetl/io/csv.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/gzip.hpp"

namespace vaetl::testing::csv_test {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// A row with a flaw is {"line N", the flaw}.
Rows rows_of(CsvReader reader) {
  Rows rows;
  for (CsvRow row; reader.next(row);) {
    if (row.flaw.empty()) {
      rows.push_back(row.values);
    } else {
      EXPECT_TRUE(row.values.empty());
      rows.push_back({"line " + std::to_string(row.line), row.flaw});
    }
  }
  return rows;
}
Rows rows_of(std::string text, CsvOptions options = {}) { return rows_of(CsvReader(std::move(text), "text", options)); }

std::vector<std::int64_t> lines_of(std::string text) {
  CsvReader reader(std::move(text), "text");
  std::vector<std::int64_t> lines;
  for (CsvRow row; reader.next(row);) lines.push_back(row.line);
  return lines;
}

const std::vector<std::pair<std::string, Rows>> python = {
    {"a,b,c\n1,2,3\n", {{"a", "b", "c"}, {"1", "2", "3"}}},
    {"a,b\r\n1,2\r\n", {{"a", "b"}, {"1", "2"}}},
    {"a,b\r1,2\r", {{"a", "b"}, {"1", "2"}}},
    {"\"a,b\",c\n", {{"a,b", "c"}}},
    {"\"a \"\"quoted\"\" word\",c\n", {{"a \"quoted\" word", "c"}}},
    {"\"two\nlines\",x\n\"crlf\r\nin\",y\n", {{"two\nlines", "x"}, {"crlf\r\nin", "y"}}},
    {"\"a\n\nb\"\n", {{"a\n\nb"}}},
    {"a,,c\n,,\n", {{"a", "", "c"}, {"", "", ""}}},
    {"\"\",b\n", {{"", "b"}}},
    {"a\n\n\nb\n", {{"a"}, {"b"}}},
    {"no end,last", {{"no end", "last"}}},
    {"\"no end\",\"la\"\"st\"", {{"no end", "la\"st"}}},
    {"it's,5\" pipe,x\"y\"\n", {{"it's", "5\" pipe", "x\"y\""}}},
    {"\"  kept  \",x\n", {{"  kept  ", "x"}}},
    {"ä,€,😀\n", {{"ä", "€", "😀"}}},
    {"", {}},
    {"\n\r\n", {}}};

TEST(Csv, AgreesWithPython) {
  for (const auto& [text, expected] : python) EXPECT_EQ(rows_of(text), expected) << text;
}

TEST(Csv, RemovesBlanksOutsideOfQuotes) {
  EXPECT_EQ(rows_of("  a  ,\tb\t, \"c, d\" ,\" e\"\n   \n f"), (Rows{{"a", "b", "c, d", " e"}, {"f"}}));
}

TEST(Csv, OtherDelimitersAndQuotes) {
  EXPECT_EQ(rows_of("a\t\tb c\n\tx\t\n", {.delimiter = '\t'}), (Rows{{"a", "", "b c"}, {"", "x", ""}}));
  EXPECT_EQ(rows_of("1,5;2\n", {.delimiter = ';'}), (Rows{{"1,5", "2"}}));
  EXPECT_EQ(rows_of("  1   2\t3 \n\n   \n'4  5' 6", {.delimiter = ' ', .quote = '\''}),
            (Rows{{"1", "2", "3"}, {"4  5", "6"}}));
  EXPECT_EQ(rows_of("\"a,b\n", {.quote = 0}), (Rows{{"\"a", "b"}}));
  EXPECT_EQ(delimiter_of("x.TSV"), '\t');
  EXPECT_EQ(delimiter_of("x.tab.gz"), '\t');
  EXPECT_EQ(delimiter_of("x.csv.gz"), ',');
}

TEST(Csv, KnowsTheLineOfEveryRow) {
  EXPECT_EQ(lines_of("a\n\nb\r\n\"c\nd\ne\"\nf"), (std::vector<std::int64_t>{1, 3, 4, 7}));
  EXPECT_EQ(lines_of("a\r\rb\rc"), (std::vector<std::int64_t>{1, 3, 4}));
}

TEST(Csv, EncodingsAndTheMark) {
  EXPECT_EQ(rows_of("\xef\xbb\xbf"
                    "a,b\n"),
            (Rows{{"a", "b"}}));
  EXPECT_EQ(rows_of("caf\xe9,\xff\n", {.latin1 = true}), (Rows{{"café", "ÿ"}}));
  const std::string flaw = "text that is not UTF-8";
  for (const char* bad : {"caf\xe9", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    EXPECT_EQ(rows_of(std::string("x\n") + bad + "\ny"), (Rows{{"x"}, {"line 2", flaw}, {"y"}})) << bad;
  }
}

TEST(Csv, AQuoteLeftOpenCostsOneRow) {
  EXPECT_EQ(rows_of("a,b\n\"c,d\ne,f\ng,h\n"),
            (Rows{{"a", "b"}, {"line 2", "a quote that is never closed"}, {"e", "f"}, {"g", "h"}}));
  EXPECT_EQ(rows_of("a\n\"b"), (Rows{{"a"}, {"line 2", "a quote that is never closed"}}));
  // It is not looked for beyond the longest row.
  const std::string tail(200, 'x');
  EXPECT_EQ(rows_of("\"a\n" + tail + "\nb\n\"", {.max_row = 100}), (Rows{{"line 1", "a quote that is never closed"},
                                                                         {"line 2", "a row of more than 100 bytes"},
                                                                         {"b"},
                                                                         {"line 4", "a quote that is never closed"}}));
}

TEST(Csv, LimitsCostOneRow) {
  const std::string wide(300000, ','), text(1000, 'x');
  EXPECT_EQ(rows_of("a\n" + wide + "\nb\n", {.max_row = 200000}),
            (Rows{{"a"}, {"line 2", "a row of more than 200000 bytes"}, {"b"}}));
  EXPECT_EQ(rows_of("a\n" + wide + "\nb\n", {.max_values = 1000}),
            (Rows{{"a"}, {"line 2", "more than 1000 values"}, {"b"}}));
  EXPECT_EQ(rows_of("a\n" + text + "\nb\n", {.max_field = 999}),
            (Rows{{"a"}, {"line 2", "a value of 1000 bytes; at most 999 are read"}, {"b"}}));
  EXPECT_EQ(rows_of(std::string("a\nb\0c,d\ne", 9)), (Rows{{"a"}, {"line 2", "a byte 0, which no text has"}, {"e"}}));
}

TEST(Csv, EndlessOpenQuotesEndTheReading) {
  std::string text;  // each row opens a quote that only the next one seems to close
  for (int i = 0; i < 20000; ++i) text += "\"" + std::string(20, 'x') + "\n";
  expect_error<DataError>([&] { rows_of(text + "\"y"); }, {"text:", "quotes that are closed", "check the quote"});
}

// Rows that straddle the blocks in which files are read, with every end of line, compressed and not.
TEST(Csv, FilesAreReadInBlocks) {
  const TemporaryFolder folder;
  std::string text;
  Rows expected;
  for (int i = 0; i < 30000; ++i) {
    const std::string number = std::to_string(i * 7919 % 100003);
    const bool quoted = i % 3 == 0;
    text += number + (quoted ? ",\"a\r\n" + number + "\"" : ",b") + (i % 2 == 0 ? "\r\n" : "\n");
    expected.push_back({number, quoted ? "a\r\n" + number : "b"});
  }
  EXPECT_EQ(rows_of(CsvReader(folder.file("plain.csv", text))), expected);
  EXPECT_EQ(rows_of(CsvReader(folder.file("packed.csv.gz", gzip_compress(text)))), expected);
  std::replace(text.begin(), text.end(), '\n', '\r');
  EXPECT_EQ(rows_of(CsvReader(folder.file("cr.csv", text))).size(), expected.size());
  expect_error<DataError>([&] { CsvReader(folder.path() + "/none.csv"); }, {"none.csv"});
}

// Rows are there as soon as their lines are, while the other end of the pipe is open.
TEST(Csv, APipeIsReadAsItComes) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  CsvReader reader(ends[0], "standard input");
  CsvRow row;
  for (const std::string line : {"a,b\n", "1,\"2\n3\"\n"}) {
    ASSERT_EQ(::write(ends[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
    ASSERT_TRUE(reader.next(row));
  }
  EXPECT_EQ(row.values, (std::vector<std::string>{"1", "2\n3"}));
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  ::close(ends[1]);
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.values, (std::vector<std::string>{"x"}));
  EXPECT_FALSE(reader.next(row));
  ::close(ends[0]);
  expect_error<DataError>([&] { rows_of(CsvReader(ends[0], "standard input")); },
                          {"standard input: expected to be read"});
}

TEST(Csv, CellsAreReadBack) {
  const std::vector<std::string> values = {"plain", "a,b", "say \"x\"", "", " edge ", "two\nlines", "Ä"};
  std::string line;
  for (const auto& value : values) line += (line.empty() ? "" : ",") + csv_cell(value);
  EXPECT_EQ(rows_of(line + "\n"), (Rows{values}));
  EXPECT_EQ(csv_cell("plain"), "plain");
}

}  // namespace
}  // namespace vaetl::testing::csv_test
