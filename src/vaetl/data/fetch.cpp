#include "vaetl/data/fetch.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "vaetl/core/text.hpp"
#include "vaetl/io/download.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::data {
namespace {

namespace fs = std::filesystem;

std::string address_of(const KnownSet& set, const KnownFile& file) {
  const char* mirror = std::getenv("VAETL_MIRROR");
  if (mirror == nullptr || *mirror == 0) return file.url;
  std::string base = mirror;
  while (base.ends_with('/')) base.pop_back();
  return base + "/" + set.name + "/" + file.name;
}

bool is_there(const fs::path& path, const KnownFile& file) {
  std::error_code error;
  if (fs::file_size(path, error) != static_cast<std::uintmax_t>(file.bytes) || error) return false;
  try {
    return sha256_file(path) == file.sha256;
  } catch (const FileError&) {
    return false;  // what cannot be read is replaced
  }
}

void get(FetchedFile& entry, const fs::path& folder, const FetchOptions& options) {
  const KnownFile& file = entry.file;
  const fs::path path = folder / file.name;
  if (is_there(path, file)) {
    entry.state = Fetched::present;
    return;
  }
  DownloadOptions limits{.sha256 = file.sha256,
                         .bytes = file.bytes,
                         .max_bytes = file.bytes,
                         .connect_seconds = options.connect_seconds,
                         .stall_seconds = options.stall_seconds,
                         .progress = {},
                         .cancelled = options.cancelled};
  if (options.progress) {
    limits.progress = [&](std::int64_t done, std::int64_t total) { options.progress(file, done, total); };
  }
  try {
    download(file.url, path, limits);
    entry.state = Fetched::fetched;
  } catch (const DataError& error) {
    entry.state = Fetched::failed;
    entry.problem = error.problem;
  }
}

bool lacks(const FetchedFile& entry) { return entry.state == Fetched::failed || entry.state == Fetched::untried; }

// "get a, b from FOLDER by hand and put them into …" where all come from one folder under their own names, else each
// with its address.
std::string by_hand(const std::vector<FetchedFile>& files, const fs::path& to) {
  std::vector<std::string> names, addresses;
  std::string folder;
  bool together = true;
  for (const auto& entry : files) {
    if (!lacks(entry)) continue;
    const std::string& url = entry.file.url;
    const bool own = url.ends_with("/" + entry.file.name);
    const std::string from = own ? url.substr(0, url.size() - entry.file.name.size()) : "";
    together = together && own && (names.empty() || from == folder);
    folder = from;
    names.push_back(entry.file.name);
    addresses.push_back(own ? url : url + " as " + entry.file.name);
  }
  return fmt::format("get {} by hand and put {} into {}",
                     together && names.size() > 1 ? join(names) + " from " + folder : join(addresses),
                     names.size() > 1 ? "them" : "it", to.string());
}

}  // namespace

const char* text_of(Fetched state) {
  constexpr const char* texts[] = {"fetched", "present", "failed", "not tried"};
  return texts[static_cast<int>(state)];
}

std::int64_t total_bytes(const KnownSet& set) {
  return std::accumulate(set.files.begin(), set.files.end(), std::int64_t{0},
                         [](std::int64_t sum, const KnownFile& file) { return sum + file.bytes; });
}

bool FetchReport::complete() const { return std::none_of(files.begin(), files.end(), lacks); }

void FetchReport::check() const {
  const auto failed =
      std::find_if(files.begin(), files.end(), [](const FetchedFile& entry) { return entry.state == Fetched::failed; });
  if (failed == files.end()) return;
  throw DataError({set, fmt::format("{} with SHA-256 {}", failed->file.name, failed->file.sha256),
                   failed->problem.found, by_hand(files, folder)});
}

FetchReport fetch(const KnownSet& set, const FetchOptions& options) {
  FetchReport report{
      .set = set.name, .folder = options.folder.empty() ? user_folder(set) : options.folder, .files = {}};
  if (!set.can_fetch()) {
    throw ConfigError({set.name, "a set with public addresses", "none for this one",
                       fmt::format("{}; its folder: {}", set.by_hand, report.folder.string())});
  }
  for (const auto& file : set.files) {
    report.files.push_back({.file = file});
    report.files.back().file.url = address_of(set, file);
  }
  for (auto& entry : report.files) {
    get(entry, report.folder, options);
    if (entry.state == Fetched::failed) break;
  }
  return report;
}

}  // namespace vaetl::data
