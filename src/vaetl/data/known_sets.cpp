#include "vaetl/data/known_sets.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace vaetl::data {
namespace {

namespace fs = std::filesystem;

constexpr int most_entries = 10000, deepest = 2;  // of a folder of VAETL_DATA that is searched

// An empty variable counts as an absent one.
const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != 0 ? value : nullptr;
}

std::vector<fs::path> search_path() {
  const char* value = variable("VAETL_DATA");
  std::vector<fs::path> folders;
  std::istringstream list(value != nullptr ? value : "");
  for (std::string folder; std::getline(list, folder, ':');) {
    const fs::path path = folder;
    if (!folder.empty()) folders.push_back(path.has_filename() ? path : path.parent_path());
  }
  return folders;
}

// What a fetch that failed leaves behind is hidden.
bool has_files(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->path().filename().string().starts_with('.')) return true;
  }
  return false;
}

bool has_path(const fs::path& folder, const Json& reader) {
  std::error_code ignored;
  const std::string path = reader.value("path", std::string());
  return path.empty() ? has_files(folder) : fs::exists(folder / path, ignored);
}

bool has_first_file(const fs::path& folder, const KnownSet& set) {
  std::error_code error;
  return !set.files.empty() &&
         fs::file_size(folder / set.files[0].name, error) == static_cast<std::uintmax_t>(set.files[0].bytes) && !error;
}

// Whether it can be read from the folder in any of its forms.
bool has_any_form(const fs::path& folder, const KnownSet& set) {
  return has_path(folder, set.reader) ||
         std::any_of(set.also.begin(), set.also.end(), [&](const Json& other) { return has_path(folder, other); });
}

std::vector<fs::path> folders_of(const fs::path& folder, int& budget) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end && budget > 0; it.increment(error)) {
    --budget;
    std::error_code ignored;
    if (it->is_directory(ignored)) folders.push_back(it->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::optional<fs::path> search(const fs::path& root, const KnownSet& set) {
  if (has_any_form(root / set.name, set)) return root / set.name;
  if (has_first_file(root, set) || (root.filename() == set.name && has_any_form(root, set))) return root;
  int budget = most_entries;
  std::vector<fs::path> level = {root};
  for (int depth = 1; depth <= deepest; ++depth) {
    std::vector<fs::path> below;
    for (const auto& folder : level) {
      for (auto& found : folders_of(folder, budget)) below.push_back(std::move(found));
    }
    for (const auto& folder : below) {
      if (has_first_file(folder, set)) return folder;
    }
    level = std::move(below);
  }
  return std::nullopt;
}

}  // namespace

const KnownSet* find_known(const std::string& name) {
  const auto& sets = known_sets();
  const auto found = std::find_if(sets.begin(), sets.end(), [&](const KnownSet& set) { return set.name == name; });
  return found == sets.end() ? nullptr : &*found;
}

fs::path user_folder(const KnownSet& set) {
  const char* data = variable("XDG_DATA_HOME");
  const char* home = variable("HOME");
  const fs::path base = data != nullptr ? fs::path(data) : fs::path(home != nullptr ? home : "/") / ".local/share";
  return base / "vaetl" / "data" / set.name;
}

std::vector<fs::path> candidates(const KnownSet& set) {
  std::vector<fs::path> folders;
  for (const auto& folder : search_path()) folders.push_back(folder / set.name);
  folders.push_back(user_folder(set));
  if (!set.folder.empty()) folders.emplace_back(set.folder);
  return folders;
}

std::optional<fs::path> locate(const KnownSet& set) {
  for (const auto& folder : search_path()) {
    if (auto found = search(folder, set)) return found;
  }
  for (const fs::path& folder : {user_folder(set), fs::path(set.folder)}) {
    if (!folder.empty() && has_any_form(folder, set)) return folder;
  }
  return std::nullopt;
}

const Json& reader_in(const KnownSet& set, const fs::path& folder) {
  if (has_path(folder, set.reader)) return set.reader;
  for (const Json& other : set.also) {
    if (has_path(folder, other)) return other;
  }
  return set.reader;
}

}  // namespace vaetl::data
