// A private, writable memory map of the first bytes of a file: pages are read when they are touched, and writing copies
// a page and never reaches the file. Where a limit on a process's data (RLIMIT_DATA), which counts all that could be
// written to, leaves no room for that, it may only be read. The file may be replaced meanwhile, but must not be
// shortened in place.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace vaetl {

// Null, and errno, when the system refuses.
void* map_privately(int fd, std::size_t size);

class Mapping {
 public:
  // `size` above 0. FileError that begins with `where` when the system refuses.
  Mapping(int fd, std::size_t size, const std::string& where);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  char* data() const { return static_cast<char*>(address_); }
  std::string_view bytes() const { return {data(), size_}; }

 private:
  void* address_;
  std::size_t size_;
};

}  // namespace vaetl
