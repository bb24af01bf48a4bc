// A delimited file as text in memory: rows of equal width, with the names of the columns and the lines they stand on.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/data/reader.hpp"
#include "vaetl/io/csv.hpp"

namespace vaetl::readers {

// What is wrong with rows of one file, told in the order of its lines.
class Flaws {
 public:
  explicit Flaws(std::filesystem::path file) : file_(std::move(file)) {}
  void add(std::int64_t line, std::string expected, std::string found);
  void tell(Skips& skips) const;
  bool between(std::int64_t after, std::int64_t before) const;  // whether there is one on a line between these two

 private:
  std::filesystem::path file_;
  std::multimap<std::int64_t, Problem> problems_;
};

class TextTable {
 public:
  // `header`: whether the first line names the columns; empty: it does where all of its values differ, none is missing
  // or a number, and none stands in its column again. Without a header columns are called "0", "1", …. Rows of another
  // width go to `flaws`. DataError: no rows, two columns of one name, more text than memory should hold.
  TextTable(const std::filesystem::path& file, const CsvOptions& options, std::optional<bool> header, Flaws& flaws);

  // Rows at hand, in columns of these names; `header`: that a line of `file` told them.
  TextTable(std::filesystem::path file, std::vector<std::string> names, const std::vector<CsvRow>& rows, Flaws& flaws,
            bool header);
  // What a reader gives, the rest as above.
  TextTable(std::filesystem::path file, CsvReader reader, std::optional<bool> header, Flaws& flaws);

  std::int64_t rows() const { return static_cast<std::int64_t>(lines_.size()); }
  std::int64_t width() const { return static_cast<std::int64_t>(names_.size()); }
  std::string_view at(std::int64_t row, std::int64_t column) const;
  std::int64_t line(std::int64_t row) const { return lines_[static_cast<std::size_t>(row)]; }
  const std::vector<std::string>& names() const { return names_; }
  bool header() const { return header_; }
  const std::filesystem::path& file() const { return file_; }
  std::optional<std::int64_t> find(std::string_view name) const;  // the column of that name
  // Other names for the columns of a file without a header.
  void rename(std::vector<std::string> names) { names_ = std::move(names); }

 private:
  void name_columns(const std::vector<CsvRow>& first, std::optional<bool> header);
  void take_names(std::vector<std::string> names);
  void add(const CsvRow& row, Flaws& flaws);

  std::filesystem::path file_;
  bool header_ = false;
  std::vector<std::string> names_;
  std::string text_;                 // all values, one behind the other
  std::vector<std::uint32_t> ends_;  // of each value in text_, row by row
  std::vector<std::int64_t> lines_;
};

// A finite number that float32 can hold, in full: "1", "-2.5e3", "+.5", but neither "0x10" nor "1,000".
std::optional<double> parse_number(std::string_view text);

}  // namespace vaetl::readers
