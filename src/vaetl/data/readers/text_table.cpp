#include "vaetl/data/readers/text_table.hpp"

#include <charconv>
#include <limits>
#include <unordered_set>

#include "vaetl/core/text.hpp"

namespace vaetl::readers {
namespace {

constexpr std::size_t rows_ahead = 1000;                       // read before the header and the width are settled
constexpr std::uint64_t most_memory = std::uint64_t{1} << 32;  // text and tables over it, in bytes; ends_ has 32 bits
constexpr std::uint64_t bytes_a_row = 8, bytes_a_value = 4;

// The width that most rows have; the first such of equals.
std::size_t common_width(const std::vector<CsvRow>& rows) {
  std::map<std::size_t, std::size_t> counts;
  for (const CsvRow& row : rows) {
    if (row.flaw.empty()) ++counts[row.values.size()];
  }
  std::size_t best = 0;
  for (const CsvRow& row : rows) {
    if (row.flaw.empty() && (best == 0 || counts[row.values.size()] > counts[best])) best = row.values.size();
  }
  return best;
}

bool names_columns(const std::vector<CsvRow>& rows) {
  if (rows.empty() || !rows[0].flaw.empty()) return false;
  const auto& names = rows[0].values;
  std::unordered_set<std::string> distinct(names.begin(), names.end());
  if (distinct.size() < names.size() || distinct.contains("")) return false;
  if (std::any_of(names.begin(), names.end(), [](const auto& name) { return parse_number(name).has_value(); })) {
    return false;
  }
  return std::none_of(rows.begin() + 1, rows.end(), [&](const CsvRow& row) {
    for (std::size_t i = 0; i < std::min(names.size(), row.values.size()); ++i) {
      if (row.values[i] == names[i]) return true;
    }
    return false;
  });
}

void check_distinct(const std::filesystem::path& file, const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> seen;
  for (const auto& name : names) {
    if (seen.insert(name).second) continue;
    throw DataError({file.string(), "a header of different names", "two columns " + quote(name),
                     "rename one, or say header=false where the first line is data"});
  }
}

}  // namespace

void Flaws::add(std::int64_t line, std::string expected, std::string found) {
  problems_.emplace(line,
                    Problem{fmt::format("{}:{}", file_.string(), line), std::move(expected), std::move(found), {}});
}

void Flaws::tell(Skips& skips) const {
  for (const auto& [line, problem] : problems_) skips.add(problem);
}

bool Flaws::between(std::int64_t after, std::int64_t before) const {
  const auto first = problems_.upper_bound(after);
  return first != problems_.end() && first->first < before;
}

TextTable::TextTable(const std::filesystem::path& file, const CsvOptions& options, std::optional<bool> header,
                     Flaws& flaws)
    : TextTable(file, CsvReader(file, options), header, flaws) {}

TextTable::TextTable(std::filesystem::path file, CsvReader reader, std::optional<bool> header, Flaws& flaws)
    : file_(std::move(file)) {
  std::vector<CsvRow> ahead;
  for (CsvRow row; ahead.size() < rows_ahead && reader.next(row);) ahead.push_back(std::move(row));
  name_columns(ahead, header);
  for (std::size_t i = header_ ? 1 : 0; i < ahead.size(); ++i) add(ahead[i], flaws);
  ahead.clear();
  for (CsvRow row; reader.next(row);) add(row, flaws);
}

TextTable::TextTable(std::filesystem::path file, std::vector<std::string> names, const std::vector<CsvRow>& rows,
                     Flaws& flaws, bool header)
    : file_(std::move(file)), header_(header) {
  take_names(std::move(names));
  for (const CsvRow& row : rows) add(row, flaws);
}

void TextTable::name_columns(const std::vector<CsvRow>& first, std::optional<bool> header) {
  if (first.empty()) throw DataError({file_.string(), "rows of a table", "none", "check the path"});
  header_ = header.value_or(names_columns(first));
  if (!header_) {
    names_ = numbered_classes(static_cast<std::int64_t>(common_width(first)));
  } else if (!first[0].flaw.empty()) {
    throw DataError({fmt::format("{}:{}", file_.string(), first[0].line), "a header", first[0].flaw, {}});
  } else {
    take_names(first[0].values);
  }
}

void TextTable::take_names(std::vector<std::string> names) {
  names_ = std::move(names);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].empty()) names_[i] = fmt::format("{}", i);  // of an index, say
  }
  check_distinct(file_, names_);
}

void TextTable::add(const CsvRow& row, Flaws& flaws) {
  if (!row.flaw.empty()) return flaws.add(row.line, "a row that can be read", row.flaw);
  if (row.values.size() != names_.size()) {
    return flaws.add(row.line, fmt::format("{} values", names_.size()), fmt::format("{}", row.values.size()));
  }
  for (const auto& value : row.values) {
    text_ += value;
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
  lines_.push_back(row.line);
  if (text_.size() + bytes_a_value * ends_.size() + bytes_a_row * lines_.size() < most_memory) return;
  throw DataError({file_.string(), fmt::format("a table that takes less than {} bytes", thousands(most_memory)),
                   fmt::format("more at line {}", row.line), "split the file"});
}

std::string_view TextTable::at(std::int64_t row, std::int64_t column) const {
  const auto i = static_cast<std::size_t>(row * width() + column);
  const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
  return std::string_view(text_).substr(begin, ends_[i] - begin);
}

std::optional<std::int64_t> TextTable::find(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? std::nullopt : std::optional<std::int64_t>(found - names_.begin());
}

std::optional<double> parse_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  return whole && std::abs(value) <= std::numeric_limits<float>::max() ? std::optional(value) : std::nullopt;
}

}  // namespace vaetl::readers
