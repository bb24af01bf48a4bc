// Entries to and from a place where they are exchanged: a folder, or an http(s) address, with an index (zoo/index.hpp).
// A version that is there never changes.
//
//   zoo::pull("fashion-mnist-simclr", "https://example.org/zoo");   // then zoo::load("fashion-mnist-simclr")
//   zoo::push("my-classifier", "/srv/zoo");                         // any web server may serve that folder
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "vaetl/zoo/index.hpp"

namespace vaetl::zoo {

struct ExchangeOptions {
  std::int64_t max_bytes = std::int64_t{1} << 30;  // of all files of an entry that is pulled
  bool replace = false;  // another entry of that name in the zoo is replaced by the pulled one
  std::function<void(const std::string& file, std::int64_t done, std::int64_t total)> progress = {};
  std::function<bool()> cancelled = {};
};

struct Exchanged {
  std::string name = {}, version = {}, place = {};  // the entry's folder, or its address
  std::int64_t bytes = 0;                           // that travelled
  bool was_there = false;                           // the same content: nothing was done
};

// FileError: no such place, or no index in it.
Index index_of(const std::string& address);

// The newest version of NAME, or NAME@VERSION, into the first writable folder of the search path, and the base of a
// delta before it where the zoo lacks it. Every file is held against the index, the entry against all that its card
// promises, before it takes its place in one step. What has arrived when a download breaks off is gone on from by the
// next call. FileError: no connection, no such entry, damaged or larger than allowed; another entry of that name in the
// zoo. Error with Exit::interrupted: cancelled.
Exchanged pull(const std::string& reference, const std::string& address, const ExchangeOptions& options = {});

// An entry that passes every check, under its card's name and version; over http by PUT, the index last. FileError: an
// entry that is not whole, a delta whose base is not there, that version with another content. OutputError: the place
// does not take it. One writer at a time has a folder's index; of an http address nobody else should write meanwhile.
Exchanged push(const std::string& reference, const std::string& address, const ExchangeOptions& options = {});

}  // namespace vaetl::zoo
