#include "vaetl/data/readers/series_table.hpp"

#include <ATen/ATen.h>

#include <limits>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/text_values.hpp"

namespace vaetl::readers {
namespace {

constexpr float nothing = std::numeric_limits<float>::quiet_NaN();

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Whether at least half of what a column holds in the first rows are numbers: a few slips do not make it text.
bool holds_numbers(const TextTable& table, std::int64_t column, std::int64_t rows, const MissingTexts& missing) {
  std::int64_t numbers = 0, others = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::string_view text = table.at(row, column);
    if (missing(text)) continue;
    ++(parse_number(text) ? numbers : others);
  }
  return numbers > 0 && numbers >= others;
}

std::vector<std::string> names_of(const TextTable& table, const std::vector<std::int64_t>& columns) {
  std::vector<std::string> names;
  for (const std::int64_t column : columns) names.push_back(table.names()[static_cast<std::size_t>(column)]);
  return names;
}

std::string time_column(const TextTable& table, const ColumnRefs& given, std::int64_t rows,
                        const MissingTexts& missing) {
  if (!given.empty()) return names_of(table, given.resolve(table, "time"))[0];
  for (const auto& name : table.names()) {
    for (const char* usual : {"time", "date", "datetime", "timestamp", "date_time"}) {
      if (lower(name) == usual) return name;
    }
  }
  return holds_numbers(table, 0, rows, missing) ? std::string() : table.names()[0];
}

// A time as what can be compared: a number, or a text that begins with a year. Nothing: it cannot.
struct Time {
  std::optional<double> number = {};
  std::string_view text = {};

  static Time of(std::string_view text) {
    const auto number = parse_number(text);
    auto digit = [&](std::size_t i) { return std::isdigit(static_cast<unsigned char>(text[i])) != 0; };
    const bool year = text.size() > 4 && digit(0) && digit(1) && digit(2) && digit(3) && !digit(4);
    return {number, year && !number ? text : std::string_view()};
  }
  bool after(const Time& other) const {
    if (number && other.number) return *number > *other.number;
    return text.empty() || other.text.empty() || text > other.text;
  }
};

// The rows that are in order, each with a time after that of the one before.
Rows rows_in_order(const TextTable& table, const std::string& time, Flaws& flaws) {
  Rows rows;
  const auto column = time.empty() ? std::nullopt : table.find(time);
  std::string_view last;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const std::string_view text = column ? table.at(row, *column) : std::string_view();
    if (column && !rows.empty() && !Time::of(text).after(Time::of(last))) {
      flaws.add(table.line(row), fmt::format("a time after {}", quote(last)), quote(text));
      continue;
    }
    rows.push_back(row);
    last = text;
  }
  if (2 * static_cast<std::int64_t>(rows.size()) >= table.rows()) return rows;
  throw DataError(
      {table.file().string(), fmt::format("rows in the order of the time, column {}", quote(time)),
       fmt::format("{} of {} rows that are not", table.rows() - static_cast<std::int64_t>(rows.size()), table.rows()),
       "sort them"});
}

at::Tensor numbers_of(const TextTable& table, const std::vector<std::string>& names, const Rows& rows,
                      const MissingTexts& missing, Flaws* flaws) {
  at::Tensor values =
      at::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(names.size())}, at::kFloat);
  float* to = values.mutable_data_ptr<float>();
  std::vector<std::int64_t> columns;
  for (const auto& name : names) {
    const auto column = table.find(name);
    if (!column) {
      throw DataError({table.file().string(), "a column " + quote(name) + ", as the training data have", "none",
                       did_you_mean(name, table.names())});
    }
    columns.push_back(*column);
  }
  for (const std::int64_t row : rows) {
    for (const std::int64_t column : columns) {
      const std::string_view text = table.at(row, column);
      const auto number = parse_number(text);
      *to++ = number ? static_cast<float>(*number) : nothing;
      if (number || missing(text) || flaws == nullptr) continue;
      flaws->add(table.line(row),
                 fmt::format("a number in column {}", quote(table.names()[static_cast<std::size_t>(column)])),
                 quote(text));
    }
  }
  return values;
}

// Up to `limit` missing values in succession take the last one before them.
void fill_forward(at::Tensor& values, std::int64_t limit) {
  const std::int64_t width = values.size(1);
  float* all = values.mutable_data_ptr<float>();
  for (std::int64_t f = 0; f < width; ++f) {
    std::int64_t since = 0;
    for (std::int64_t row = 1; row < values.size(0); ++row) {
      float& value = all[row * width + f];
      since = std::isnan(value) ? since + 1 : 0;
      if (since > 0 && since <= limit) value = all[(row - 1) * width + f];
    }
  }
}

}  // namespace

SeriesColumns learn_columns(const TextTable& table, const Series::Options& options, double share) {
  const MissingTexts missing(options.missing);
  const auto rows = std::max<std::int64_t>(1, static_cast<std::int64_t>(share * static_cast<double>(table.rows())));
  SeriesColumns result;
  result.time = time_column(table, options.time, rows, missing);
  result.inputs = names_of(table, options.columns.resolve(table, "columns"));
  if (result.inputs.empty()) {
    for (std::int64_t column = 0; column < table.width(); ++column) {
      const std::string& name = table.names()[static_cast<std::size_t>(column)];
      if (name != result.time && holds_numbers(table, column, rows, missing)) result.inputs.push_back(name);
    }
  }
  if (result.inputs.empty()) {
    throw DataError(
        {table.file().string(), "a column of numbers", "none among " + join(table.names()), "name it under `columns`"});
  }
  result.targets = names_of(table, options.target.resolve(table, "target"));
  if (result.targets.empty()) result.targets = result.inputs;
  return result;
}

SeriesTable read_series(const TextTable& table, const SeriesColumns& columns, const Series::Options& options,
                        Flaws& flaws) {
  const MissingTexts missing(options.missing);
  const Flaws unread = flaws;  // lines that the table lacks
  const Rows rows = rows_in_order(table, columns.time, flaws);
  SeriesTable result;
  result.inputs = numbers_of(table, columns.inputs, rows, missing, &flaws);
  const bool same = columns.targets == columns.inputs;  // whose flaws have been told
  if (options.horizon > 0) result.targets = numbers_of(table, columns.targets, rows, missing, same ? nullptr : &flaws);
  fill_forward(result.inputs, options.fill);
  if (options.horizon > 0) fill_forward(result.targets, options.fill);
  for (const std::int64_t row : rows) {
    const bool broken = !result.lines.empty() && unread.between(result.lines.back(), table.line(row));
    result.lines.push_back(table.line(row));
    result.breaks.push_back(broken ? 1 : 0);
  }
  return result;
}

}  // namespace vaetl::readers
