#include "vaetl/io/output.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <random>

#include "vaetl/core/error.hpp"
#include "vaetl/io/descriptor.hpp"

namespace vaetl {
namespace {

std::string remedy_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space or choose another place";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a place that this user may write to";
    case ENOENT:
      return "create the folder above it first";
    case ENOTDIR:
      return "one of the folders above it is a file";
    case EISDIR:
      return "choose another name";
    default:
      return "choose another place";
  }
}

}  // namespace

void fail_output(const std::filesystem::path& path, const char* expected, int error_number) {
  throw OutputError({.where = path.string(),
                     .expected = expected,
                     .found = "\"" + errno_text(error_number) + "\"",
                     .remedy = remedy_for(error_number)});
}

std::filesystem::path resolve_target(const std::filesystem::path& path) {
  if (path.empty()) {
    throw OutputError({.where = "output", .expected = "a path", .found = "an empty one", .remedy = "name a file"});
  }
  std::error_code error;
  auto result = std::filesystem::absolute(path, error);
  if (error) result = path;
  while (!result.has_filename() && result.has_relative_path()) result = result.parent_path();
  const bool dots = result.filename() == "." || result.filename() == "..";
  if (!dots && !std::filesystem::is_symlink(result, error)) return result;
  auto target = std::filesystem::canonical(result, error);
  return error ? result : target;
}

std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<std::uint64_t> counter{std::random_device{}()};
  std::random_device device;
  const auto id = (std::uint64_t{device()} << 32) ^ (static_cast<std::uint64_t>(::getpid()) << 20) ^ counter++;
  return target.parent_path() / fmt::format(".vaetl-{:016x}.tmp", id);
}

void synchronise(const std::filesystem::path& path) {
  const Descriptor file = open_to_read(path);
  if (!file) fail_output(path, "to open it for fsync", errno);
  if (::fsync(file.get()) == 0 || errno == EINVAL || errno == ENOTSUP) return;
  fail_output(path, "to write it to the disk", errno);
}

}  // namespace vaetl
