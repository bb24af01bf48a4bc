// How values of a metric are written: shares as per cent with one decimal, all else with four significant digits.
#pragma once
#include <optional>
#include <string>

namespace vaetl {

class MetricText {
 public:
  // With `largest`, the greatest value of a table, all of the table gets the decimals that suit it.
  explicit MetricText(std::string metric, std::optional<double> largest = {});
  std::string value(double v) const;       // 72.9
  std::string difference(double v) const;  // +2.4
  std::string with_unit(double v) const;   // 72.9 %
  std::string name() const;                // "accuracy (%)"
  std::string points() const;              // the unit of a difference, in words; empty without one
  double scale(double v) const { return percent_ ? 100 * v : v; }

 private:
  std::string metric_;
  bool percent_;
  std::optional<int> decimals_;
};

}  // namespace vaetl
