// A run folder: what it holds, who works in it. Internal to recipe.
#pragma once
#include <filesystem>
#include <string>

#include "vaetl/core/json.hpp"
#include "vaetl/io/descriptor.hpp"

namespace vaetl::recipe {

// One process at a time: the folder itself is locked, so nothing is left behind; it ends with the process.
class FolderLock {
 public:
  FolderLock() = default;
  explicit FolderLock(const std::filesystem::path& folder);  // OutputError where another process holds it

 private:
  Descriptor folder_;
};

// Where two JSON values differ first: "trainer.steps: 100 and 200"; empty where they are equal.
std::string first_difference(const Json& a, const Json& b, const std::string& path = {});

enum class Found { nothing, unfinished, finished };

// What `folder` holds of a run of this recipe. OutputError for what a new run would overwrite and a resumed one cannot
// go on from; ConfigError where the run there is another recipe's; FileError where there must be one and is none.
Found inspect(const std::filesystem::path& folder, const Json& recipe, const std::string& resume);

// A folder that is claimed for a run: created, locked, inspected. One that was made and left empty is removed again.
class RunFolder {
 public:
  RunFolder(std::filesystem::path path, const Json& recipe, const std::string& resume);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  bool given() const { return !path_.empty(); }  // else nothing is written
  bool finished() const { return found_ == Found::finished; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool made_ = false;
  FolderLock lock_;
  Found found_ = Found::nothing;
};

// A JSON object of a file that a run wrote; FileError where it is not one.
Json read_run_json(const std::filesystem::path& file);
void write_run_json(const std::filesystem::path& file, const Json& json);

}  // namespace vaetl::recipe
