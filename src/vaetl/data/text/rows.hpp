// Files with one text a line, or a row: its label, a separator, the text.
#pragma once
#include <optional>

#include "vaetl/data/further.hpp"
#include "vaetl/data/reader.hpp"
#include "vaetl/io/csv.hpp"

namespace vaetl::text {

struct RowOptions {
  // "tab": columns as they stand; "csv": columns in quotes or not; "space": a label, a blank, a text; "none": texts;
  // "auto": to be found, see find_separator().
  std::string separator = "auto", encoding = "auto";
  bool labels = true;
  Json target = 0;                  // column of the label, by name or number from 0
  std::vector<Json> text = {};      // columns of the text, joined by blanks; empty: all but the label
  std::optional<bool> header = {};  // empty: there is one where columns are named
  std::string label_until = {};     // the label ends before it: ":" takes DESC of DESC:manner
  void validate(const std::string& where) const;
};

struct TextRow {
  std::string label = {}, text = {};
  std::int64_t line = 0;
};

// "csv" for a file called .csv (.csv.gz), "tab" where the first row has one, "space" where the first rows all begin
// with a number and a blank, otherwise "none".
std::string find_separator(const std::filesystem::path& file, const std::string& encoding);

// The rows of a file (gzip or not) in their order; `options.separator` is not "auto". What is left out goes to `skips`:
// rows without label or text, lines above 1 MiB, bytes that are no text. DataError for a column that is not there, and
// beyond 2 GiB of text.
std::vector<TextRow> read_rows(const std::filesystem::path& file, const RowOptions& options, Skips& skips);

// Rows of one value, the line, of at most 1 MiB. What comes from a descriptor is UTF-8 unless `encoding` says latin-1.
CsvReader open_lines(const Place& place, const std::string& encoding);

}  // namespace vaetl::text
