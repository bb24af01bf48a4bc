#include "vaetl/data/readers/table_columns.hpp"

#include <ATen/ATen.h>

#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "vaetl/core/text.hpp"

namespace vaetl::readers {
namespace {

[[noreturn]] void throw_no_column(const TextTable& table, const std::string& key, const std::string& name) {
  std::vector<std::string> shown(table.names().begin(),
                                 table.names().begin() + std::min<std::ptrdiff_t>(table.width(), 20));
  if (table.width() > 20) shown.emplace_back("…");
  throw ConfigError({key, fmt::format("a column of {} ({})", table.file().string(), join(shown)), name,
                     did_you_mean(name, table.names())});
}

std::int64_t resolve_one(const TextTable& table, const std::string& key, const Json& ref) {
  if (ref.is_string()) {
    const auto name = ref.get<std::string>();
    if (const auto found = table.find(name)) return *found;
    throw_no_column(table, key, quote(name));
  }
  const auto position = ref.get<std::int64_t>(), width = table.width();
  if (position < -width || position >= width) throw_no_column(table, key, fmt::format("{}", position));
  return position < 0 ? position + width : position;
}

using Codes = std::unordered_map<std::string_view, float>;

Codes codes_of(const Column& column) {
  Codes codes;
  for (std::size_t i = 0; i < column.categories.size(); ++i) codes.emplace(column.categories[i], static_cast<float>(i));
  return codes;
}

// A column of numbers with texts in most rows is another column.
void check_numbers(const TextTable& table, std::int64_t at, std::size_t texts, std::size_t rows,
                   std::string_view some) {
  if (2 * texts <= rows || rows < 2) return;
  throw DataError({table.file().string(),
                   fmt::format("numbers in column {}", quote(table.names()[static_cast<std::size_t>(at)])),
                   fmt::format("texts in {} of {} rows, such as {}", texts, rows, quote(some)),
                   table.header() ? "columns are matched by their names"
                                  : "columns are matched by their position: is it that of the training data?"});
}

// One column of all rows into every width-th place of `to`; `bad` notes the rows that have no number.
void encode_numeric(const TextTable& table, std::int64_t at, const MissingTexts& missing, const Rows& rows, float* to,
                    std::size_t stride, std::vector<char>& bad, Flaws& flaws, Judge judge) {
  std::size_t texts = 0;
  std::string_view some;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string_view text = table.at(rows[i], at);
    const auto number = parse_number(text);
    to[i * stride] = number ? static_cast<float>(*number) : std::numeric_limits<float>::quiet_NaN();
    if (number || missing(text)) continue;
    ++texts;
    some = text;
    if (bad[i]) continue;
    bad[i] = 1;
    flaws.add(table.line(rows[i]),
              fmt::format("a number in column {}", quote(table.names()[static_cast<std::size_t>(at)])), quote(text));
  }
  if (judge == Judge::the_whole) check_numbers(table, at, texts, rows.size(), some);
}

void encode_categories(const TextTable& table, std::int64_t at, const Codes& codes, const MissingTexts& missing,
                       const Rows& rows, float* to, std::size_t stride) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string_view text = table.at(rows[i], at);
    const auto found = codes.find(text);
    to[i * stride] = found != codes.end() ? found->second : missing(text) ? missing_code : unknown_code;
  }
}

std::int64_t position_of(const TextTable& table, const std::string& name) {
  if (const auto found = table.find(name)) return *found;
  throw DataError({table.file().string(), "a column " + quote(name) + ", as the training data have",
                   fmt::format("{} columns without it", table.width()), did_you_mean(name, table.names())});
}

}  // namespace

std::vector<std::int64_t> ColumnRefs::resolve(const TextTable& table, const std::string& key) const {
  std::vector<std::int64_t> result;
  for (const Json& ref : list) {
    const std::int64_t position = resolve_one(table, key, ref);
    if (std::find(result.begin(), result.end(), position) == result.end()) result.push_back(position);
  }
  return result;
}

ColumnRefs ColumnRefs::of_names(const std::vector<std::string>& names) { return {Json(names)}; }

bool MissingTexts::operator()(std::string_view text) const {
  return std::find(texts_.begin(), texts_.end(), text) != texts_.end();
}

void sort_texts(std::vector<std::string>& texts) {
  const bool numbers = std::all_of(texts.begin(), texts.end(), [](const auto& t) { return parse_number(t); });
  std::sort(texts.begin(), texts.end());
  if (!numbers) return;
  std::stable_sort(texts.begin(), texts.end(),
                   [](const auto& a, const auto& b) { return *parse_number(a) < *parse_number(b); });
}

std::vector<std::string> distinct_texts(const TextTable& table, std::int64_t column, const Rows& rows,
                                        const MissingTexts& missing) {
  std::unordered_set<std::string_view> seen;
  for (const auto row : rows) {
    const std::string_view text = table.at(row, column);
    if (seen.contains(text) || missing(text)) continue;
    seen.insert(text);
    if (static_cast<std::int64_t>(seen.size()) <= most_categories) continue;
    throw DataError(
        {fmt::format("{}, column {}", table.file().string(), quote(table.names()[static_cast<std::size_t>(column)])),
         fmt::format("at most {} different texts", most_categories), "more",
         "name it under `ignore` if it names the examples"});
  }
  std::vector<std::string> texts(seen.begin(), seen.end());
  sort_texts(texts);
  return texts;
}

bool all_numbers(const TextTable& table, std::int64_t column, const Rows& rows, const MissingTexts& missing) {
  return std::all_of(rows.begin(), rows.end(), [&](auto row) {
    const std::string_view text = table.at(row, column);
    return parse_number(text) || missing(text);
  });
}

bool mostly_numbers(const TextTable& table, std::int64_t column, const Rows& rows, const MissingTexts& missing) {
  std::int64_t numbers = 0, slips = 0;
  for (const auto row : rows) {
    const std::string_view text = table.at(row, column);
    if (!missing(text)) ++(parse_number(text) ? numbers : slips);
  }
  return slips == 0 || (numbers >= 20 && slips <= std::max<std::int64_t>(1, numbers / 100));
}

at::Tensor encode_columns(const TextTable& table, const std::vector<Column>& columns, const MissingTexts& missing,
                          Rows& rows, Flaws& flaws, Judge judge) {
  const auto width = static_cast<std::int64_t>(columns.size());
  const at::Tensor result = at::empty({static_cast<std::int64_t>(rows.size()), width}, at::kFloat);
  std::vector<char> bad(rows.size(), 0);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::int64_t at = position_of(table, columns[c].name);
    float* to = result.mutable_data_ptr<float>() + c;
    if (columns[c].kind == "numeric") {
      encode_numeric(table, at, missing, rows, to, columns.size(), bad, flaws, judge);
    } else {
      encode_categories(table, at, codes_of(columns[c]), missing, rows, to, columns.size());
    }
  }
  if (std::find(bad.begin(), bad.end(), 1) == bad.end()) return result;
  Rows good;
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (bad[i]) continue;
    kept.push_back(static_cast<std::int64_t>(i));
    good.push_back(rows[i]);
  }
  rows = std::move(good);
  return result.index_select(0, at::tensor(kept, at::kLong));
}

}  // namespace vaetl::readers

namespace vaetl {

void Codec<readers::ColumnRefs>::read(const Json& json, const std::string& path, readers::ColumnRefs& value,
                                      const Rule&) {
  Json list = json.is_array() ? json : Json::array({json});
  if (list.size() == 1 && list[0] == "") list = Json::array();
  for (const Json& ref : list) {
    if (!ref.is_string() && !ref.is_number_integer()) throw_type(path, "a column's name, its position, or a list", ref);
  }
  value.list = std::move(list);
}

Json Codec<readers::ColumnRefs>::schema(const Rule&) {
  return Json{{"type", Json::array({"string", "integer", "array"})}};
}

}  // namespace vaetl
