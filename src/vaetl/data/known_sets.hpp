// Sets that have a name: where their files are looked for, how they are read, where they can be had. The table itself
// is known_sets_table.cpp; docs/data-sets.md says what each holds.
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
  std::string url = {};   // empty: there is none; see KnownSet::by_hand
  std::string sha256 = {};
  std::int64_t bytes = 0;
};

struct KnownSet {
  std::string name = {}, summary = {}, licence = {};
  // The Debian package that has it, and where that puts it; empty: there is none.
  std::string package = {}, folder = {};
  std::vector<std::string> classes = {};
  Json reader = {};                   // {"name": KIND, "path": below the set's folder, options}
  std::vector<Json> also = {};        // readers of its other usual forms, where the first one's path is not there
  std::vector<KnownFile> files = {};  // what `vaetl-data fetch` gets; the first one tells the folder that holds it
  std::string by_hand = {};           // where it comes from, if it cannot be fetched
  bool can_fetch() const { return !files.empty() && !files.front().url.empty(); }
};

const std::vector<KnownSet>& known_sets();
const KnownSet* find_known(const std::string& name);  // null: nobody knows it

// Where a set should lie, in order: F/NAME for each folder F of VAETL_DATA (a path list); the user's own
// ($XDG_DATA_HOME or ~/.local/share, vaetl/data/NAME), which `fetch` fills; its Debian package's.
std::vector<std::filesystem::path> candidates(const KnownSet& set);
// The first folder that holds it, in this order and for VAETL_DATA with a wider look: F/NAME; F itself, if that is its
// name or the set's first file is there in its right size; then the sub-folders of F, two levels down in the order of
// their names (10,000 entries at most), by the first file alone.
std::optional<std::filesystem::path> locate(const KnownSet& set);
std::filesystem::path user_folder(const KnownSet& set);
// How the set is read that lies in `folder`: the first of reader and also whose path is there.
const Json& reader_in(const KnownSet& set, const std::filesystem::path& folder);

}  // namespace vaetl::data
