// A file descriptor that closes itself, and the loops that POSIX leaves to its callers. Used inside io only.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "vaetl/core/error.hpp"

namespace vaetl {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  int close();  // 0, or the error number: a network file system reports a full disk only here

 private:
  int fd_ = -1;
};

// Opens for reading without blocking on a pipe that has no writer. On failure the result is empty and errno says why.
Descriptor open_to_read(const std::filesystem::path& path);

// Opens a regular file and tells its size, or says what is wrong with it: what is a FileError for weights is a
// DataError for an image.
std::optional<Problem> open_regular(const std::filesystem::path& path, Descriptor& file, std::uint64_t& size);

// Reads until `size` bytes or the end of the file; -1 sets errno.
std::int64_t read_fully(int fd, void* to, std::size_t size);

// Writes everything; 0 or the error number.
int write_fully(int fd, const void* from, std::size_t size);
int write_fully_at(int fd, std::uint64_t offset, const void* from, std::size_t size);  // leaves the position alone

// Reads a whole regular file into `bytes`, or says what is wrong with it.
std::optional<Problem> slurp(const std::filesystem::path& path, std::size_t max_bytes, std::string& bytes);

// "No space left on device" for ENOSPC.
std::string errno_text(int code);

}  // namespace vaetl
