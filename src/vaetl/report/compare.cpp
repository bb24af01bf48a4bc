#include "vaetl/report/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "vaetl/core/progress.hpp"
#include "vaetl/report/curves.hpp"
#include "vaetl/report/html.hpp"
#include "vaetl/report/metric_text.hpp"
#include "vaetl/report/section.hpp"
#include "vaetl/report/sweep.hpp"

namespace vaetl {
namespace {

bool is_run(const ReportFolder& folder) { return folder.kind == ReportFolder::Kind::run; }

struct MetricColumn {
  std::string name;
  std::vector<std::optional<double>> values;  // one a folder
  std::optional<bool> higher_is_better;
  bool comparable = true;  // scored on the same data
};

// What a run was scored on.
std::string scored_on(const ReportFolder& folder) {
  const double test = folder.view().object("data").number("test").value_or(0);
  return fmt::format("{} {}", describe_data(folder), test);
}

void read_column(MetricColumn& column, const std::vector<ReportFolder>& folders) {
  std::set<std::string> data;
  for (const ReportFolder& folder : folders) {
    column.values.push_back(is_run(folder) ? folder.view().object("metrics").number(column.name) : std::nullopt);
    if (!column.values.back()) continue;
    data.insert(scored_on(folder));
    const JsonView directions = folder.view().object("higher_is_better");
    if (directions.has(column.name)) column.higher_is_better = directions.flag(column.name, true);
  }
  column.comparable = data.size() <= 1;
}

// Of all runs, in order of first appearance.
std::vector<MetricColumn> metric_columns(const std::vector<ReportFolder>& folders) {
  std::vector<MetricColumn> columns;
  for (const ReportFolder& folder : folders) {
    if (!is_run(folder)) continue;
    const JsonView metrics = folder.view().object("metrics");
    for (const auto& [name, unread] : metrics.json().items()) {
      const bool known = std::any_of(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
      if (!known) columns.push_back({.name = name, .values = {}, .higher_is_better = {}});
    }
  }
  for (MetricColumn& column : columns) read_column(column, folders);
  return columns;
}

// None where the runs do not say which way is better, are scored on different data, or are all alike.
std::optional<double> best_value(const MetricColumn& column) {
  std::vector<double> values;
  for (const auto& value : column.values) {
    if (value) values.push_back(*value);
  }
  if (values.size() < 2 || !column.comparable || !column.higher_is_better) return {};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *low == *high ? std::nullopt : std::optional(*column.higher_is_better ? *high : *low);
}

// With the decimals of the largest, so that they can be compared by eye.
MetricText column_text(const MetricColumn& column) {
  double largest = 0;
  for (const auto& value : column.values) largest = std::max(largest, value ? std::abs(*value) : 0);
  return MetricText(column.name, largest);
}

std::string column_head(const MetricColumn& column) {
  const std::string name = html::breakable(MetricText(column.name).name());
  if (!column.higher_is_better) return name;
  return name +
         html::tag("span", *column.higher_is_better ? "↑" : "↓",
                   fmt::format("class=\"way\" title=\"{} is better\"", *column.higher_is_better ? "more" : "less"));
}

std::string kind_of(const ReportFolder& folder) {
  if (is_run(folder)) return folder.view().object("model").text("name");
  return fmt::format("sweep of {} ways", read_grid(folder).ways.size());
}

html::Table::Cell counted_cell(std::optional<double> value) { return {value ? html::number(*value) : "–"}; }

std::vector<html::Table::Cell> result_row(const ReportFolder& folder, std::size_t place, const std::string& name,
                                          const std::vector<MetricColumn>& metrics) {
  const JsonView view = folder.view();
  std::vector<html::Table::Cell> row = {
      {html::tag("a", html::escape(name), fmt::format("href=\"#part-{}\"", place + 1))}};
  for (const MetricColumn& column : metrics) {
    const auto value = column.values[place];
    row.push_back(
        {value ? column_text(column).value(*value) : "–", value && value == best_value(column) ? "best" : ""});
  }
  row.push_back({html::escape(kind_of(folder)), "text"});
  row.push_back({html::escape(describe_data(folder)), "text"});
  row.push_back(counted_cell(view.object("data").number("train")));
  row.push_back(counted_cell(view.object("model").number("parameters")));
  row.push_back(counted_cell(view.number("steps")));
  const auto seconds = view.number("seconds");
  row.push_back({seconds ? html::escape(duration(*seconds)) : "–"});
  const auto memory = view.number("peak_memory_mb");
  row.push_back(counted_cell(memory ? std::optional(std::round(*memory)) : memory));
  return row;
}

std::string results_caption(const std::vector<MetricColumn>& metrics) {
  const bool marked =
      std::any_of(metrics.begin(), metrics.end(), [](const auto& m) { return best_value(m).has_value(); });
  const bool mixed = std::any_of(metrics.begin(), metrics.end(), [](const auto& m) { return !m.comparable; });
  std::string text = "All parts of this page.";
  if (marked) text += " ↑ more, ↓ less is better; the best of each metric is marked.";
  if (mixed) text += " Nothing is marked where the runs were scored on different data.";
  return text;
}

using Flat = std::vector<std::pair<std::string, Json>>;  // "trainer.optimizer.lr" → 0.001

void flatten(const Json& json, const std::string& path, Flat& flat) {
  if (!json.is_object() || json.empty()) {
    flat.emplace_back(path, json);
    return;
  }
  for (const auto& [key, value] : json.items()) flatten(value, path.empty() ? key : path + "." + key, flat);
}

const Json* find_key(const Flat& flat, const std::string& key) {
  const auto found = std::find_if(flat.begin(), flat.end(), [&](const auto& item) { return item.first == key; });
  return found == flat.end() ? nullptr : &found->second;
}

std::string setting_text(const Json* value) {
  if (!value || value->is_null()) return "–";
  if (value->is_number_float()) return fmt::format("{}", value->get<double>());
  return value->is_string() ? value->get<std::string>() : value->dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> all_keys(const std::vector<Flat>& recipes) {
  std::vector<std::string> keys;
  std::set<std::string> seen;
  for (const Flat& recipe : recipes) {
    for (const auto& [key, value] : recipe) {
      if (key != "name" && seen.insert(key).second) keys.push_back(key);
    }
  }
  std::stable_sort(keys.begin(), keys.end());  // those of a section stand together
  return keys;
}

// As they are read: a key that is absent and one that is null say the same.
bool differ(const std::vector<Flat>& recipes, const std::string& key) {
  const std::string first = setting_text(find_key(recipes[0], key));
  return std::any_of(recipes.begin() + 1, recipes.end(),
                     [&](const Flat& recipe) { return setting_text(find_key(recipe, key)) != first; });
}

}  // namespace

std::vector<std::string> part_names(const std::vector<ReportFolder>& folders) {
  std::vector<std::string> names;
  for (const ReportFolder& folder : folders) {
    const auto same =
        std::count_if(folders.begin(), folders.end(), [&](const auto& f) { return f.name == folder.name; });
    names.push_back(same == 1 ? folder.name : fmt::format("{} ({})", folder.name, folder.path.string()));
  }
  return names;
}

std::string render_results(const std::vector<ReportFolder>& folders, const std::vector<std::string>& names) {
  const auto metrics = metric_columns(folders);
  html::Table table{.caption = results_caption(metrics), .columns = {{"run"}}};
  for (const MetricColumn& column : metrics) table.columns.push_back({column_head(column)});
  for (const char* name : {"model", "data"}) table.columns.push_back({name, "text"});
  for (const char* name : {"examples", "parameters", "steps", "time", "memory (MB)"}) table.columns.push_back({name});
  for (std::size_t i = 0; i < folders.size(); ++i) table.rows.push_back(result_row(folders[i], i, names[i], metrics));
  return html::table(table);
}

std::string render_joint_curves(const std::vector<ReportFolder>& folders, const std::vector<std::string>& names) {
  std::vector<Plot> plots;
  const auto add = [&](const std::string& title, std::size_t run, const Curve& curve) {
    if (curve.empty()) return;
    auto found = std::find_if(plots.begin(), plots.end(), [&](const Plot& plot) { return plot.title == title; });
    if (found == plots.end()) found = plots.insert(found, {.title = title, .x_label = "step", .y_label = {}});
    PlotLine line = curve_line(names[run], curve);
    line.colour = static_cast<int>(run);  // the same in every plot
    found->lines.push_back(std::move(line));
  };
  for (std::size_t run = 0; run < folders.size(); ++run) {
    for (const Quantity& quantity : read_curves(folders[run])) {
      if (is_schedule_without_change(quantity)) continue;
      add(quantity.name, run, quantity.train);
      add(quantity.name + " (validation)", run, quantity.validation);
    }
  }
  std::string drawn;
  for (const Plot& plot : plots) drawn += plot.lines.size() > 1 ? render_plot(plot) : "";
  if (drawn.empty()) return {};
  return html::heading(2, "Curves") + html::tag("div", "\n" + drawn, "class=\"plots\"") + "\n";
}

std::string render_differences(const std::vector<ReportFolder>& folders, const std::vector<std::string>& names) {
  std::vector<Flat> recipes;
  html::Table table{.caption = "What differs in the resolved recipes; all else is alike.", .columns = {{"key"}}};
  for (std::size_t i = 0; i < folders.size(); ++i) {
    if (!is_run(folders[i]) || !folders[i].recipe.is_object()) continue;
    flatten(folders[i].recipe, {}, recipes.emplace_back());
    table.columns.push_back({html::breakable(names[i]), "text"});
  }
  if (recipes.size() < 2) return {};
  for (const std::string& key : all_keys(recipes)) {
    if (!differ(recipes, key)) continue;
    auto& row = table.rows.emplace_back();
    row.push_back({html::breakable(key)});
    for (const Flat& recipe : recipes) row.push_back({html::breakable(setting_text(find_key(recipe, key))), "wrap"});
  }
  const std::string alike = html::tag("p", "The resolved recipes are alike in every key but the name.") + "\n";
  return html::heading(2, "Recipes") + (table.rows.empty() ? alike : html::table(table));
}

}  // namespace vaetl
