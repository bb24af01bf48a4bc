// index.json of a place where zoo entries are exchanged, a folder or an http(s) address: which entries it has, in which
// versions, with every file's size and checksum. It is data only: the files of an entry lie at NAME/VERSION/FILE of
// that place, and no name in it can lead anywhere else.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vaetl/zoo/card.hpp"

namespace vaetl::zoo {

struct IndexedEntry {
  std::string name = {}, version = {}, summary = {}, licence = {};
  std::map<std::string, FileCard> files = {};
  static constexpr auto fields() {
    using E = IndexedEntry;
    return std::tuple{field("name", &E::name, "of the entry"), field("version", &E::version, "of the entry"),
                      field("summary", &E::summary, "one sentence"), field("licence", &E::licence, "of the weights"),
                      field("files", &E::files, "name → every file, the card too")};
  }
  std::int64_t bytes() const;  // of all files
};

struct Index {
  std::int64_t format_version = 1;
  std::vector<IndexedEntry> entries = {};
  static constexpr auto fields() {
    using I = Index;
    return std::tuple{field("format_version", &I::format_version, "of this file", at_least(1)),
                      field("entries", &I::entries, "by name and version")};
  }
};

constexpr const char* index_file = "index.json";
constexpr std::int64_t index_format = 1;

// FileError, beginning with `where`, for anything that is no index of a known format, or names what no entry has.
Index read_index(const std::string& text, const std::string& where);
std::string index_text(const Index& index);

// Of "NAME", the newest version, or of "NAME@VERSION". FileError, beginning with `where`, with the nearest names.
const IndexedEntry& find_entry(const Index& index, const std::string& reference, const std::string& where);

// 1.10.0 is newer than 1.9.2; parts that are no numbers are compared as text.
bool is_newer(const std::string& version, const std::string& than);

}  // namespace vaetl::zoo
