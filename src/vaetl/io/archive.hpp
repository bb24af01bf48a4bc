// Archives (tar, zip; tar also compressed with gzip, bzip2, xz or zstd) read member by member through libarchive, as a
// stream: nothing is unpacked to disk, and no path in an archive is ever followed. The bytes tell the format, not the
// name.
//
//   ArchiveReader archive("pictures.tar.xz");
//   for (ArchiveMember member; archive.next(member);) {
//     if (std::string bytes; !member.folder && member.flaw.empty() && !archive.read(bytes)) use(member.name, bytes);
//   }
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "vaetl/core/error.hpp"

namespace vaetl {

struct ArchiveLimits {
  std::uint64_t members = 10'000'000;
  std::uint64_t member_bytes = std::uint64_t{1} << 28;  // of one member, unpacked
  std::uint64_t total_bytes = std::uint64_t{1} << 31;   // of all of them, read or passed over
};

struct ArchiveMember {
  std::string name = {};  // relative, with '/', without "./" at its start and '/' at its end
  bool folder = false;
  std::string flaw = {};  // why it cannot be read: a link, a device, encrypted, a name that leads out; usually empty
};

class ArchiveReader {
 public:
  // DataError: no regular file, or no archive.
  explicit ArchiveReader(const std::filesystem::path& path, const ArchiveLimits& limits = {});
  ~ArchiveReader();
  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;

  // The next member; false at the end. DataError: damaged, cut short, beyond the limits on members or the total.
  bool next(ArchiveMember& member);
  // The present member's bytes, at most once; or what is wrong with this one alone (too large, damaged).
  std::optional<Problem> read(std::string& bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A single file compressed with gzip, bzip2, xz or zstd, or not compressed at all. DataError: damaged, cut short, more
// than `max_bytes`.
std::string read_unpacked(const std::filesystem::path& path, std::uint64_t max_bytes);

}  // namespace vaetl
