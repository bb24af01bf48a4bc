// The hidden file .FILE.part in which a download grows; used inside io only. One process or thread at a time has it:
// another one's attempt is an OutputError. Unlike AtomicFile's it stays when work is broken off, unless it is empty.
#pragma once
#include <cstdint>
#include <filesystem>

#include "vaetl/io/descriptor.hpp"

namespace vaetl {

class PartialFile {
 public:
  explicit PartialFile(const std::filesystem::path& target);  // makes the folder; opens what is there, at its end
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::int64_t size() const { return size_; }
  // 0 or the error number: they are called from C, through which nothing may be thrown.
  int cut(std::int64_t size);
  int append(const char* bytes, std::size_t count);
  int make_room(std::int64_t total);  // asks the disk for all of it beforehand, where the file system can

  [[noreturn]] void fail(int error) const;  // OutputError that names the target
  void commit();                            // to the disk, then under the target's name
  void remove();

 private:
  std::filesystem::path target_, path_;
  Descriptor file_;
  std::int64_t size_ = 0;
};

}  // namespace vaetl
