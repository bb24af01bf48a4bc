#include "vaetl/io/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/io/scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::atomic_file_test {
namespace {

using testing::bytes_of;
using testing::expect_error;
using testing::Scratch;
using Names = std::vector<std::string>;

TEST(AtomicFile, WritesAndReplaces) {
  const Scratch scratch;
  write_atomically(scratch / "a.txt", "first");
  write_atomically(scratch / "a.txt", std::string_view("\0second", 7));
  EXPECT_EQ(bytes_of(scratch / "a.txt"), std::string("\0second", 7));
  EXPECT_EQ(scratch.names(), Names{"a.txt"});
}

TEST(AtomicFile, EmptyFile) {
  const Scratch scratch;
  write_atomically(scratch / "a.txt", "");
  EXPECT_EQ(std::filesystem::file_size(scratch / "a.txt"), 0u);
}

TEST(AtomicFile, SmallAndLargePiecesKeepTheirOrder) {
  const Scratch scratch;
  std::string expected;
  AtomicFile file(scratch / "a.bin");
  for (std::size_t size : {1u, 300'000u, 5u, 262'144u, 262'143u, 2u, 0u, 700'001u}) {
    const std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    file.write(piece);
    expected += piece;
  }
  file.commit();
  EXPECT_EQ(bytes_of(scratch / "a.bin"), expected);
}

TEST(AtomicFile, AnExceptionBeforeCommitLeavesTheOldFile) {
  const Scratch scratch;
  const auto path = scratch.put("a.txt", "old");
  try {
    AtomicFile file(path);
    file.write(std::string(1 << 20, 'x'));
    EXPECT_EQ(scratch.names().size(), 2u) << "the new bytes belong into a file beside the target";
    EXPECT_EQ(bytes_of(path), "old");
    throw std::runtime_error("power cut");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(bytes_of(path), "old");
  EXPECT_EQ(scratch.names(), Names{"a.txt"});
}

TEST(AtomicFile, HonoursTheUmask) {
  const Scratch scratch;
  const mode_t before = ::umask(022);
  write_atomically(scratch / "a.txt", "x");
  ::umask(before);
  struct stat status = {};
  ASSERT_EQ(::stat((scratch / "a.txt").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644u);
}

TEST(AtomicFile, FollowsSymbolicLinks) {
  const Scratch scratch;
  const auto real = scratch.put("real.txt", "old");
  std::filesystem::create_symlink("real.txt", scratch / "link.txt");
  write_atomically(scratch / "link.txt", "new");
  EXPECT_EQ(bytes_of(real), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link.txt"));
}

TEST(AtomicFile, RelativePathsMeanTheCurrentFolder) {
  const Scratch scratch;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.folder());
  write_atomically("a.txt", "x");
  std::filesystem::current_path(before);
  EXPECT_EQ(bytes_of(scratch / "a.txt"), "x");
}

TEST(AtomicFile, RefusesWhatCannotBeWritten) {
  const Scratch scratch;
  scratch.put("file", "x");
  const auto absent = (scratch / "absent/a.txt").string(), below = (scratch / "file/a.txt").string();
  expect_error<OutputError>([&] { write_atomically(absent, "x"); },
                            {absent, "No such file or directory", "create the folder above it first"});
  expect_error<OutputError>([&] { write_atomically(below, "x"); }, {below, "Not a directory"});
  expect_error<OutputError>([&] { write_atomically(scratch.folder(), "x"); },
                            {scratch.folder().string(), "found a folder"});
  expect_error<OutputError>([&] { write_atomically("/dev/null", "x"); }, {"/dev/null", "found a device or a pipe"});
  expect_error<OutputError>([&] { write_atomically("", "x"); }, {"found an empty one"});
}

// A disk that fills up while writing, played by the limit on file sizes.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_ = {};
  void (*handler_)(int);
};

TEST(AtomicFile, ShortWriteIsAnErrorAndLeavesTheOldFile) {
  const Scratch scratch;
  const auto path = scratch.put("a.bin", "old");
  std::string message;
  {
    const FullDisk disk(100'000);
    try {
      write_atomically(path, std::string(400'000, 'x'));
    } catch (const OutputError& error) {
      message = error.what();
    }
  }
  EXPECT_EQ(message, path.string() +
                         ": expected to write it, found \"File too large\"; free some space or choose "
                         "another place");
  EXPECT_EQ(bytes_of(path), "old");
  EXPECT_EQ(scratch.names(), Names{"a.bin"});
}

TEST(AppendLine, AppendsWholeLines) {
  const Scratch scratch;
  append_line(scratch / "log.jsonl", "{\"step\":1}");
  append_line(scratch / "log.jsonl", "{\"step\":2}");
  EXPECT_EQ(bytes_of(scratch / "log.jsonl"), "{\"step\":1}\n{\"step\":2}\n");
}

TEST(AppendLine, EndsAHalfLineOfACrashFirst) {
  const Scratch scratch;
  const auto path = scratch.put("log.jsonl", "{\"step\":1}\n{\"st");
  append_line(path, "{\"step\":2}");
  EXPECT_EQ(bytes_of(path), "{\"step\":1}\n{\"st\n{\"step\":2}\n");
}

TEST(AppendLine, ErrorsNamePathAndReason) {
  const Scratch scratch;
  expect_error<OutputError>([&] { append_line("/dev/full", "x"); },
                            {"/dev/full: expected to append to it", "No space left on device", "free some space"});
  expect_error<OutputError>([&] { append_line(scratch / "absent/log", "x"); }, {"No such file or directory"});
  expect_error<OutputError>([&] { append_line(scratch.folder(), "x"); }, {"Is a directory", "choose another name"});
}

TEST(MakeFolder, CreatesParentsAndAcceptsWhatExists) {
  const Scratch scratch;
  make_folder(scratch / "a/b/c");
  make_folder(scratch / "a/b/c");
  EXPECT_TRUE(std::filesystem::is_directory(scratch / "a/b/c"));
  const auto file = scratch.put("file", "x").string();
  expect_error<OutputError>([&] { make_folder(file); }, {file, "Not a directory"});
  expect_error<OutputError>([&] { make_folder(file + "/x"); }, {file, "Not a directory"});
}

TEST(ReadFile, ReadsUpToTheLimit) {
  const Scratch scratch;
  const auto path = scratch.put("a.bin", std::string_view("a\0b", 3));
  EXPECT_EQ(read_file(path, 3), std::string("a\0b", 3));
  expect_error<FileError>([&] { read_file(path, 2); }, {path.string(), "expected at most 2 bytes, found 3"});
  expect_error<FileError>([&] { read_file(scratch / "absent"); }, {"No such file or directory"});
  expect_error<FileError>([&] { read_file(scratch.folder()); }, {"expected a regular file, found a folder"});
}

}  // namespace
}  // namespace vaetl::atomic_file_test
