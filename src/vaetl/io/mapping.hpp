// A private, writable memory map of the first bytes of a file: pages are read when they are touched, and writing copies
// a page and never reaches the file. The file may be replaced meanwhile, but must not be shortened in place.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace vaetl {

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
