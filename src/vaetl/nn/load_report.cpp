#include "vaetl/core/text.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl {
namespace {

using Rows = std::vector<LoadReport::Row>;

constexpr std::size_t most_rows = 20;  // of one kind in the text; the JSON has all

std::int64_t elements(const Rows& rows) {
  std::int64_t sum = 0;
  for (const auto& row : rows) sum += row.elements;
  return sum;
}

struct Column {
  std::string title;
  const Rows* rows;
};

std::vector<Column> filled_columns(const LoadReport& report) {
  std::vector<Column> columns = {{"loaded", &report.loaded}};
  for (const auto& [title, rows] : {std::pair{"reshaped", &report.reshaped},
                                    {"initialised", &report.initialised},
                                    {"mismatched", &report.mismatched}}) {
    if (!rows->empty()) columns.push_back({title, rows});
  }
  return columns;
}

std::string headline(const LoadReport& report) {
  const std::size_t total =
      report.loaded.size() + report.reshaped.size() + report.initialised.size() + report.mismatched.size();
  const std::size_t from_file = report.loaded.size() + report.reshaped.size();
  const std::int64_t values = elements(report.loaded) + elements(report.reshaped);
  if (from_file == total) return fmt::format("weights: all {} tensors loaded, {} values\n", total, thousands(values));
  return fmt::format("weights: {} of {} tensors loaded, {} of {} values\n", from_file, total, thousands(values),
                     thousands(values + elements(report.initialised) + elements(report.mismatched)));
}

std::string group_table(const LoadReport& report, const Model& model) {
  const auto columns = filled_columns(report);
  std::size_t width = 5;
  for (const LayerGroup& group : model.groups()) width = std::max(width, group.name.size());
  std::string text = fmt::format("  {:<{}}", "group", width);
  for (const Column& column : columns) text += "  " + column.title;
  text += '\n';
  for (const LayerGroup& group : model.groups()) {
    text += fmt::format("  {:<{}}", group.name, width);
    for (const Column& column : columns) {
      const auto count = std::count_if(column.rows->begin(), column.rows->end(),
                                       [&](const auto& row) { return group_of(model, row.name) == group.name; });
      text += fmt::format("  {:>{}}", count ? std::to_string(count) : "-", column.title.size());
    }
    text += '\n';
  }
  return text;
}

std::string section(const std::string& title, const Rows& rows) {
  if (rows.empty()) return {};
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  std::string text = fmt::format("  {}:\n", title);
  for (std::size_t i = 0; i < std::min(rows.size(), most_rows); ++i) {
    text += fmt::format("    {:<{}}  {}\n", rows[i].name, width, rows[i].note);
  }
  if (rows.size() > most_rows) text += fmt::format("    and {} more\n", rows.size() - most_rows);
  return text;
}

// Loaded rows are not listed one by one, but that they were converted should be seen.
std::string conversions(const LoadReport& report) {
  constexpr std::string_view mark = "converted from ";
  std::map<std::string, int> counts;
  for (const auto& row : report.loaded) {
    if (const auto at = row.note.find(mark); at != row.note.npos) ++counts[row.note.substr(at + mark.size())];
  }
  std::string text;
  for (const auto& [dtype, count] : counts)
    text += fmt::format("  converted from {}: {} of the loaded\n", dtype, count);
  return text;
}

Json rows_json(const Rows& rows) {
  Json result = Json::array();
  for (const auto& row : rows) {
    Json item{{"name", row.name}, {"elements", row.elements}};
    if (!row.note.empty()) item["note"] = row.note;
    result.push_back(std::move(item));
  }
  return result;
}

}  // namespace

Json LoadReport::json() const {
  return Json{{"complete", complete()},          {"loaded", rows_json(loaded)},
              {"reshaped", rows_json(reshaped)}, {"initialised", rows_json(initialised)},
              {"unused", rows_json(unused)},     {"mismatched", rows_json(mismatched)}};
}

std::string to_text(const LoadReport& report, const Model& model) {
  return headline(report) + group_table(report, model) + conversions(report) + section("reshaped", report.reshaped) +
         section("initialised, not in the file", report.initialised) +
         section("mismatched, left at fresh values", report.mismatched) +
         section("unused, not in the model", report.unused);
}

}  // namespace vaetl
