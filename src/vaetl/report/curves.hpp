// What a run's metrics.jsonl holds, by quantity. Internal to report.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "vaetl/report/folder.hpp"
#include "vaetl/report/plot.hpp"

namespace vaetl {

using Curve = std::map<double, double>;  // value by step; a resumed run repeats steps: the last line about one counts

struct Quantity {
  std::string name;
  Curve train, validation;
};

// Every number of the log, in order of first appearance; the whole loss leads.
std::vector<Quantity> read_curves(const ReportFolder& folder);
// With as many points as a drawing can show.
PlotLine curve_line(const std::string& name, const Curve& curve);
bool is_schedule_without_change(const Quantity& quantity);  // nothing to see

}  // namespace vaetl
