#include "vaetl/io/mapping.hpp"

#include <sys/mman.h>

#include <cerrno>

#include "vaetl/core/error.hpp"
#include "vaetl/io/descriptor.hpp"

namespace vaetl {

Mapping::Mapping(int fd, std::size_t size, const std::string& where) : size_(size) {
  address_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
  if (address_ != MAP_FAILED) return;
  throw FileError({.where = where,
                   .expected = fmt::format("to map {} bytes", size),
                   .found = "\"" + errno_text(errno) + "\"",
                   .remedy = "free some memory"});
}

Mapping::~Mapping() { ::munmap(address_, size_); }

}  // namespace vaetl
