// The files of a known set from the addresses that it names, each checked by its SHA-256. Archives stay as they are:
// the readers read them.
//
//   const auto report = data::fetch(*data::find_known("mnist"));
//   report.check();                        // DataError: one line that says what to get by hand and where to put it
//   auto mnist = data::open("mnist");
//
// VAETL_MIRROR, an address such as http://mirror.example/sets, stands in for the sources: file F of set NAME is then
// got from $VAETL_MIRROR/NAME/F. The checksums stay the same.
#pragma once
#include <functional>

#include "vaetl/core/error.hpp"
#include "vaetl/data/known_sets.hpp"

namespace vaetl::data {

struct FetchOptions {
  std::filesystem::path folder = {};  // empty: user_folder(set), where open() finds it
  std::function<void(const KnownFile&, std::int64_t done, std::int64_t total)> progress = {};  // bytes of one file
  std::function<bool()> cancelled = {};
  std::int64_t connect_seconds = 15, stall_seconds = 30;  // see DownloadOptions
};

enum class Fetched { fetched, present, failed, untried };  // untried: a file before it failed
const char* text_of(Fetched state);

struct FetchedFile {
  KnownFile file = {};  // its url the one that was used
  Fetched state = Fetched::untried;
  Problem problem = {};  // where it failed
};

struct FetchReport {
  std::string set = {};
  std::filesystem::path folder = {};
  std::vector<FetchedFile> files = {};
  bool complete() const;  // every file is there
  void check() const;     // DataError unless complete
};

std::int64_t total_bytes(const KnownSet& set);  // of its files; with the licence, what a person should know first

// Gets what is absent from the folder or differs from its checksum; the first failure ends it, what was got stays.
// ConfigError for a set that has no public address: it says where it comes from. OutputError: the folder or the disk.
// Error with Exit::interrupted: cancelled.
FetchReport fetch(const KnownSet& set, const FetchOptions& options = {});

}  // namespace vaetl::data
