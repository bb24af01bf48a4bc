#include <algorithm>
#include <map>

#include "vaetl/report/html.hpp"
#include "vaetl/report/plot.hpp"
#include "vaetl/report/section.hpp"

namespace vaetl {
namespace {

constexpr std::string_view held = "validation.";
constexpr std::size_t most_points = 300;  // more than a drawing of this width can show

using Curve = std::map<double, double>;  // a resumed run repeats steps: the last line about one counts

struct Quantity {
  std::string name;
  Curve train, validation;
};

Quantity& quantity(std::vector<Quantity>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Quantity& q) { return q.name == name; });
  return found != all.end() ? *found : all.emplace_back(Quantity{std::string(name), {}, {}});
}

bool is_measured(std::string_view key) {
  return key != "epoch" && key != "step" && key != "seconds" && key != "samples_per_second";
}

// Every number of the log by quantity, in order of first appearance; the whole loss leads.
std::vector<Quantity> collect(const ReportFolder& folder) {
  std::vector<Quantity> all = {{"loss", {}, {}}};
  for (std::size_t i = 0; i < folder.log.size(); ++i) {
    const JsonView line(folder.log[i], (folder.path / "metrics.jsonl").string());
    const double x = line.number("step").value_or(static_cast<double>(i));
    for (const auto& [key, value] : folder.log[i].items()) {
      const std::string_view name = key;
      if (!is_measured(name) || !value.is_number()) continue;
      const auto y = line.number(name);
      if (!y) continue;
      const bool validation = name.starts_with(held);
      Quantity& q = quantity(all, validation ? name.substr(held.size()) : name);
      (validation ? q.validation : q.train)[x] = *y;
    }
  }
  // An objective of one term: its loss would be drawn twice.
  const Quantity loss = all.front();
  const bool again = std::any_of(all.begin() + 1, all.end(), [&](const Quantity& q) {
    return q.train == loss.train && (loss.validation.empty() || q.validation == loss.validation);
  });
  if (again) all.erase(all.begin());
  return all;
}

PlotLine line(const std::string& name, const Curve& curve) {
  PlotLine result{name, {}};
  for (const auto& [x, y] : curve) result.points.push_back({.x = x, .y = y});
  result.points = thin(result.points, most_points);
  return result;
}

bool is_constant(const Curve& curve) {
  return std::all_of(curve.begin(), curve.end(),
                     [&](const auto& point) { return point.second == curve.begin()->second; });
}

std::string plot(const Quantity& q) {
  if (q.name == "lr_factor" && is_constant(q.train)) return {};  // no schedule, nothing to see
  const bool validation_only = q.train.empty();
  return render_plot({.title = q.name + (validation_only ? " (validation)" : ""),
                      .x_label = "step",
                      .y_label = {},
                      .colour = validation_only ? 1 : 0,
                      .lines = {line("train", q.train), line("validation", q.validation)}});
}

}  // namespace

std::string render_curves(const ReportFolder& folder, int level) {
  std::string plots;
  for (const Quantity& q : collect(folder)) plots += plot(q);
  if (plots.empty()) return {};
  return html::heading(level, "Training") + html::tag("div", "\n" + plots, "class=\"plots\"") + "\n";
}

}  // namespace vaetl
