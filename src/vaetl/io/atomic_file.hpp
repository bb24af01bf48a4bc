// Files and folders that are complete or absent: filled beside the target under a name of their own, synchronised to
// the disk, then renamed into place. A crash at any moment leaves either the old content or the new one, and a kill
// perhaps the hidden unfinished file beside it (.vaetl-<16 hex digits>.tmp), which may be removed. What cannot be
// written (no such folder, no permission, a full disk) is an OutputError that names the path and the system's reason.
//
//   AtomicFile file("run/metrics.csv");
//   file.write(text.data(), text.size());
//   file.commit();  // without it the target stays as it was
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "vaetl/io/descriptor.hpp"

namespace vaetl {

// A symbolic link is followed: what it points to is replaced. New files get mode 0666 less the umask.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  // For a file whose size is known and whose parts come in another order: takes the room on the disk at once, where
  // the file system can, then writes anywhere within it.
  void reserve(std::uint64_t size);
  void write_at(std::uint64_t offset, const void* data, std::size_t size);
  void commit();

 private:
  void flush();

  std::filesystem::path target_, temporary_;
  Descriptor file_;
  std::string buffer_;
};

void write_atomically(const std::filesystem::path& path, std::string_view bytes);

// The folder to fill is path(). commit() puts it at the target; a folder that stands there is exchanged for it in one
// step where the file system can, so that at every moment a complete folder is found, and then removed.
class AtomicFolder {
 public:
  explicit AtomicFolder(const std::filesystem::path& target);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const std::filesystem::path& path() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path target_, temporary_;
};

// Creates a folder and its parents; one that exists is fine.
void make_folder(const std::filesystem::path& path);

// Appends `line` and a newline in one write, for logs of JSON lines. A half line that a crash left behind is ended
// first.
void append_line(const std::filesystem::path& path, std::string_view line);

// The whole file. FileError when it is absent, unreadable or larger than `max_bytes`.
std::string read_file(const std::filesystem::path& path, std::size_t max_bytes = std::size_t{1} << 30);

}  // namespace vaetl
