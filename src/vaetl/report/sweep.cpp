#include "vaetl/report/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "vaetl/core/text.hpp"
#include "vaetl/report/html.hpp"

namespace vaetl {
namespace {

template <class T>
std::size_t index_of(std::vector<T>& all, const T& item) {
  const auto found = std::find(all.begin(), all.end(), item);
  if (found != all.end()) return static_cast<std::size_t>(found - all.begin());
  all.push_back(item);
  return all.size() - 1;
}

std::optional<SweepCell> read_cell(const JsonView& entry) {
  const auto mean = entry.number("mean");
  if (!mean) return {};
  return SweepCell{*mean, entry.number("spread"), entry.number("low"), entry.number("high"),
                   entry.number("n").value_or(0)};
}

// Puts the entry at its way and setting; rows grow as settings and ways turn up.
void place(SweepGrid& grid, std::vector<SweepGrid::Row>& rows, const JsonView& entry) {
  const std::size_t way = index_of(grid.ways, entry.text("way"));
  const std::size_t setting = index_of(grid.settings, entry.object("vary").json());
  if (rows.size() <= way) rows.resize(way + 1);
  if (rows[way].size() <= setting) rows[way].resize(setting + 1);
  rows[way][setting] = read_cell(entry);
}

void square(const SweepGrid& grid, std::vector<SweepGrid::Row>& rows) {
  rows.resize(grid.ways.size());
  for (auto& row : rows) row.resize(grid.settings.size());
}

}  // namespace

MetricText SweepGrid::text() const {
  double largest = 0;
  for (const auto& row : results) {
    for (const auto& cell : row) largest = std::max(largest, cell ? std::abs(cell->mean) : 0);
  }
  return MetricText(metric, largest);
}

SweepGrid read_grid(const ReportFolder& folder) {
  const JsonView sweep = folder.view();
  SweepGrid grid;
  grid.metric = sweep.text("metric");
  grid.higher_is_better = sweep.flag("higher_is_better", true);
  grid.drawn = sweep.number("drawn").has_value();
  grid.ways = sweep.texts("ways");
  for (const auto& [key, values] : sweep.object("vary").json().items()) grid.keys.push_back(key);
  for (const JsonView& entry : sweep.objects("summary")) place(grid, grid.results, entry);
  for (const JsonView& entry : sweep.objects("paired")) {
    const std::string against = entry.text("against");
    auto found =
        std::find_if(grid.paired.begin(), grid.paired.end(), [&](const auto& p) { return p.against == against; });
    if (found == grid.paired.end()) found = grid.paired.insert(found, {against, {}});
    place(grid, found->rows, entry);
  }
  square(grid, grid.results);
  for (auto& paired : grid.paired) square(grid, paired.rows);
  return grid;
}

std::string value_text(const Json& value) {
  if (value.is_number()) return html::number(value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string key_label(const std::string& key) { return key == "data.take_per_class" ? "labels a class" : key; }

std::string setting_label(const SweepGrid& grid, const Json& setting) {
  if (setting.empty()) return "all";
  if (setting.size() == 1 && grid.keys.size() <= 1) return value_text(setting.begin().value());
  std::vector<std::string> parts;
  for (const auto& [key, value] : setting.items())
    parts.push_back(fmt::format("{} {}", key_label(key), value_text(value)));
  return join(parts);
}

std::string setting_sentence(const SweepGrid& grid, const Json& setting) {
  if (setting.size() != 1 || grid.keys.size() > 1) return setting_label(grid, setting);
  const std::string value = setting_label(grid, setting);
  if (setting.begin().key() == "data.take_per_class")
    return value + (value == "1" ? " label a class" : " labels a class");
  return fmt::format("{} = {}", setting.begin().key(), value);
}

std::vector<std::optional<std::size_t>> best_ways(const SweepGrid& grid) {
  std::vector<std::optional<std::size_t>> best(grid.settings.size());
  for (std::size_t way = 0; way < grid.results.size(); ++way) {
    for (std::size_t i = 0; i < best.size(); ++i) {
      const auto& cell = grid.results[way][i];
      if (cell && (!best[i] || grid.better(cell->mean, grid.results[*best[i]][i]->mean))) best[i] = way;
    }
  }
  return best;
}

}  // namespace vaetl
