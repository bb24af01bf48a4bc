// A file from an http or https address: complete and checked under its name, or not there at all. Meanwhile what has
// arrived stands beside it in the hidden file .FILE.part, and where a checksum is given a later call goes on from
// there; a server that cannot, or whose file has changed, is read from the start.
//
//   download("https://example.org/a.gz", "data/a.gz", {.sha256 = "8d42…", .bytes = 1648877});
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace vaetl {

struct DownloadOptions {
  std::string sha256 = {};                         // 64 hexadecimal digits; empty: not checked, and never resumed
  std::int64_t bytes = 0;                          // the size it must have; 0: any
  std::int64_t max_bytes = std::int64_t{1} << 33;  // more is refused, by what the server says and as it arrives
  std::int64_t connect_seconds = 15;               // for a connection
  std::int64_t stall_seconds = 30;                 // so long below 1000 bytes a second ends it
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};  // bytes; a total of 0: unknown
  std::function<bool()> cancelled = {};                                      // asked at least about once a second
};

struct Downloaded {
  std::int64_t bytes = 0;    // of the file
  std::int64_t resumed = 0;  // so many of them had arrived before
};

// Blocks until the file is there; the folder is made. Several threads may get several files. Redirections are followed,
// to http and https alone; proxies are those of the environment (https_proxy, no_proxy). ConfigError: another kind of
// address. DataError: no connection, a refusal, an interruption (the part stays); too large, a wrong size or checksum
// (the part is removed). OutputError: the folder or the disk. Error with Exit::interrupted: cancelled, the part stays.
Downloaded download(const std::string& url, const std::filesystem::path& to, const DownloadOptions& options = {});

}  // namespace vaetl
