#include "vaetl/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "vaetl/core/error.hpp"
#include "vaetl/io/output.hpp"

namespace vaetl {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 18;

// Replacing /dev/null or a pipe by a file would be a disaster for everybody else.
void require_replaceable(const std::filesystem::path& target) {
  struct stat status = {};
  if (::stat(target.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  throw OutputError({.where = target.string(),
                     .expected = "a file that can be replaced",
                     .found = S_ISDIR(status.st_mode) ? "a folder" : "a device or a pipe",
                     .remedy = "choose another name"});
}

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path) : target_(resolve_target(path)) {
  require_replaceable(target_);
  do {
    temporary_ = temporary_beside(target_);
    file_ = Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  } while (!file_ && errno == EEXIST);
  if (!file_) fail_output(target_, "a folder that takes a new file", errno);
}

AtomicFile::~AtomicFile() {
  file_.close();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t size) {
  if (buffer_.size() + size > buffer_bytes) flush();
  if (size < buffer_bytes) {
    buffer_.append(static_cast<const char*>(data), size);
  } else if (const int error = write_fully(file_.get(), data, size)) {
    fail_output(target_, "to write it", error);
  }
}

void AtomicFile::reserve(std::uint64_t size) {
  const int error = ::fallocate(file_.get(), 0, 0, static_cast<off_t>(size)) == 0 ? 0 : errno;
  if (error == ENOSPC || error == EFBIG || error == EDQUOT) fail_output(target_, "room for all of it", error);
  if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) fail_output(target_, "room for all of it", errno);
}

void AtomicFile::write_at(std::uint64_t offset, const void* data, std::size_t size) {
  const int error = write_fully_at(file_.get(), offset, data, size);
  if (error != 0) fail_output(target_, "to write it", error);
}

void AtomicFile::flush() {
  if (const int error = write_fully(file_.get(), buffer_.data(), buffer_.size())) {
    fail_output(target_, "to write it", error);
  }
  buffer_.clear();
}

void AtomicFile::commit() {
  flush();
  if (::fsync(file_.get()) != 0 && errno != EINVAL) fail_output(target_, "to write it to the disk", errno);
  if (const int error = file_.close()) fail_output(target_, "to write it", error);
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail_output(target_, "to replace it", errno);
  temporary_.clear();
  synchronise(target_.parent_path());
}

void write_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail_output(path, "to create the folder", error.value());
  if (!std::filesystem::is_directory(path, error)) fail_output(path, "to create the folder", ENOTDIR);
}

void append_line(const std::filesystem::path& path, std::string_view line) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file) fail_output(path, "a file to append to", errno);
  struct stat status = {};
  char last = '\n';
  if (::fstat(file.get(), &status) == 0 && status.st_size > 0 &&
      ::pread(file.get(), &last, 1, status.st_size - 1) != 1) {
    last = '\n';
  }
  std::string text(last == '\n' ? "" : "\n");
  text.append(line).append("\n");
  if (const int error = write_fully(file.get(), text.data(), text.size())) fail_output(path, "to append to it", error);
  if (const int error = file.close()) fail_output(path, "to append to it", error);
}

std::string read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  std::string bytes;
  if (auto problem = slurp(path, max_bytes, bytes)) throw FileError(*std::move(problem));
  return bytes;
}

}  // namespace vaetl
