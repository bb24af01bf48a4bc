#include "vaetl/report/curves.hpp"

#include <algorithm>

#include "vaetl/report/html.hpp"
#include "vaetl/report/section.hpp"

namespace vaetl {
namespace {

constexpr std::string_view held = "validation.";
constexpr std::size_t most_points = 300;  // more than a drawing of this width can show

Quantity& quantity(std::vector<Quantity>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Quantity& q) { return q.name == name; });
  return found != all.end() ? *found : all.emplace_back(Quantity{std::string(name), {}, {}});
}

bool is_measured(std::string_view key) {
  return key != "epoch" && key != "step" && key != "seconds" && key != "samples_per_second";
}

}  // namespace

std::vector<Quantity> read_curves(const ReportFolder& folder) {
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

PlotLine curve_line(const std::string& name, const Curve& curve) {
  PlotLine result{name, {}};
  for (const auto& [x, y] : curve) result.points.push_back({.x = x, .y = y});
  result.points = thin(result.points, most_points);
  return result;
}

bool is_schedule_without_change(const Quantity& q) {
  const auto first = q.train.begin();
  return q.name == "lr_factor" &&
         std::all_of(first, q.train.end(), [&](const auto& point) { return point.second == first->second; });
}

namespace {

std::string plot(const Quantity& q) {
  if (is_schedule_without_change(q)) return {};
  const bool validation_only = q.train.empty();
  return render_plot({.title = q.name + (validation_only ? " (validation)" : ""),
                      .x_label = "step",
                      .y_label = {},
                      .colour = validation_only ? 1 : 0,
                      .lines = {curve_line("train", q.train), curve_line("validation", q.validation)}});
}

}  // namespace

std::string render_curves(const ReportFolder& folder, int level) {
  std::string plots;
  for (const Quantity& q : read_curves(folder)) plots += plot(q);
  if (plots.empty()) return {};
  return html::heading(level, "Training") + html::tag("div", "\n" + plots, "class=\"plots\"") + "\n";
}

}  // namespace vaetl
