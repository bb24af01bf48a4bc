// Pages for people: one self-contained HTML file from run and sweep folders, read as plain files (recipe.json,
// run.json, metrics.jsonl, sweep.json, pictures/*.png).
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace vaetl {

// One page over several folders, in their order; FileError for a folder that is neither a run nor a sweep.
std::string render_report(const std::vector<std::filesystem::path>& folders, const std::string& title = {});

}  // namespace vaetl
