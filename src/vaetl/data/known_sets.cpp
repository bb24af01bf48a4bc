#include "vaetl/data/known_sets.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace vaetl::data {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> search_path() {
  const char* value = std::getenv("VAETL_DATA");
  std::vector<fs::path> folders;
  std::istringstream list(value != nullptr ? value : "");
  for (std::string folder; std::getline(list, folder, ':');) {
    if (!folder.empty()) folders.emplace_back(folder);
  }
  return folders;
}

// F/NAME, or F itself where it has that name or holds the set's first file.
fs::path within(const fs::path& folder, const KnownSet& set) {
  const fs::path own = folder.has_filename() ? folder : folder.parent_path();
  std::error_code ignored;
  const bool holds = !set.files.empty() && fs::exists(own / set.files[0].name, ignored);
  return own.filename() == set.name || (holds && !fs::is_directory(own / set.name, ignored)) ? own : own / set.name;
}

}  // namespace

const std::vector<KnownSet>& known_sets() {
  static const std::vector<KnownSet> sets = {{.name = "fashion-mnist",
                                              .summary = "clothes, 28×28 grey",
                                              .licence = "MIT",
                                              .package = "dataset-fashion-mnist",
                                              .folder = "/usr/share/datasets/fashion-mnist",
                                              .classes = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                                          "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"},
                                              .reader = {{"name", "idx"}}},
                                             {.name = "mnist",
                                              .summary = "handwritten digits, 28×28 grey",
                                              .classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
                                              .reader = {{"name", "idx"}}}};
  return sets;
}

const KnownSet* find_known(const std::string& name) {
  const auto& sets = known_sets();
  const auto found = std::find_if(sets.begin(), sets.end(), [&](const KnownSet& set) { return set.name == name; });
  return found == sets.end() ? nullptr : &*found;
}

fs::path user_folder(const KnownSet& set) {
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base =
      data != nullptr && *data != 0 ? fs::path(data) : fs::path(home != nullptr ? home : "/") / ".local/share";
  return base / "vaetl" / "data" / set.name;
}

std::vector<fs::path> candidates(const KnownSet& set) {
  std::vector<fs::path> folders;
  for (const auto& folder : search_path()) folders.push_back(within(folder, set));
  folders.push_back(user_folder(set));
  if (!set.folder.empty()) folders.emplace_back(set.folder);
  return folders;
}

std::optional<fs::path> locate(const KnownSet& set) {
  const std::string path = set.reader.value("path", std::string());
  std::error_code ignored;
  for (const auto& folder : candidates(set)) {
    if (fs::exists(path.empty() ? folder : folder / path, ignored)) return folder;
  }
  return std::nullopt;
}

}  // namespace vaetl::data
