#include "vaetl/io/archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include "vaetl/core/text.hpp"
#include "vaetl/io/descriptor.hpp"

namespace vaetl {
namespace {

constexpr std::size_t archive_block = std::size_t{1} << 16;

struct Closer {
  void operator()(struct archive* archive) const { archive_read_free(archive); }
};
using ArchiveHandle = std::unique_ptr<struct archive, Closer>;

void allow_filters(struct archive* archive) {
  archive_read_support_filter_gzip(archive);
  archive_read_support_filter_bzip2(archive);
  archive_read_support_filter_xz(archive);
  archive_read_support_filter_zstd(archive);
}

std::string error_of(struct archive* archive) {
  const char* text = archive_error_string(archive);
  return fmt::format("\"{}\"", text != nullptr ? text : "damaged data");
}

// "" where the name leads out of the archive.
std::string tidy_name(const char* raw) {
  const std::filesystem::path path = std::filesystem::path(raw != nullptr ? raw : "").lexically_normal();
  std::string name = path.generic_string();
  while (name.ends_with('/')) name.pop_back();
  if (path.is_absolute() || name == ".." || name.starts_with("../")) return {};
  return name;
}

std::string flaw_of(struct archive_entry* entry) {
  if (archive_entry_is_encrypted(entry) != 0) return "an encrypted file";
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_filetype(entry) == AE_IFLNK) return "a link";
  const auto type = archive_entry_filetype(entry);
  return type == AE_IFREG || type == AE_IFDIR ? "" : "a device";
}

struct Stream {
  Stream(std::filesystem::path place, const ArchiveLimits& most, bool one_file)
      : path(std::move(place)), limits(most), raw(one_file) {}

  std::filesystem::path path;
  ArchiveLimits limits;
  bool raw;  // a compressed file rather than an archive
  Descriptor file;
  ArchiveHandle handle;
  struct archive_entry* entry = nullptr;
  std::uint64_t members = 0, total = 0, claimed = 0;
  std::string member = {};
  std::vector<char> buffer = std::vector<char>(archive_block);

  [[noreturn]] void fail(std::string expected, std::string found, std::string remedy = {}) const {
    throw DataError({path.string(), std::move(expected), std::move(found), std::move(remedy)});
  }

  void open() {
    std::uint64_t size = 0;
    if (auto problem = open_regular(path, file, size)) throw DataError(*std::move(problem));
    if (size == 0) fail(raw ? "a compressed file" : "an archive", "an empty file");
    handle.reset(archive_read_new());
    if (!handle) throw std::bad_alloc();
    allow_filters(handle.get());
    if (raw) {
      archive_read_support_format_raw(handle.get());
    } else {
      archive_read_support_format_tar(handle.get());
      archive_read_support_format_zip(handle.get());
    }
    if (archive_read_open_fd(handle.get(), file.get(), archive_block) != ARCHIVE_OK) not_an_archive();
  }

  [[noreturn]] void not_an_archive() const {
    fail(raw ? "an intact compressed file" : "an archive (tar or zip; gzip, bzip2, xz or zstd within it)",
         error_of(handle.get()));
  }

  void count(std::uint64_t bytes) {
    total += bytes;
    if (total > limits.total_bytes || total < bytes) {
      fail(fmt::format("at most {} bytes in the archive", limits.total_bytes), "more", "unpack it into a folder");
    }
  }

  // Whether there is another header.
  bool advance() {
    const int status = archive_read_next_header(handle.get(), &entry);
    if (status == ARCHIVE_EOF) return false;
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN) return true;
    if (members == 0) not_an_archive();
    fail("an intact archive", fmt::format("{} after {} members", error_of(handle.get()), members), "fetch it again");
  }

  // Appends until the member ends. Empty, or what is wrong.
  std::string append_all(std::string& bytes, std::uint64_t most) {
    for (;;) {
      const la_ssize_t got = archive_read_data(handle.get(), buffer.data(), buffer.size());
      if (got < 0) return error_of(handle.get());
      if (got == 0) return {};
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
      if (bytes.size() > most) return "more";
    }
  }
};

}  // namespace

struct ArchiveReader::State : Stream {
  using Stream::Stream;
};

ArchiveReader::ArchiveReader(const std::filesystem::path& path, const ArchiveLimits& limits)
    : state_(std::make_unique<State>(path, limits, /*one_file=*/false)) {
  state_->open();
}

ArchiveReader::~ArchiveReader() = default;
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;

bool ArchiveReader::next(ArchiveMember& member) {
  State& state = *state_;
  if (!state.advance()) return false;
  if (++state.members > state.limits.members) {
    state.fail(fmt::format("at most {} members", state.limits.members), "more", "unpack it into a folder");
  }
  const char* name = archive_entry_pathname_utf8(state.entry);
  const std::string given = name != nullptr ? name : archive_entry_pathname(state.entry);
  member = {tidy_name(given.c_str()), archive_entry_filetype(state.entry) == AE_IFDIR, flaw_of(state.entry)};
  if (member.name.empty()) member = {given, false, "a name that leads out of the archive"};
  state.member = member.name;
  const bool sized = !member.folder && archive_entry_size_is_set(state.entry) != 0;
  state.claimed = sized ? static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(state.entry), 0)) : 0;
  state.count(state.claimed);
  return true;
}

std::optional<Problem> ArchiveReader::read(std::string& bytes) {
  State& state = *state_;
  bytes.clear();
  const std::uint64_t most = state.limits.member_bytes;
  auto problem = [&](std::string expected, std::string found) {
    return Problem{state.path.string() + ":" + state.member, std::move(expected), std::move(found), {}};
  };
  if (state.claimed > most) {
    return problem(fmt::format("at most {} bytes", most), fmt::format("{}", state.claimed));
  }
  bytes.reserve(state.claimed);
  const std::string flaw = state.append_all(bytes, most);
  if (bytes.size() > state.claimed) state.count(bytes.size() - state.claimed);
  if (flaw == "more") return problem(fmt::format("at most {} bytes", most), flaw);
  if (!flaw.empty()) return problem("an intact member of the archive", flaw);
  return std::nullopt;
}

std::string read_unpacked(const std::filesystem::path& path, std::uint64_t max_bytes) {
  Stream state(path, {}, /*one_file=*/true);
  state.open();
  std::string bytes;
  if (!state.advance()) return bytes;
  const std::string flaw = state.append_all(bytes, max_bytes);
  if (flaw == "more") state.fail(fmt::format("at most {} bytes of data", max_bytes), "more");
  if (!flaw.empty()) {
    state.fail("an intact compressed file", fmt::format("{} after {} bytes of data", flaw, bytes.size()),
               "fetch or copy the file again");
  }
  return bytes;
}

}  // namespace vaetl
