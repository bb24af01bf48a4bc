#include <fmt/format.h>

#include <algorithm>

#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/report/html.hpp"
#include "vaetl/report/plot.hpp"
#include "vaetl/report/section.hpp"
#include "vaetl/report/sweep.hpp"

namespace vaetl {
namespace {

std::string varied(const SweepGrid& grid) {
  std::vector<std::string> names;
  for (const std::string& key : grid.keys) names.push_back(key_label(key));
  return join(names, " and ");
}

std::string with_spread(const MetricText& text, const SweepCell& cell) {
  if (!cell.spread) return text.value(cell.mean);
  return text.value(cell.mean) + html::tag("span", " ± " + text.value(*cell.spread), "class=\"spread\"");
}

std::vector<html::Table::Cell> columns(const SweepGrid& grid) {
  std::vector<html::Table::Cell> result = {{"way"}};
  for (const Json& setting : grid.settings) result.push_back({html::escape(setting_label(grid, setting))});
  return result;
}

// "5 seeds", or nothing where the cells differ.
std::string over_seeds(const std::vector<SweepGrid::Row>& rows) {
  std::vector<double> counts;
  for (const auto& row : rows) {
    for (const auto& cell : row) {
      if (cell) counts.push_back(cell->n);
    }
  }
  const bool same =
      !counts.empty() && std::all_of(counts.begin(), counts.end(), [&](double n) { return n == counts[0]; });
  return same && counts[0] > 1 ? fmt::format(" over {} seeds", html::number(counts[0])) : "";
}

std::string results_table(const SweepGrid& grid) {
  const MetricText text = grid.text();
  const auto best = best_ways(grid);
  html::Table table{.caption = fmt::format("{} by {}: mean ± spread{}. The best of each column is marked.", text.name(),
                                           varied(grid), over_seeds(grid.results)),
                    .columns = columns(grid)};
  for (std::size_t way = 0; way < grid.ways.size(); ++way) {
    auto& row = table.rows.emplace_back();
    row.push_back({html::escape(grid.ways[way])});
    for (std::size_t i = 0; i < grid.settings.size(); ++i) {
      const auto& cell = grid.results[way][i];
      row.push_back({cell ? with_spread(text, *cell) : "–", best[i] == way ? "best" : ""});
    }
  }
  return html::table(table);
}

// The settings, the one first whose best way is best.
std::vector<std::size_t> ranked(const SweepGrid& grid) {
  const auto best = best_ways(grid);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < best.size(); ++i) {
    if (best[i]) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return grid.better(grid.results[*best[a]][a]->mean, grid.results[*best[b]][b]->mean);
  });
  return order;
}

// Of settings that were drawn: a row each.
std::string ranked_table(const SweepGrid& grid) {
  const MetricText text = grid.text();
  html::Table table{
      .caption = fmt::format("{}: mean ± spread{}, the best setting first.", text.name(), over_seeds(grid.results))};
  for (const std::string& key : grid.keys) table.columns.push_back({html::breakable(key_label(key))});
  for (const std::string& way : grid.ways) table.columns.push_back({html::escape(way)});
  for (const std::size_t i : ranked(grid)) {
    auto& row = table.rows.emplace_back();
    for (const std::string& key : grid.keys)
      row.push_back({html::escape(value_text(grid.settings[i].value(key, Json())))});
    for (const auto& results : grid.results) row.push_back({results[i] ? with_spread(text, *results[i]) : "–"});
  }
  return html::table(table);
}

// Whether a difference is one: its interval leaves 0 out.
std::string verdict(const SweepGrid& grid, const SweepCell& cell) {
  if (!cell.low || !cell.high || (*cell.low <= 0 && *cell.high >= 0)) return {};
  return grid.better(cell.mean, 0) ? "better" : "worse";
}

std::string difference(const SweepGrid& grid, const SweepCell& cell) {
  const MetricText text = grid.text();
  const std::string kind = verdict(grid, cell);
  std::string result = (kind == "better" ? "▲ " : kind == "worse" ? "▼ " : "") + text.difference(cell.mean);
  if (cell.low && cell.high) {
    result += html::tag("small", text.difference(*cell.low) + " … " + text.difference(*cell.high));
  }
  return result;
}

std::string paired_table(const SweepGrid& grid, const SweepGrid::Paired& paired) {
  const std::string unit = grid.text().points();
  html::Table table{.caption = fmt::format(
                        "Difference in {} from {}{}, seed by seed{}: mean, and its 95 % interval. ▲ better, ▼ worse: "
                        "the interval leaves out 0.",
                        grid.metric, paired.against, unit.empty() ? "" : " in " + unit, over_seeds(paired.rows)),
                    .columns = columns(grid)};
  for (std::size_t way = 0; way < grid.ways.size(); ++way) {
    const auto& cells = paired.rows[way];
    if (std::none_of(cells.begin(), cells.end(), [](const auto& cell) { return cell.has_value(); })) continue;
    auto& row = table.rows.emplace_back();
    row.push_back({html::escape(grid.ways[way])});
    for (const auto& cell : cells)
      row.push_back({cell ? difference(grid, *cell) : "–", cell ? verdict(grid, *cell) : ""});
  }
  return html::table(table);
}

bool is_number(const Json& setting, const std::string& key) {
  return setting.contains(key) && setting[key].is_number();
}

// "scratch, 10 labels a class: 70.5 ± 1.2"
std::string note(const SweepGrid& grid, const MetricText& text, std::size_t way, std::size_t setting) {
  const SweepCell& cell = *grid.results[way][setting];
  const std::string spread = cell.spread ? " ± " + text.value(*cell.spread) : "";
  return fmt::format("{}, {}: {}{}", grid.ways[way], setting_sentence(grid, grid.settings[setting]),
                     text.value(cell.mean), spread);
}

// A plot over the first varied number, one for each setting of everything else.
std::vector<Plot> make_plots(const SweepGrid& grid, const std::string& key) {
  const MetricText text = grid.text();
  std::vector<Json> rest;
  std::vector<Plot> plots;
  for (std::size_t i = 0; i < grid.settings.size(); ++i) {
    Json others = grid.settings[i];
    if (!is_number(others, key)) continue;
    const double x = others[key].get<double>();
    others.erase(key);
    const auto found = static_cast<std::size_t>(std::find(rest.begin(), rest.end(), others) - rest.begin());
    if (found == rest.size()) {
      rest.push_back(others);
      plots.push_back({.title = text.name() + ": mean and spread",
                       .x_label = key_label(key),
                       .y_label = {},
                       .markers = true,
                       .x_values = true});
      if (!others.empty()) plots.back().title += ", " + setting_label(grid, others);
      for (const std::string& way : grid.ways) plots.back().lines.push_back({way, {}});
    }
    for (std::size_t way = 0; way < grid.ways.size(); ++way) {
      const auto& cell = grid.results[way][i];
      if (!cell) continue;
      plots[found].lines[way].points.push_back(
          {x, text.scale(cell->mean), text.scale(cell->spread.value_or(0)), note(grid, text, way, i)});
    }
  }
  return plots;
}

// Logarithmic where the x span a factor of ten or more.
void choose_scale(Plot& plot) {
  double low = 1e300, high = -1e300;
  for (PlotLine& line : plot.lines) {
    std::sort(line.points.begin(), line.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
    if (line.points.empty()) continue;
    low = std::min(low, line.points.front().x), high = std::max(high, line.points.back().x);
  }
  plot.log_x = low > 0 && high >= 10 * low;
  if (plot.log_x) plot.x_label += " (logarithmic)";
}

// Of settings that were drawn: a plot for each varied number, over all that is else.
std::string drawn_plots(const SweepGrid& grid) {
  const MetricText text = grid.text();
  std::string result;
  for (const std::string& key : grid.keys) {
    Plot plot{.title = text.name() + ", a point a setting",
              .x_label = key_label(key),
              .y_label = {},
              .markers = true,
              .joined = false,
              .x_values = true};
    for (std::size_t way = 0; way < grid.ways.size(); ++way) {
      PlotLine& line = plot.lines.emplace_back(PlotLine{grid.ways[way], {}});
      for (std::size_t i = 0; i < grid.settings.size(); ++i) {
        const auto& cell = grid.results[way][i];
        if (!cell || !is_number(grid.settings[i], key)) continue;
        line.points.push_back({grid.settings[i][key].get<double>(), text.scale(cell->mean),
                               text.scale(cell->spread.value_or(0)), note(grid, text, way, i)});
      }
    }
    choose_scale(plot);
    result += render_plot(plot);
  }
  return result.empty() ? "" : html::tag("div", "\n" + result, "class=\"plots\"") + "\n";
}

std::string plots(const SweepGrid& grid) {
  if (grid.drawn) return drawn_plots(grid);
  const auto key = std::find_if(grid.keys.begin(), grid.keys.end(), [&](const std::string& k) {
    return std::any_of(grid.settings.begin(), grid.settings.end(), [&](const Json& s) { return is_number(s, k); });
  });
  if (key == grid.keys.end()) return {};
  std::string result;
  std::vector<Plot> all = make_plots(grid, *key);
  for (Plot& plot : all) {
    plot.wide = all.size() == 1;
    choose_scale(plot);
    result += render_plot(plot);
  }
  return all.size() > 1 ? html::tag("div", "\n" + result, "class=\"plots\"") + "\n" : result;
}

// "Best by mean accuracy: simclr at 1 (55.7 %) and 10 (72.9 %); scratch at 100 (86.1 %)."
std::string winners(const SweepGrid& grid) {
  const MetricText text = grid.text();
  const auto best = best_ways(grid);
  std::vector<std::string> parts;
  if (grid.drawn) {
    const auto order = ranked(grid);
    if (order.empty()) return {};
    const std::size_t first = order.front(), way = *best[first];
    return fmt::format(" Best: {} with {} ({}).", grid.ways[way], setting_label(grid, grid.settings[first]),
                       text.with_unit(grid.results[way][first]->mean));
  }
  for (std::size_t way = 0; way < grid.ways.size(); ++way) {
    std::vector<std::string> where;
    for (std::size_t i = 0; i < best.size(); ++i) {
      if (best[i] != way) continue;
      const std::string value = text.with_unit(grid.results[way][i]->mean);
      where.push_back(fmt::format("{} ({})", setting_label(grid, grid.settings[i]), value));
    }
    if (!where.empty()) parts.push_back(fmt::format("{} at {}", grid.ways[way], join(where)));
  }
  const std::string by = grid.keys.empty() ? "" : ", by " + varied(grid);
  return parts.empty() ? "" : fmt::format(" Best by mean {}{}: {}.", grid.metric, by, join(parts, "; "));
}

std::string lead(const ReportFolder& folder, const SweepGrid& grid) {
  const JsonView sweep = folder.view();
  const std::string data = describe_data(folder);
  const std::string ways = grid.ways.size() == 1 ? "1 way" : fmt::format("{} ways", grid.ways.size());
  std::string text = ways + (data.empty() ? "" : " on " + data);
  if (!grid.settings.empty() && !grid.keys.empty()) {
    text += fmt::format(", {} settings of {}{}", grid.settings.size(), varied(grid), grid.drawn ? ", drawn" : "");
  }
  if (sweep.text("on") == "validation") text += ", measured on validation data";
  if (const auto seeds = sweep.number("seeds")) text += fmt::format(", {} seeds", html::number(*seeds));
  if (const auto runs = sweep.objects("points").size(); runs > 0)
    text += fmt::format(": {} run{}", runs, runs == 1 ? "" : "s");
  if (const auto seconds = sweep.number("seconds")) text += " in " + duration(*seconds);
  return html::tag("p", html::escape(text + "." + winners(grid)), "class=\"lead\"") + "\n";
}

std::string chosen_text(const JsonView& point) {
  std::vector<std::string> parts;
  const Json& chosen = point.object("chosen").json();
  for (const auto& [key, value] : chosen.items()) parts.push_back(fmt::format("{}={}", key, value.dump()));
  return join(parts);
}

std::string points_table(const ReportFolder& folder, const SweepGrid& grid) {
  html::Table table{.columns = {{"way"},
                                {html::escape(varied(grid))},
                                {"seed"},
                                {html::escape(grid.text().name())},
                                {"time"},
                                {"chosen", "text"}}};
  const MetricText text = grid.text();
  for (const JsonView& point : folder.view().objects("points")) {
    const auto seed = point.number("seed"), value = point.number("value"), seconds = point.number("seconds");
    const std::string setting = setting_label(grid, point.object("vary").json());
    table.rows.push_back({{html::escape(point.text("way"))},
                          {html::escape(setting)},
                          {seed ? html::number(*seed) : ""},
                          {value ? text.value(*value) : "–"},
                          {seconds ? duration(*seconds) : ""},
                          {html::escape(chosen_text(point)), "text"}});
  }
  return table.rows.empty() ? "" : html::folded("Every run, and what was chosen for it", html::table(table));
}

}  // namespace

std::string render_sweep(const ReportFolder& folder, int level) {
  const SweepGrid grid = read_grid(folder);
  std::string result = lead(folder, grid);
  if (!grid.settings.empty())
    result += html::heading(level, "Results") + (grid.drawn ? ranked_table(grid) : results_table(grid)) + plots(grid);
  if (!grid.paired.empty()) result += html::heading(level, "Paired differences");
  for (const auto& paired : grid.paired) result += paired_table(grid, paired);
  return result + points_table(folder, grid) + render_pictures(folder, level) + render_origin(folder, level);
}

}  // namespace vaetl
