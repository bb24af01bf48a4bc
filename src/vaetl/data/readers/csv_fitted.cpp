#include "vaetl/data/readers/csv_fitted.hpp"

#include <cstring>

#include "vaetl/core/text.hpp"

namespace vaetl::readers {
namespace {

// Whether a row has what none of the training data's columns holds: no number where there were numbers, which there
// were somewhere, no text and no label that was there.
bool is_strange(const TextTable& table, std::int64_t row, const Csv::Options& fitted) {
  const MissingTexts missing(fitted.missing);
  const auto& columns = fitted.columns;
  if (std::none_of(columns.begin(), columns.end(), [](const Column& c) { return c.kind == "numeric"; })) return false;
  for (const auto column : targets_in(table, fitted)) {
    const std::string_view text = table.at(row, column);
    const auto& labels = fitted.classes;
    if (std::find(labels.begin(), labels.end(), label_text(text, fitted)) != labels.end() || parse_number(text))
      return false;
  }
  return std::all_of(columns.begin(), columns.end(), [&](const Column& column) {
    const auto at = table.find(column.name);
    if (!at) return false;
    const std::string_view text = table.at(row, *at);
    const bool numeric = column.kind == "numeric";
    const auto& texts = column.categories;
    return !missing(text) &&
           (numeric ? !parse_number(text) : std::find(texts.begin(), texts.end(), text) == texts.end());
  });
}

}  // namespace

std::optional<char> delimiter_from(const std::string& text) {
  if (text == "tab" || text == "\\t") return '\t';
  if (text == "space") return ' ';
  const bool one = text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80;
  const bool fits = one && std::isalnum(static_cast<unsigned char>(text[0])) == 0 && !std::strchr("\r\n.+-\"", text[0]);
  return fits ? std::optional(text[0]) : std::nullopt;
}

CsvOptions table_options(const Csv::Options& options, const std::filesystem::path& file) {
  return {.delimiter = options.delimiter.empty() ? delimiter_of(file) : *delimiter_from(options.delimiter),
          .quote = options.quote.empty() ? '\0' : options.quote[0],
          .latin1 = options.encoding == "latin-1"};
}

std::vector<std::int64_t> targets_in(const TextTable& table, const Csv::Options& fitted) {
  std::vector<std::int64_t> result;
  for (const Json& name : fitted.target.list) {
    const auto found = name.is_string() ? table.find(name.get<std::string>()) : std::nullopt;
    if (!found) return {};
    result.push_back(*found);
  }
  return result;
}

std::optional<std::int64_t> weight_in(const TextTable& table, const Csv::Options& fitted) {
  if (fitted.weight.empty() || !fitted.weight.list[0].is_string()) return std::nullopt;
  return table.find(fitted.weight.list[0].get<std::string>());
}

std::string_view label_text(std::string_view text, const Csv::Options& options) {
  if (!options.strip.empty() && text.ends_with(options.strip)) text.remove_suffix(options.strip.size());
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::vector<std::string> names_by_position(std::int64_t width, const Csv::Options& fitted, const std::string& where) {
  std::vector<std::string> names = numbered_classes(fitted.width == 0 ? width : fitted.width);
  if (std::ssize(names) == width) return names;
  std::string expected = fmt::format("rows of {} values, as the training data have", fitted.width);
  const auto leave_out = [&](const ColumnRefs& absent, const char* what) {
    if (absent.empty()) return;
    for (const Json& name : absent.list) std::erase(names, name.get<std::string>());
    expected += fmt::format(", or {} without {}", names.size(), what);
  };
  leave_out(fitted.weight, "the weight");
  if (std::ssize(names) == width) return names;
  leave_out(fitted.target, fitted.weight.empty() ? "the target" : "weight and target");
  if (std::ssize(names) == width) return names;
  throw DataError(
      {where, expected, fmt::format("{}", width), "without a line of names columns are matched by their position"});
}

void check_names(const CsvRow& first, const Csv::Options& fitted, const std::string& where) {
  std::vector<std::string> names;
  for (const Column& column : fitted.columns) names.push_back(column.name);
  const auto known = [&](const auto& value) { return std::find(names.begin(), names.end(), value) != names.end(); };
  if (std::any_of(first.values.begin(), first.values.end(), known)) return;
  if (names.size() > 8) names.resize(8), names.emplace_back("…");
  throw DataError(
      {fmt::format("{}:{}", where, first.line),
       fmt::format("the names of the columns ({}), by which they are matched with the training data's", join(names)),
       quote(join(first.values)), "put them into the first line"});
}

std::optional<Problem> names_in_first_row(const TextTable& table, const Csv::Options& fitted) {
  if (fitted.columns.empty() || table.header() || table.rows() < 2) return std::nullopt;
  if (!is_strange(table, 0, fitted) || is_strange(table, 1, fitted)) return std::nullopt;
  return Problem{fmt::format("{}:{}", table.file().string(), table.line(0)),
                 "values, for the training data had no line of names", "names of the columns",
                 "passed over; columns are matched by their position"};
}

}  // namespace vaetl::readers
