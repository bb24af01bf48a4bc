#include "vaetl/io/partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "vaetl/core/error.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/output.hpp"

namespace vaetl {

PartialFile::PartialFile(const std::filesystem::path& target)
    : target_(resolve_target(target)), path_(target_.parent_path() / ("." + target_.filename().string() + ".part")) {
  make_folder(target_.parent_path());
  file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  struct stat status = {};
  if (!file_ || ::fstat(file_.get(), &status) != 0) fail_output(path_, "a folder that takes a new file", errno);
  if (!S_ISREG(status.st_mode)) throw OutputError({path_.string(), "a regular file", "a device or a pipe", {}});
  // The second condition: another one may have renamed it between our opening and our lock.
  struct stat named = {};
  const bool mine = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0 && ::stat(path_.c_str(), &named) == 0 &&
                    named.st_ino == status.st_ino && named.st_dev == status.st_dev;
  if (!mine) {
    throw OutputError({target_.string(), "one download of it at a time", "another under way", "wait for that one"});
  }
  if (::fstat(file_.get(), &status) == 0) size_ = status.st_size;
}

PartialFile::~PartialFile() {
  if (file_ && size_ == 0) ::unlink(path_.c_str());
}

int PartialFile::cut(std::int64_t size) {
  if (::ftruncate(file_.get(), size) != 0) return errno;
  size_ = size;
  return ::lseek(file_.get(), size, SEEK_SET) < 0 ? errno : 0;
}

int PartialFile::append(const char* bytes, std::size_t count) {
  const int error = write_fully(file_.get(), bytes, count);
  if (error == 0) size_ += static_cast<std::int64_t>(count);
  return error;
}

int PartialFile::make_room(std::int64_t total) {
  if (total <= size_ || ::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, size_, total - size_) == 0) return 0;
  const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  return full ? errno : 0;
}

void PartialFile::fail(int error) const { fail_output(target_, "to write it", error); }

void PartialFile::commit() {
  if (::fsync(file_.get()) != 0 && errno != EINVAL) fail(errno);
  if (std::rename(path_.c_str(), target_.c_str()) != 0) fail_output(target_, "to replace it", errno);
  if (const int error = file_.close()) fail(error);
  synchronise(target_.parent_path());
}

void PartialFile::remove() {
  ::unlink(path_.c_str());
  file_.close();
}

}  // namespace vaetl
