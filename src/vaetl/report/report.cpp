#include "vaetl/report/report.hpp"

#include <fmt/format.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/report/compare.hpp"
#include "vaetl/report/html.hpp"
#include "vaetl/report/section.hpp"

namespace vaetl {
namespace {

std::string section(const ReportFolder& folder, int level) {
  return folder.kind == ReportFolder::Kind::sweep ? render_sweep(folder, level) : render_run(folder, level);
}

std::string compare(const std::vector<ReportFolder>& folders) {
  const auto names = part_names(folders);
  std::string body =
      render_results(folders, names) + render_joint_curves(folders, names) + render_differences(folders, names);
  for (std::size_t i = 0; i < folders.size(); ++i) {
    body += html::tag("section", "\n" + html::heading(2, names[i]) + section(folders[i], 3),
                      fmt::format("class=\"part\" id=\"part-{}\"", i + 1)) +
            "\n";
  }
  return body;
}

}  // namespace

std::string render_report(const std::vector<std::filesystem::path>& paths, const std::string& title) {
  if (paths.empty()) throw ConfigError({"report", "at least one run or sweep folder", "none", {}});
  std::vector<ReportFolder> folders;
  std::vector<std::string> names;
  for (const auto& path : paths) names.push_back(folders.emplace_back(read_folder(path)).name);
  const std::string head = title.empty() ? join(names) : title;
  const std::string body = folders.size() == 1 ? section(folders.front(), 2) : compare(folders);
  return html::page(head, html::heading(1, head) + body);
}

}  // namespace vaetl
