#include "vaetl/io/mapping.hpp"

#include <sys/mman.h>

#include <cerrno>

#include "vaetl/core/error.hpp"
#include "vaetl/io/descriptor.hpp"

namespace vaetl {

void* map_privately(int fd, std::size_t size) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
  if (address == MAP_FAILED && errno == ENOMEM) address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  return address == MAP_FAILED ? nullptr : address;
}

Mapping::Mapping(int fd, std::size_t size, const std::string& where) : address_(map_privately(fd, size)), size_(size) {
  if (address_ != nullptr) return;
  throw FileError({.where = where,
                   .expected = fmt::format("to map {} bytes", size),
                   .found = "\"" + errno_text(errno) + "\"",
                   .remedy = "free some memory"});
}

Mapping::~Mapping() { ::munmap(address_, size_); }

}  // namespace vaetl
