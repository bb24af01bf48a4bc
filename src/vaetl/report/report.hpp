// Pages for people: one self-contained HTML file from run and sweep folders, read as plain files (recipe.json,
// run.json, metrics.jsonl, views.json, sweep.json, pictures/*.png). One folder's page tells all of it; of several the
// page begins with what compares them.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace vaetl {

// One page over several folders, in their order; FileError for a folder that is neither a run nor a sweep.
std::string render_report(const std::vector<std::filesystem::path>& folders, const std::string& title = {});

}  // namespace vaetl
