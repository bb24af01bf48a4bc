// A run or sweep folder as it lies on the disk.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "vaetl/report/json_view.hpp"

namespace vaetl {

struct Picture {
  std::string file, caption;
  std::string bytes;  // PNG
  int width = 0, height = 0;
};

struct ReportFolder {
  enum class Kind { run, sweep };
  Kind kind = Kind::run;
  std::filesystem::path path;
  std::string name;            // as the run says, or the folder's own
  Json summary;                // run.json or sweep.json
  Json recipe;                 // null where there is none
  std::vector<Json> log = {};  // metrics.jsonl
  std::vector<Picture> pictures = {};
  Json views = {};  // views.json; null where there is none

  JsonView view() const { return {summary, (path / (kind == Kind::run ? "run.json" : "sweep.json")).string()}; }
  JsonView view_of(const std::string& key) const;  // a part of views.json; empty where it is not there
};

// FileError for a folder that is absent or neither, and for files that do not hold what they should. A last line of
// metrics.jsonl that a crash cut short is passed over.
ReportFolder read_folder(const std::filesystem::path& path);

}  // namespace vaetl
