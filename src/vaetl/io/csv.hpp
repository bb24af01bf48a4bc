// Rows of delimited text (CSV, TSV), parsed by libcsv, one at a time: a file may be larger than memory and compressed.
// Values in quotes may hold delimiters, line ends and quotes ("" is one). Blanks around a value are removed unless they
// are quoted; a quote within a value is a character; a UTF-8 byte order mark and blank lines are skipped; a line ends
// with LF, CRLF or CR.
//
//   CsvReader reader("prices.csv.gz");
//   for (CsvRow row; reader.next(row);) row.flaw.empty() ? use(row.values) : skip(row.line, row.flaw);
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl {

struct CsvOptions {
  char delimiter = ',';  // ' ': any run of blanks and tabs
  char quote = '"';      // 0: quotes are characters as others are
  bool latin1 = false;   // the bytes are ISO 8859-1 and become UTF-8; otherwise they must be UTF-8
  std::size_t max_row = std::size_t{1} << 24, max_field = std::size_t{1} << 20;  // bytes
  std::size_t max_values = std::size_t{1} << 20;                                 // of one row
};

struct CsvRow {
  std::vector<std::string> values = {};  // UTF-8; empty where the row has a flaw
  std::int64_t line = 0;                 // on which the row begins, from 1
  std::string flaw = {};  // why the row cannot be read, "a quote that is never closed" say; usually empty
};

class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& path, CsvOptions options = {});  // DataError: cannot be read
  // Text in memory; `name` is what errors call it.
  CsvReader(std::string bytes, std::string name, CsvOptions options = {});
  // What comes from an open descriptor, a pipe say, as it comes; the descriptor stays open.
  CsvReader(int descriptor, std::string name, CsvOptions options = {});
  ~CsvReader();
  CsvReader(CsvReader&&) noexcept;
  CsvReader& operator=(CsvReader&&) noexcept;

  // The next row; false at the end. After a row with a flaw reading goes on with the next line. DataError: damaged
  // compressed data, or so many quotes left open that the file has other ones.
  bool next(CsvRow& row);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// A value as a cell of comma-separated values (RFC 4180), in quotes where it needs them.
std::string csv_cell(std::string_view value);

// '\t' for .tsv and .tab (also before .gz), ',' otherwise.
char delimiter_of(const std::filesystem::path& file);

}  // namespace vaetl
