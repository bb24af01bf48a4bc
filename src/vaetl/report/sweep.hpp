// A sweep as a grid: ways by settings of what was varied.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vaetl/report/folder.hpp"
#include "vaetl/report/metric_text.hpp"

namespace vaetl {

struct SweepCell {
  double mean = 0;
  std::optional<double> spread;     // none of a single value
  std::optional<double> low, high;  // the 95 % interval of a paired difference
  double n = 0;
};

struct SweepGrid {
  using Row = std::vector<std::optional<SweepCell>>;  // one cell a setting
  std::string metric;
  bool higher_is_better = true;
  bool drawn = false;             // settings at random, which share few values
  std::vector<std::string> keys;  // what was varied
  std::vector<Json> settings;     // one {key: value} a column, in the sweep's own order
  std::vector<std::string> ways;
  std::vector<Row> results;  // one row a way
  struct Paired {
    std::string against;
    std::vector<Row> rows;  // one a way
  };
  std::vector<Paired> paired;  // one a baseline

  MetricText text() const;
  bool better(double a, double b) const { return higher_is_better ? a > b : a < b; }
};

SweepGrid read_grid(const ReportFolder& folder);

std::string value_text(const Json& value);
std::string key_label(const std::string& key);                             // "labels a class" for data.take_per_class
std::string setting_label(const SweepGrid& grid, const Json& setting);     // "10", or "lr 0.1, classes 10"
std::string setting_sentence(const SweepGrid& grid, const Json& setting);  // "10 labels a class"
// The index of the best way in each column; none where a column is empty.
std::vector<std::optional<std::size_t>> best_ways(const SweepGrid& grid);

}  // namespace vaetl
