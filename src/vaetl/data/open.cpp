#include "vaetl/data/open.hpp"

#include <cstdlib>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

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

std::vector<fs::path> candidates(const KnownSet& set) {
  std::vector<fs::path> folders;
  for (const auto& folder : search_path()) {
    const fs::path own = folder.has_filename() ? folder : folder.parent_path();
    folders.push_back(own.filename() == set.name ? own : own / set.name);
  }
  if (!set.folder.empty()) folders.emplace_back(set.folder);
  return folders;
}

[[noreturn]] void throw_absent(const KnownSet& set, const std::vector<fs::path>& looked) {
  std::vector<std::string> places;
  for (const auto& folder : looked) places.push_back(folder.string());
  const std::string variable = fmt::format("set VAETL_DATA to the folder that holds {}/", set.name);
  const std::string remedy =
      set.package.empty() ? variable : fmt::format("apt-get install {}, or {}", set.package, variable);
  throw DataError(
      {set.name, "a folder with its files", places.empty() ? "VAETL_DATA not set" : "none at " + join(places), remedy});
}

Splits open_known(const KnownSet& set) {
  const auto folders = candidates(set);
  std::error_code ignored;
  for (const auto& folder : folders) {
    if (!fs::is_directory(folder, ignored)) continue;
    return open_idx(folder, {.name = set.name, .licence = set.licence, .classes = set.classes});
  }
  throw_absent(set, folders);
}

[[noreturn]] void throw_unknown(const std::string& reference) {
  std::vector<std::string> names;
  for (const auto& set : known_sets()) names.push_back(set.name);
  std::error_code ignored;
  const bool path = fs::exists(reference, ignored);
  throw ConfigError(
      {"data", fmt::format("a known set ({}) or a reference such as idx:DIR", join(names)), quote(reference),
       path ? "for a folder of IDX files write " + quote("idx:" + reference) : did_you_mean(reference, names)});
}

}  // namespace

const std::vector<KnownSet>& known_sets() {
  static const std::vector<KnownSet> sets = {
      {.name = "fashion-mnist",
       .licence = "MIT",
       .package = "dataset-fashion-mnist",
       .folder = "/usr/share/datasets/fashion-mnist",
       .classes = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                   "Ankle boot"}},
      {.name = "mnist", .classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}}};
  return sets;
}

Splits open(const std::string& reference) {
  for (const auto& set : known_sets()) {
    if (set.name == reference) return open_known(set);
  }
  const auto colon = reference.find(':');
  if (colon == std::string::npos) throw_unknown(reference);
  const std::string kind = reference.substr(0, colon), path = reference.substr(colon + 1);
  const std::vector<std::string> kinds = {"idx"};
  if (kind != kinds[0]) {
    throw ConfigError({"data", "a kind of data: " + join(kinds), quote(kind), did_you_mean(kind, kinds)});
  }
  if (path.empty()) throw ConfigError({"data", "a folder after \"idx:\"", "nothing", {}});
  return open_idx(path);
}

}  // namespace vaetl::data
