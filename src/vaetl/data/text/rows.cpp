#include "vaetl/data/text/rows.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/data/text/unicode.hpp"

namespace vaetl::text {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_line = std::size_t{1} << 20;
constexpr char no_delimiter = 0;  // no row has such a byte: the whole line is one value

bool has_columns(const std::string& separator) { return separator == "tab" || separator == "csv"; }

CsvReader open_rows(const fs::path& file, const std::string& separator, const std::string& encoding) {
  CsvOptions options;
  options.delimiter = separator == "tab" ? '\t' : separator == "csv" ? delimiter_of(file) : no_delimiter;
  options.quote = separator == "csv" ? '"' : 0;
  options.latin1 = is_latin1(file, encoding);
  options.max_row = options.max_field = longest_line;
  return CsvReader(file, options);
}

bool is_column(const Json& column) {
  return column.is_string() || (column.is_number_integer() && column.get<std::int64_t>() >= 0);
}

bool begins_with_number(const std::string& line) {
  const std::size_t end = line.find_first_not_of("0123456789");
  return end != std::string::npos && end > 0 && (line[end] == ' ' || line[end] == '\t');
}

// Cuts rows of one file into label and text.
class Cutter {
 public:
  Cutter(const fs::path& file, const RowOptions& options) : file_(file), options_(options) {
    if (options.labels) target_ = place_by_number(options.target);
    for (const Json& column : options.text) text_.push_back(place_by_number(column));
  }

  bool has_header() const {
    bool named = options_.labels && options_.target.is_string();
    for (const Json& column : options_.text) named = named || column.is_string();
    return has_columns(options_.separator) && options_.header.value_or(named);
  }

  void read_header(const std::vector<std::string>& names) {
    if (options_.labels && options_.target.is_string()) target_ = place_by_name(options_.target, names);
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (options_.text[i].is_string()) text_[i] = place_by_name(options_.text[i], names);
    }
  }

  // False where `row` lacks its label or its text.
  bool cut(std::vector<std::string>& values, TextRow& row) const {
    const bool cut = has_columns(options_.separator) ? cut_columns(values, row) : cut_line(values[0], row);
    const auto end = options_.label_until.empty() ? std::string::npos : row.label.find(options_.label_until);
    if (end != std::string::npos) row.label.resize(end);
    return cut && !row.text.empty() && row.label.empty() != options_.labels;
  }

  Problem lacking(std::int64_t line, std::size_t values) const {
    const std::string expected = !options_.labels                ? "a text"
                                 : options_.separator == "space" ? "a label, a blank and a text"
                                                                 : "a label and a text";
    return {fmt::format("{}:{}", file_.string(), line),
            expected,
            has_columns(options_.separator) ? fmt::format("{} values", values) : "one of them at most",
            {}};
  }

 private:
  static std::size_t place_by_number(const Json& column) { return column.is_string() ? 0 : column.get<std::size_t>(); }
  std::size_t place_by_name(const Json& column, const std::vector<std::string>& names) const {
    const auto found = std::find(names.begin(), names.end(), column.get<std::string>());
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    std::vector<std::string> shown(names.begin(), names.begin() + std::min<std::ptrdiff_t>(8, std::ssize(names)));
    throw DataError({file_.string(), "a column " + quote(column.get<std::string>()),
                     "the columns " + join(shown) + (names.size() > shown.size() ? ", …" : ""),
                     did_you_mean(column.get<std::string>(), names)});
  }

  bool cut_columns(std::vector<std::string>& values, TextRow& row) const {
    if (options_.labels) {
      if (target_ >= values.size()) return false;
      row.label = std::move(values[target_]);
    }
    for (std::size_t i = 0; i < (text_.empty() ? values.size() : text_.size()); ++i) {
      const std::size_t place = text_.empty() ? i : text_[i];
      if (place >= values.size()) return false;
      if (text_.empty() && options_.labels && place == target_) continue;
      if (!row.text.empty() && !values[place].empty()) row.text += ' ';
      row.text += values[place];
    }
    return true;
  }

  bool cut_line(std::string& line, TextRow& row) const {
    if (!options_.labels) {
      row.text = std::move(line);
      return true;
    }
    const std::size_t end = line.find_first_of(" \t");
    if (end == std::string::npos) return false;
    row.label = line.substr(0, end);
    row.text = line.substr(line.find_first_not_of(" \t", end));
    return true;
  }

  const fs::path& file_;
  const RowOptions& options_;
  std::size_t target_ = 0;
  std::vector<std::size_t> text_;
};

}  // namespace

void RowOptions::validate(const std::string& where) const {
  bool named = target.is_string();
  if (!is_column(target)) throw ConfigError({where + ".target", "a column's name or number", target.dump(), {}});
  for (const Json& column : text) {
    if (!is_column(column)) throw ConfigError({where + ".text", "names or numbers of columns", column.dump(), {}});
    named = named || column.is_string();
  }
  if (named && header == false) {
    throw ConfigError({where + ".header", "true, for columns are named", "false", "give the columns' numbers"});
  }
  const bool columns = target != 0 || !text.empty() || header;
  if (columns && (separator == "space" || separator == "none")) {
    throw ConfigError({where + ".separator", "tab or csv, for columns are chosen", quote(separator), {}});
  }
  if (!label_until.empty() && (!labels || separator == "none")) {
    throw ConfigError({where + ".label_until", "texts with labels", "none", {}});
  }
}

std::string find_separator(const fs::path& file, const std::string& encoding) {
  constexpr int looked_at = 100;
  const fs::path name = file.extension() == ".gz" ? file.stem() : file;
  if (name.extension() == ".csv") return "csv";
  CsvReader reader = open_rows(file, "none", encoding);
  int seen = 0, numbered = 0;
  for (CsvRow row; seen < looked_at && reader.next(row);) {
    if (!row.flaw.empty()) continue;
    if (seen++ == 0 && row.values[0].find('\t') != std::string::npos) return "tab";
    if (begins_with_number(row.values[0])) ++numbered;
  }
  return seen > 0 && numbered == seen ? "space" : "none";
}

CsvReader open_lines(const Place& place, const std::string& encoding) {
  if (place.descriptor < 0) return open_rows(place.path, "none", encoding);
  CsvOptions options{.delimiter = no_delimiter, .quote = 0, .latin1 = encoding == "latin-1"};
  options.max_row = options.max_field = longest_line;
  return CsvReader(place.descriptor, place.name(), options);
}

std::vector<TextRow> read_rows(const fs::path& file, const RowOptions& options, Skips& skips) {
  CsvReader reader = open_rows(file, options.separator, options.encoding);
  Cutter cutter(file, options);
  bool header = cutter.has_header();
  std::vector<TextRow> rows;
  std::size_t bytes = 0;
  for (CsvRow found; reader.next(found);) {
    if (!found.flaw.empty()) {
      skips.add({fmt::format("{}:{}", file.string(), found.line), "a row of text", found.flaw, {}});
      continue;
    }
    if (std::exchange(header, false)) {
      cutter.read_header(found.values);
      continue;
    }
    TextRow row;
    row.line = found.line;
    const std::size_t values = found.values.size();
    if (!cutter.cut(found.values, row)) {
      skips.add(cutter.lacking(found.line, values));
      continue;
    }
    bytes += row.text.size();
    if (bytes > most_text) {
      throw DataError({file.string(), fmt::format("at most {} bytes of text", most_text), "more", "split the file"});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace vaetl::text
