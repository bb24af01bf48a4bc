// Archives for tests, written by libarchive.
#pragma once
#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace vaetl::testing {

struct ArchiveFile {
  std::string name, content = "";
  std::string link = "";  // where a symbolic link points; a name that ends with '/' is a folder
};

enum class ArchiveKind { tar, tar_gz, tar_xz, zip, raw_xz };  // raw: a compressed file alone

inline void write_archive(const std::filesystem::path& path, ArchiveKind kind, const std::vector<ArchiveFile>& files) {
  struct archive* a = archive_write_new();
  if (kind == ArchiveKind::tar_gz) archive_write_add_filter_gzip(a);
  if (kind == ArchiveKind::tar_xz || kind == ArchiveKind::raw_xz) archive_write_add_filter_xz(a);
  if (kind == ArchiveKind::zip) {
    archive_write_set_format_zip(a);
  } else if (kind == ArchiveKind::raw_xz) {
    archive_write_set_format_raw(a);
  } else {
    archive_write_set_format_gnutar(a);
  }
  archive_write_open_filename(a, path.c_str());
  for (const auto& file : files) {
    struct archive_entry* entry = archive_entry_new();
    const bool folder = file.name.ends_with('/');
    archive_entry_set_pathname(entry, file.name.c_str());
    archive_entry_set_filetype(entry, folder ? AE_IFDIR : file.link.empty() ? AE_IFREG : AE_IFLNK);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(file.content.size()));
    if (!file.link.empty()) archive_entry_set_symlink(entry, file.link.c_str());
    if (archive_write_header(a, entry) != ARCHIVE_OK) throw std::runtime_error(archive_error_string(a));
    archive_write_data(a, file.content.data(), file.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(a);
  archive_write_free(a);
}

}  // namespace vaetl::testing
