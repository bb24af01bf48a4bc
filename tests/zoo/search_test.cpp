#include "vaetl/zoo/search.hpp"
#include "vaetl/zoo/places.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::search_test {
namespace {

using ZooSearch = ZooTest;

void write_entry(const fs::path& folder) {
  make_folder(folder);
  write_atomically(folder / "model.json", "{}");
}

TEST_F(ZooSearch, LooksInTheOrderOfTheDocumentation) {
  const Environment zoo("VAETL_ZOO", (root() / "a").string() + "::" + (root() / "b").string());
  const auto path = zoo::search_path();
  ASSERT_EQ(path.size(), 4u);
  EXPECT_EQ(path[0], root() / "a");
  EXPECT_EQ(path[1], root() / "b");
  EXPECT_EQ(path[2], root() / "data/vaetl/zoo");
  EXPECT_EQ(path[3], fs::path(zoo::source_zoo)) << "the build tree has the source's";
  const Environment home("HOME", (root() / "home").string()), none("XDG_DATA_HOME", "");
  EXPECT_EQ(zoo::search_path()[2], root() / "home/.local/share/vaetl/zoo");
}

TEST_F(ZooSearch, TheFirstOfEqualNamesWins) {
  const Environment zoo("VAETL_ZOO", (root() / "a").string() + ":" + (root() / "b").string());
  write_entry(root() / "b/twice");
  write_entry(root() / "a/twice");
  write_entry(root() / "b/once");
  make_folder(root() / "a/no-entry");
  write_entry(root() / "a/.hidden");
  std::map<std::string, fs::path> found;
  for (const auto& item : zoo::list()) found[item.name] = item.folder;
  EXPECT_EQ(found.at("twice"), root() / "a/twice");
  EXPECT_EQ(found.at("once"), root() / "b/once");
  EXPECT_FALSE(found.contains("no-entry"));
  EXPECT_FALSE(found.contains(".hidden"));
  EXPECT_EQ(zoo::resolve("twice"), root() / "a/twice");
  EXPECT_EQ(zoo::resolve("zoo:once"), root() / "b/once");
}

TEST_F(ZooSearch, FoldersAndFilesAreResolved) {
  write_entry(root() / "entry");
  write_entry(root() / "run/model");
  EXPECT_EQ(zoo::resolve((root() / "entry").string()), root() / "entry");
  EXPECT_EQ(zoo::resolve((root() / "run").string()), root() / "run/model");
  write_atomically(root() / "w.safetensors", "x");
  EXPECT_EQ(zoo::resolve((root() / "w.safetensors").string()), root() / "w.safetensors");
}

TEST_F(ZooSearch, SaysWhatIsWrong) {
  write_entry(root() / "zoo/fashion-vae");
  write_entry(root() / "zoo/fashion-simclr");
  expect_error<FileError>([&] { zoo::resolve("zoo:fashion-vea"); },
                          {"model \"zoo:fashion-vea\"", "a zoo entry", "did you mean \"fashion-vae\"?"});
  expect_error<FileError>([&] { zoo::resolve("fashion"); },
                          {"none of that name", "\"fashion-vae\"", "\"fashion-simclr\""});
  for (const char* name : {"", "zoo:", "zoo:..", "zoo:../zoo/fashion-vae", "/nowhere/at/all"}) {
    expect_error<FileError>([&] { zoo::resolve(name); }, {"none of that name"});
  }
  make_folder(root() / "run/checkpoints");
  expect_error<FileError>([&] { zoo::resolve((root() / "run").string()); },
                          {"a run that has not finished", "finish it with --resume"});
  expect_error<FileError>([&] { zoo::resolve((root() / "zoo").string()); }, {"a folder without model.json"});
  write_atomically(root() / "w.pth", "x");
  expect_error<FileError>([&] { zoo::resolve((root() / "w.pth").string()); },
                          {"w.pth", "*.safetensors", "another file"});
}

TEST_F(ZooSearch, AnInstalledLibraryHasTheZooOfItsPrefix) {
  const fs::path prefix = root() / "opt";
  EXPECT_EQ(zoo::zoo_of(prefix / "lib/libvaetl.so.0"), fs::path(zoo::installed_zoo));
  make_folder(prefix / "share/vaetl/zoo");
  EXPECT_EQ(zoo::zoo_of(prefix / "lib/libvaetl.so.0"), prefix / "share/vaetl/zoo");
  EXPECT_EQ(zoo::zoo_of(prefix / "lib/x86_64-linux-gnu/libvaetl.so.0"), prefix / "share/vaetl/zoo");
  EXPECT_EQ(zoo::zoo_of(fs::path(zoo::build_folder) / "libvaetl.so"), fs::path(zoo::source_zoo));
}

}  // namespace
}  // namespace vaetl::testing::search_test
