// Several folders on one page: what came out, the curves over each other, and in what their recipes differ. Internal to
// report.
#pragma once
#include <string>
#include <vector>

#include "vaetl/report/folder.hpp"

namespace vaetl {

// Names that tell the folders apart: two runs of one name get their paths besides.
std::vector<std::string> part_names(const std::vector<ReportFolder>& folders);

// A row a folder, each a link to its section "part-1", "part-2", …. The best of each metric is marked, in the direction
// that the runs wrote down, where all who have it were scored on as many examples of the same data.
std::string render_results(const std::vector<ReportFolder>& folders, const std::vector<std::string>& names);
// A plot for every quantity that two runs or more have.
std::string render_joint_curves(const std::vector<ReportFolder>& folders, const std::vector<std::string>& names);
// A row for every key of the resolved recipes whose values are not all alike.
std::string render_differences(const std::vector<ReportFolder>& folders, const std::vector<std::string>& names);

}  // namespace vaetl
