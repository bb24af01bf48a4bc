#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "vaetl/core/error.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/output.hpp"

namespace vaetl {
namespace {

namespace fs = std::filesystem;

void require_folder_or_nothing(const fs::path& target) {
  std::error_code ignored;
  const auto status = fs::status(target, ignored);
  if (!fs::exists(status) || fs::is_directory(status)) return;
  throw OutputError({.where = target.string(),
                     .expected = "a folder that can be replaced, or nothing",
                     .found = "a file",
                     .remedy = "choose another name"});
}

// Files first, then the folders that name them, from the inside out.
void synchronise_tree(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_symlink()) continue;
    if (it->is_directory()) {
      synchronise_tree(it->path());
    } else {
      synchronise(it->path());
    }
  }
  if (error) fail_output(folder, "to list the folder", error.value());
  synchronise(folder);
}

// 0 or the error number.
int rename_with(const fs::path& from, const fs::path& to, unsigned flags) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0 ? 0 : errno;
}

bool unsupported(int error) { return error == EINVAL || error == ENOSYS || error == ENOTSUP; }

// Afterwards the new folder stands at `target` and the old one, if there was one, at `fresh`.
int put_in_place(const fs::path& fresh, const fs::path& target) {
  for (int attempt = 0; attempt < 8; ++attempt) {  // others may create or remove the target at the same moment
    int error = rename_with(fresh, target, RENAME_EXCHANGE);
    if (error == 0) return 0;
    if (error == ENOENT) error = rename_with(fresh, target, RENAME_NOREPLACE);
    if (error == 0) return 0;
    if (unsupported(error)) return replace_in_two_steps(fresh, target);
    if (error != EEXIST) return error;
  }
  return EBUSY;
}

}  // namespace

int replace_in_two_steps(const fs::path& fresh, const fs::path& target) {
  const fs::path old = temporary_beside(target);
  if (std::rename(target.c_str(), old.c_str()) != 0 && errno != ENOENT) return errno;
  if (std::rename(fresh.c_str(), target.c_str()) != 0) {
    const int error = errno;
    (void)std::rename(old.c_str(), target.c_str());
    return error;
  }
  if (std::rename(old.c_str(), fresh.c_str()) != 0 && errno != ENOENT) return errno;
  return 0;
}

AtomicFolder::AtomicFolder(const fs::path& target) : target_(resolve_target(target)) {
  require_folder_or_nothing(target_);
  int error = EEXIST;
  while (error == EEXIST) {
    temporary_ = temporary_beside(target_);
    error = ::mkdir(temporary_.c_str(), 0777) == 0 ? 0 : errno;
  }
  if (error != 0) {
    temporary_.clear();
    fail_output(target_, "a folder that takes a new folder", error);
  }
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void AtomicFolder::commit() {
  require_folder_or_nothing(target_);
  synchronise_tree(temporary_);
  if (const int error = put_in_place(temporary_, target_)) fail_output(target_, "to replace the folder", error);
  synchronise(target_.parent_path());
  const fs::path old = std::exchange(temporary_, {});
  std::error_code error;
  fs::remove_all(old, error);
  if (error) fail_output(old, "to remove the replaced folder", error.value());
}

}  // namespace vaetl
