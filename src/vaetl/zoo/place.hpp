// A place where entries are exchanged, by files: a folder, or an http(s) address. Internal to zoo.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "vaetl/zoo/exchange.hpp"

namespace vaetl::zoo {

class Place {
 public:
  virtual ~Place() = default;
  virtual std::string address_of(const std::string& file) const = 0;  // "NAME/VERSION/FILE", "index.json"
  virtual std::optional<std::string> index() = 0;                     // none: there is none
  // Into the file `to`; with what is there of an earlier attempt where that is possible.
  virtual void get(const std::string& file, const FileCard& told, const std::filesystem::path& to,
                   const ExchangeOptions& options) = 0;
  // The entry's files from their folder, then the index that `add` makes of the present one.
  virtual void put(const IndexedEntry& entry, const std::filesystem::path& folder, const ExchangeOptions& options) = 0;
};

std::unique_ptr<Place> open_place(const std::string& address);

Index index_in(Place& place);  // empty where there is none
// With the entry in it, by name and version.
Index with_entry(Index index, const IndexedEntry& entry);
std::string path_in_place(const IndexedEntry& entry, const std::string& file);

}  // namespace vaetl::zoo
