#include "vaetl/report/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vaetl/core/error.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/report/html.hpp"
#include "vaetl/report/metric_text.hpp"
#include "vaetl/report/section.hpp"
#include "vaetl/report/sweep.hpp"

namespace vaetl {
namespace {

// Metrics of all runs, in order of first appearance.
std::vector<std::string> all_metrics(const std::vector<ReportFolder>& folders) {
  std::vector<std::string> names;
  for (const ReportFolder& folder : folders) {
    if (folder.kind != ReportFolder::Kind::run) continue;
    const JsonView metrics = folder.view().object("metrics");
    for (const auto& [name, unread] : metrics.json().items()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

std::string what(const ReportFolder& folder) {
  if (folder.kind == ReportFolder::Kind::run) return folder.view().object("model").text("name");
  return fmt::format("sweep of {} ways", read_grid(folder).ways.size());
}

std::vector<html::Table::Cell> comparison_row(const ReportFolder& folder, std::size_t part,
                                              const std::vector<std::string>& metrics) {
  const JsonView view = folder.view();
  const auto steps = view.number("steps"), seconds = view.number("seconds");
  std::vector<html::Table::Cell> row = {
      {html::tag("a", html::escape(folder.name), fmt::format("href=\"#part-{}\"", part))},
      {html::escape(what(folder)), "text"},
      {html::escape(describe_data(folder)), "text"},
      {steps ? html::number(*steps) : "–"},
      {seconds ? duration(*seconds) : "–"}};
  for (const std::string& metric : metrics) {
    const auto value = view.object("metrics").number(metric);
    row.push_back({value ? MetricText(metric).value(*value) : "–"});
  }
  return row;
}

std::string section(const ReportFolder& folder, int level) {
  return folder.kind == ReportFolder::Kind::sweep ? render_sweep(folder, level) : render_run(folder, level);
}

}  // namespace

std::string render_comparison(const std::vector<ReportFolder>& folders) {
  const auto metrics = all_metrics(folders);
  html::Table table{.caption = "All parts of this page",
                    .columns = {{"run"}, {"model", "text"}, {"data", "text"}, {"steps"}, {"time"}}};
  for (const std::string& metric : metrics) table.columns.push_back({html::breakable(MetricText(metric).name())});
  for (std::size_t i = 0; i < folders.size(); ++i) table.rows.push_back(comparison_row(folders[i], i + 1, metrics));
  return html::table(table);
}

std::string render_report(const std::vector<std::filesystem::path>& paths, const std::string& title) {
  if (paths.empty()) throw ConfigError({"report", "at least one run or sweep folder", "none", {}});
  std::vector<ReportFolder> folders;
  std::vector<std::string> names;
  for (const auto& path : paths) names.push_back(folders.emplace_back(read_folder(path)).name);
  const std::string head = title.empty() ? join(names) : title;
  std::string body = html::heading(1, head);
  if (folders.size() == 1) return html::page(head, body + section(folders.front(), 2));
  body += render_comparison(folders);
  for (std::size_t i = 0; i < folders.size(); ++i) {
    body += html::tag("section", "\n" + html::heading(2, names[i]) + section(folders[i], 3),
                      fmt::format("class=\"part\" id=\"part-{}\"", i + 1)) +
            "\n";
  }
  return html::page(head, body);
}

}  // namespace vaetl
