#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/io/scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/output.hpp"

namespace vaetl::atomic_folder_test {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::expect_error;
using testing::Scratch;
using Names = std::vector<std::string>;

void fill(const fs::path& folder, const std::string& text) {
  fs::create_directories(folder / "inner");
  std::ofstream(folder / "a.txt") << text;
  std::ofstream(folder / "inner/b.txt") << text;
}

TEST(AtomicFolder, AppearsWholeOnCommit) {
  const Scratch scratch;
  AtomicFolder folder(scratch / "entry");
  fill(folder.path(), "one");
  EXPECT_FALSE(fs::exists(scratch / "entry"));
  folder.commit();
  EXPECT_EQ(bytes_of(scratch / "entry/inner/b.txt"), "one");
  EXPECT_EQ(scratch.names(), Names{"entry"});
}

TEST(AtomicFolder, ReplacesAFolderWhole) {
  const Scratch scratch;
  fill(scratch / "entry", "old");
  std::ofstream(scratch / "entry/stale.txt") << "stale";
  AtomicFolder folder((scratch / "entry/").string());
  fill(folder.path(), "new");
  EXPECT_EQ(bytes_of(scratch / "entry/a.txt"), "old");
  folder.commit();
  EXPECT_EQ(bytes_of(scratch / "entry/a.txt"), "new");
  EXPECT_FALSE(fs::exists(scratch / "entry/stale.txt"));
  EXPECT_EQ(scratch.names(), Names{"entry"});
}

TEST(AtomicFolder, WithoutCommitNothingChanges) {
  const Scratch scratch;
  fill(scratch / "entry", "old");
  {
    const AtomicFolder folder(scratch / "entry");
    fill(folder.path(), "new");
  }
  EXPECT_EQ(bytes_of(scratch / "entry/a.txt"), "old");
  EXPECT_EQ(scratch.names(), Names{"entry"});
}

TEST(AtomicFolder, TheTargetIsNeverAbsentWhileReplaced) {
  const Scratch scratch;
  const auto target = scratch / "entry";
  fill(target, "old");
  std::atomic<bool> done = false;
  std::atomic<int> absent = 0;
  std::thread observer([&] {
    while (!done) absent += !fs::is_directory(target);
  });
  for (int i = 0; i < 10; ++i) {
    AtomicFolder folder(target);
    std::ofstream(folder.path() / "a.txt") << i;
    folder.commit();
  }
  done = true;
  observer.join();
  EXPECT_EQ(absent, 0);
  EXPECT_EQ(bytes_of(target / "a.txt"), "9");
}

TEST(AtomicFolder, TwoStepsWhereTheFileSystemCannotExchange) {
  const Scratch scratch;
  fill(scratch / "entry", "old");
  fill(scratch / "fresh", "new");
  EXPECT_EQ(replace_in_two_steps(scratch / "fresh", scratch / "entry"), 0);
  EXPECT_EQ(bytes_of(scratch / "entry/a.txt"), "new");
  EXPECT_EQ(bytes_of(scratch / "fresh/a.txt"), "old");
  EXPECT_EQ(scratch.names(), (Names{"entry", "fresh"}));

  EXPECT_EQ(replace_in_two_steps(scratch / "fresh", scratch / "other"), 0);
  EXPECT_EQ(bytes_of(scratch / "other/a.txt"), "old");
  EXPECT_EQ(scratch.names(), (Names{"entry", "other"}));

  EXPECT_EQ(replace_in_two_steps(scratch / "absent", scratch / "entry"), ENOENT);
  EXPECT_EQ(bytes_of(scratch / "entry/a.txt"), "new") << "a failure must put the old folder back";
  EXPECT_EQ(scratch.names(), (Names{"entry", "other"}));
}

TEST(AtomicFolder, FollowsSymbolicLinks) {
  const Scratch scratch;
  fill(scratch / "real", "old");
  fs::create_directory_symlink("real", scratch / "link");
  AtomicFolder folder(scratch / "link");
  fill(folder.path(), "new");
  folder.commit();
  EXPECT_EQ(bytes_of(scratch / "real/a.txt"), "new");
  EXPECT_TRUE(fs::is_symlink(scratch / "link"));
}

TEST(AtomicFolder, RefusesFilesAndAbsentParents) {
  const Scratch scratch;
  const auto file = scratch.put("file", "x").string(), absent = (scratch / "absent/entry").string();
  expect_error<OutputError>([&] { AtomicFolder folder(file); },
                            {file, "expected a folder that can be replaced, or nothing, found a file"});
  expect_error<OutputError>([&] { AtomicFolder folder(absent); }, {absent, "No such file or directory"});
  AtomicFolder folder(scratch / "late");
  scratch.put("late", "x");
  expect_error<OutputError>([&] { folder.commit(); }, {"late", "found a file"});
  EXPECT_EQ(bytes_of(scratch / "late"), "x");
}

}  // namespace
}  // namespace vaetl::atomic_folder_test
