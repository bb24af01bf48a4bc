// Sets that have a name: where their files are looked for, how they are read, where they can be had.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/core/json.hpp"

namespace vaetl::data {

// One file of a set as its source publishes it.
struct KnownFile {
  std::string name = {};  // below the set's folder
  std::string url = {};
  std::string sha256 = {};
  std::int64_t bytes = 0;
};

struct KnownSet {
  std::string name = {}, summary = {}, licence = {};
  std::string package = {},
              folder = {};  // the Debian package that has it, and where that puts it; empty: there is none
  std::vector<std::string> classes = {};
  Json reader = {};                   // {"name": KIND, "path": below the set's folder, options}
  std::vector<KnownFile> files = {};  // what `vaetl-data fetch` gets; empty: it cannot be fetched
};

const std::vector<KnownSet>& known_sets();
const KnownSet* find_known(const std::string& name);  // null: nobody knows it

// Folders in which a set may lie, in order: each folder F of VAETL_DATA (a path list) as F/NAME, or F itself where it
// has that name or holds the set's first file; the user's own ($XDG_DATA_HOME or ~/.local/share, vaetl/data/NAME),
// which `fetch` fills; its Debian package's.
std::vector<std::filesystem::path> candidates(const KnownSet& set);
std::optional<std::filesystem::path> locate(const KnownSet& set);  // the first that holds it
std::filesystem::path user_folder(const KnownSet& set);

}  // namespace vaetl::data
