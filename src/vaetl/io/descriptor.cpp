#include "vaetl/io/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace vaetl {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

Descriptor::~Descriptor() { close(); }

int Descriptor::release() { return std::exchange(fd_, -1); }

int Descriptor::close() {
  if (fd_ < 0) return 0;
  return ::close(release()) == 0 || errno == EINTR ? 0 : errno;
}

Descriptor open_to_read(const std::filesystem::path& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

std::int64_t read_fully(int fd, void* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(fd, static_cast<char*>(to) + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return static_cast<std::int64_t>(done);
}

int write_fully(int fd, const void* from, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::write(fd, static_cast<const char*>(from) + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    done += static_cast<std::size_t>(count);
  }
  return 0;
}

int write_fully_at(int fd, std::uint64_t offset, const void* from, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count =
        ::pwrite(fd, static_cast<const char*>(from) + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    done += static_cast<std::size_t>(count);
  }
  return 0;
}

std::optional<Problem> open_regular(const std::filesystem::path& path, Descriptor& file, std::uint64_t& size) {
  auto problem = [&](const char* expected, std::string found) {
    return Problem{.where = path.string(), .expected = expected, .found = std::move(found)};
  };
  file = open_to_read(path);
  struct stat status = {};
  if (!file || ::fstat(file.get(), &status) != 0) return problem("a readable file", "\"" + errno_text(errno) + "\"");
  if (!S_ISREG(status.st_mode)) {
    return problem("a regular file", S_ISDIR(status.st_mode) ? "a folder" : "a device or a pipe");
  }
  size = static_cast<std::uint64_t>(status.st_size);
  return std::nullopt;
}

std::optional<Problem> slurp(const std::filesystem::path& path, std::size_t max_bytes, std::string& bytes) {
  Descriptor file;
  std::uint64_t size = 0;
  if (auto problem = open_regular(path, file, size)) return problem;
  auto refuse = [&](std::string expected, std::string found) {
    return Problem{.where = path.string(), .expected = std::move(expected), .found = std::move(found)};
  };
  if (size > max_bytes) return refuse(fmt::format("at most {} bytes", max_bytes), fmt::format("{}", size));
  bytes.resize(size);
  const auto count = read_fully(file.get(), bytes.data(), size);
  if (count < 0) return refuse("a readable file", "\"" + errno_text(errno) + "\"");
  bytes.resize(static_cast<std::size_t>(count));
  return std::nullopt;
}

std::string errno_text(int code) { return std::system_category().message(code); }

}  // namespace vaetl
