// Pictures from folders, archives and lists: layouts, sizes, memory, and what is left out.
#include "vaetl/data/readers/folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "support.hpp"
#include "tests/support/archives.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl::folder_test {
namespace {

using testing::ArchiveKind;
using testing::expect_error;
using testing::Folder;
using testing::values_of;
using testing::write_archive;
using Shape = std::vector<std::int64_t>;

// C×H×W of one value.
std::string picture(int value, std::int64_t channels = 1, std::int64_t height = 4, std::int64_t width = 5) {
  return encode_png(at::full({channels, height, width}, value, at::kByte));
}

std::string ref(const std::filesystem::path& path, const std::string& options = {}) {
  return "folder:" + path.string() + options;
}

// The first value of every image.
std::vector<std::int64_t> firsts(const Dataset& data) {
  return values_of(data.column("input").select(3, 0).select(2, 0).select(1, 0));
}

struct Heard {
  std::vector<std::string> texts = {};
  Reading reading() {
    return {.skipped = [this](const Problem& p) { texts.push_back(DataError(p).what()); }};
  }
  ::testing::AssertionResult says(const std::string& text) const {
    std::string all;
    for (const auto& t : texts) {
      if (t.find(text) != std::string::npos) return ::testing::AssertionSuccess();
      all += "\n  " + t;
    }
    return ::testing::AssertionFailure() << "nobody said \"" << text << "\", but:" << all;
  }
};

TEST(Folder, ClassesOfOneFolder) {
  const Folder folder;
  folder.write("bees/2.png", picture(12));
  folder.write("bees/10.PNG", picture(11));
  folder.write("ants/deep/er/1.jpg", picture(10));  // a PNG in truth: the content decides
  folder.write(".hidden/1.png", picture(1));
  folder.write("ants/.thumb.png", "x");
  const Splits splits = data::open(ref(folder.path()));
  EXPECT_EQ(firsts(splits.train), (Shape{10, 11, 12}));
  EXPECT_EQ(values_of(splits.train.labels()), (Shape{0, 1, 1}));
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"ants", "bees"}));
  EXPECT_EQ(splits.train.name(1), (folder.path() / "bees/10.PNG").string());
  EXPECT_EQ(splits.train.info().fields.at("input").shape, (Shape{1, 4, 5}));
  EXPECT_EQ(splits.train.info().split, "train");
  EXPECT_EQ(splits.test.size() + splits.validation.size(), 0);
  EXPECT_EQ(splits.train.info().sha256, data_sha256(splits.train));
  EXPECT_EQ(splits.train.info().reader, (Json{{"name", "folder"},
                                              {"classes", {"ants", "bees"}},
                                              {"channels", 1},
                                              {"size", {4, 5}},
                                              {"resize", 0},
                                              {"fit", "crop"},
                                              {"filter", "bilinear"}}));
  EXPECT_EQ(data::open(ref(folder.path(), R"(?classes=["wasps","bees","ants"])")).train.labels()[0].item<int>(), 2);
}

TEST(Folder, SplitsInFolderAndArchives) {
  const Folder folder;
  const std::vector<testing::ArchiveFile> files = {{"set/train/b/1.png", picture(2)},
                                                   {"set/train/a/1.png", picture(1)},
                                                   {"set/val/a/1.png", picture(3)},
                                                   {"set/test/b/1.png", picture(4)},
                                                   {"README", "x"},
                                                   {"LICENSE", "x"},
                                                   {"set/COPYING.BSD", "x"},
                                                   {"set/train/a/1.json", "{}"},
                                                   {"set/train/Thumbs.db", "x"},
                                                   {"set/notes.txt", "x"},
                                                   {"set/index.md", "x"},
                                                   {"set/.DS_Store", "x"},
                                                   {"__MACOSX/set/train/a/1.png", "x"},
                                                   {"set/train/a/2.dat", "x"},
                                                   {"set/preview.png", picture(9)}};
  for (const auto& file : files) folder.write("in/" + file.name, file.content);
  write_archive(folder.path() / "a.tar", ArchiveKind::tar, files);
  write_archive(folder.path() / "a.tar.xz", ArchiveKind::tar_xz, files);
  write_archive(folder.path() / "a.zip", ArchiveKind::zip, files);
  for (const char* place : {"in", "a.tar", "a.tar.xz", "a.zip"}) {
    Heard heard;
    const Splits splits = data::open(ref(folder.path() / place), heard.reading());
    EXPECT_EQ(firsts(splits.train), (Shape{1, 2})) << place;
    EXPECT_EQ(firsts(splits.validation), (Shape{3}));
    EXPECT_EQ(firsts(splits.test), (Shape{4}));
    EXPECT_EQ(values_of(splits.test.labels()), (Shape{1}));
    EXPECT_TRUE(splits.train.name(1).ends_with("set/train/b/1.png")) << splits.train.name(1);
    EXPECT_EQ(heard.texts.size(), 2U);
    EXPECT_TRUE(heard.says("preview.png: expected a file within a class folder, found a file beside the folders"));
    EXPECT_TRUE(heard.says("found 1 other file (.dat); ignored"));
  }
}

TEST(Folder, ValIsTheTestSplitWhereThereIsNone) {
  const Folder folder;
  folder.write("train/1.png", picture(1));
  folder.write("valid/1.png", picture(2));
  const Splits splits = data::open(ref(folder.path()));
  EXPECT_EQ(firsts(splits.test), (Shape{2}));
  EXPECT_EQ(splits.validation.size(), 0);
  EXPECT_FALSE(splits.train.has("target"));
  EXPECT_TRUE(splits.train.info().classes.empty());
  folder.write("valid/cat/2.png", picture(2));
  expect_error<DataError>([&] { data::open(ref(folder.path())); },
                          {"expected classes for the training and the test files alike, found none for"});
}

TEST(Folder, OnePicture) {
  const Folder folder;
  folder.write("1.png", picture(7));
  for (const char* place : {"", "1.png"}) {
    const Splits splits = data::open(ref(folder.path() / place));
    EXPECT_EQ(firsts(splits.train), (Shape{7}));
    EXPECT_EQ(splits.train.classes(), 0);
  }
}

TEST(Folder, TestElsewhereAndShares) {
  const Folder folder;
  for (int i = 0; i < 20; ++i) folder.write(fmt::format("in/{}/{}.png", i % 2 ? "a" : "b", i), picture(i));
  folder.write("in/held/a/1.png", picture(99));
  const Splits given = data::open(ref(folder.path() / "in", "?test=held&classes=[\"a\",\"b\"]"));
  EXPECT_EQ(given.train.size(), 20);
  EXPECT_EQ(firsts(given.test), (Shape{99}));
  EXPECT_EQ(values_of(given.test.labels()), (Shape{0}));
  expect_error<ConfigError>([&] { data::open(ref(folder.path(), "?test=a&test_share=0.1")); }, {"folder.test_share"});
  folder.write("in/held/a/2.png", picture(98));
  const Splits shared = data::open(ref(folder.path() / "in", "?test_share=0.2"));
  EXPECT_EQ(shared.train.size(), 17);  // of 10, 10 and 2
  EXPECT_EQ(shared.test.size(), 5);
  folder.write("other/wasps/1.png", picture(1));
  expect_error<DataError>(
      [&] { data::open(ref(folder.path() / "in", "?test=../other&classes=[\"a\",\"b\",\"held\"]")); },
      {"found no", "other"});
}

TEST(Folder, ClassesOfTheTestAreKnownToTheTraining) {
  const Folder folder;
  folder.write("train/ants/1.png", picture(1));
  folder.write("test/ant/1.png", picture(1));
  expect_error<DataError>([&] { data::open(ref(folder.path()), {.strict = true}); },
                          {"test/ant/1.png: expected the classes ants, found \"ant\"", "did you mean \"ants\"?"});
  EXPECT_EQ(data::open(ref(folder.path())).test.size(), 0);
}

TEST(Folder, ADamagedHeaderDecidesNothingForTheOthers) {
  const Folder folder;
  folder.write("0.png", picture(1, 3, 64, 64).substr(0, 60));  // its header says colour and another size
  for (const char* name : {"1.png", "2.png", "3.png"}) folder.write(name, picture(2));
  Heard heard;
  const Splits splits = data::open(ref(folder.path()), heard.reading());
  EXPECT_EQ(splits.train.size(), 3);
  EXPECT_EQ(splits.train.info().fields.at("input").shape, (Shape{1, 4, 5}));
  EXPECT_TRUE(heard.says("0.png"));
}

TEST(Folder, List) {
  const Folder folder;
  folder.write("in/pics/1.png", picture(1));
  folder.write("in/pics/2.png", picture(2));
  folder.write("in/pics/3.png", picture(3));
  folder.write("secret.png", picture(9));
  std::filesystem::create_symlink(folder.path() / "secret.png", folder.path() / "in/link.png");
  const auto list = folder.write("in/all.csv",
                                 "kind,file\n10,pics/2.png\n9,pics/1.png\n9,../secret.png\n,pics/3.png\n9,link.png\n"
                                 "9,gone.png\n1,2,3\n");
  folder.write("in/test.csv", "kind,file\n9,pics/3.png\n");
  Heard heard;
  const Splits splits = data::open(ref(list, "?files=file&target=kind&test=test.csv"), heard.reading());
  EXPECT_EQ(firsts(splits.train), (Shape{2, 1}));
  EXPECT_EQ(values_of(splits.train.labels()), (Shape{1, 0}));  // by number: 9, 10
  EXPECT_EQ(firsts(splits.test), (Shape{3}));
  ASSERT_EQ(heard.texts.size(), 5U);
  EXPECT_TRUE(heard.says("all.csv:4: expected a file within the folder of the list, found \"../secret.png\""));
  EXPECT_TRUE(heard.says("all.csv:5: expected a label, found an empty value"));
  EXPECT_TRUE(heard.says("all.csv:6: expected a file within the folder of the list, found \"link.png\", a link"));
  EXPECT_TRUE(heard.says("all.csv:8: expected 2 values, found 3"));
  EXPECT_TRUE(heard.says("gone.png: expected a readable file, found \"No such file or directory\""));
  expect_error<DataError>([&] { data::open(ref(list, "?target=kin")); },
                          {"a column \"kin\"", "did you mean \"kind\" or"});
  folder.write("in/test.csv", "kind,file\n7,pics/3.png\n");
  Heard again;
  data::open(ref(list, "?files=file&target=kind&test=test.csv"), again.reading());
  EXPECT_TRUE(again.says("3.png: expected the classes 9, 10, found \"7\""));
}

TEST(Folder, WhatIsLeftOut) {
  const Folder folder;
  folder.write("in/a/1.png", picture(1));
  folder.write("in/a/2.png", picture(2).substr(0, 60));
  folder.write("in/a/3.jpg", "");
  folder.write("in/b/4.png", "text, not pixels");
  folder.write("in/b/5.png", picture(5));
  folder.write("in/b/6.gif", "GIF89a");
  folder.write("in/b/notes.doc", "x");
  folder.write("out/secret.png", picture(9));
  std::filesystem::create_directories(folder.path() / "in/empty");
  ASSERT_EQ(::mkfifo((folder.path() / "in/b/7.png").c_str(), 0600), 0);  // nobody ever writes to it
  std::filesystem::create_symlink(folder.path() / "out/secret.png", folder.path() / "in/a/link.png");
  std::filesystem::create_symlink(folder.path() / "out", folder.path() / "in/c");
  std::filesystem::create_symlink("1.png", folder.path() / "in/a/within.png");
  Heard heard;
  const Splits splits = data::open(ref(folder.path() / "in"), heard.reading());
  EXPECT_EQ(firsts(splits.train), (Shape{1, 1, 5}));
  EXPECT_EQ(splits.train.classes(), 2);
  EXPECT_EQ(heard.texts.size(), 9U);
  EXPECT_TRUE(heard.says("2.png: expected an intact PNG image, found \"the file ends early\""));
  EXPECT_TRUE(heard.says("3.jpg: expected a PNG or JPEG picture, found an empty file"));
  EXPECT_TRUE(heard.says("4.png: expected a PNG or JPEG picture, found text, \"text, not pixels\""));
  EXPECT_TRUE(heard.says("6.gif: expected a PNG or JPEG picture, found a file \"*.gif\"; convert it"));
  EXPECT_TRUE(heard.says("7.png: expected a regular file, found a device or a pipe"));
  EXPECT_TRUE(heard.says("found 1 other file (.doc); ignored"));
  EXPECT_TRUE(heard.says("expected files in the class folder \"empty\", found none"));
  EXPECT_TRUE(heard.says("link.png: expected a file within"));
  EXPECT_TRUE(heard.says("in/c: expected a folder of its own, found a link to one"));
  expect_error<DataError>([&] { data::open(ref(folder.path() / "in"), {.strict = true}); });
}

TEST(Folder, UnreadablePermission) {
  if (::geteuid() == 0) return;  // who reads everything
  const Folder folder;
  folder.write("a/1.png", picture(1));
  std::filesystem::permissions(folder.write("a/2.png", picture(2)), std::filesystem::perms::none);
  Heard heard;
  EXPECT_EQ(data::open(ref(folder.path()), heard.reading()).train.size(), 1);
  EXPECT_TRUE(heard.says("2.png: expected a readable file, found \"Permission denied\""));
}

TEST(Folder, NothingToRead) {
  const Folder folder;
  expect_error<DataError>([&] { data::open(ref(folder.path() / "absent")); }, {"nothing there; check the path"});
  expect_error<DataError>([&] { data::open(ref(folder.path())); },
                          {"expected pictures (.png, .jpg, .jpeg), found none"});
  folder.write("a.txt", "x");
  expect_error<DataError>([&] { data::open(ref(folder.path())); }, {"found only 1 other file (.txt)"});
  expect_error<DataError>([&] { data::open(ref(folder.path() / "a.txt")); }, {"a.txt: expected an archive"});
  folder.write("a.png", "");
  expect_error<DataError>([&] { data::open(ref(folder.path())); },
                          {"a.png: expected a PNG or JPEG picture, found an empty file; 1 examples of"});
}

TEST(Folder, ChannelsAreWhatAllHave) {
  const Folder folder;
  folder.write("train/1.png", picture(1, 4));
  folder.write("test/2.png", picture(2, 1));
  EXPECT_EQ(data::open(ref(folder.path())).test.column("input").size(1), 4);
  folder.write("train/2.png", picture(2, 1));
  EXPECT_EQ(data::open(ref(folder.path())).train.column("input").size(1), 3);
  EXPECT_EQ(data::open(ref(folder.path(), "?channels=1")).train.column("input").size(1), 1);
  expect_error<ConfigError>([&] { data::open(ref(folder.path(), "?channels=2")); }, {"folder.channels"});
}

// A gradient from left to right, so that what is kept can be told.
std::string wide() {
  return encode_png(at::arange(200, at::kByte).view({1, 1, 200}).expand({1, 100, 200}).contiguous());
}

TEST(Folder, SizesAndFits) {
  const Folder folder;
  folder.write("1.png", wide());
  folder.write("2.png", picture(255, 1, 50, 40));
  auto open = [&](const std::string& options) { return data::open(ref(folder.path(), options)).train; };
  expect_error<DataError>([&] { open(""); }, {"expected images of one size, found 200×100 and 40×50 (", "2.png",
                                              "add size=[224,224], say"});
  const Dataset crop = open("?size=[50,50]");
  EXPECT_EQ(crop.column("input").sizes().vec(), (Shape{2, 1, 50, 50}));
  EXPECT_NEAR(firsts(crop)[0], 50, 1);  // 200 → 100 wide, the middle 50 begin at 25 of them
  const at::Tensor stretch = open("?size=[50,50]&fit=stretch").column("input");
  EXPECT_NEAR(stretch[0][0][0][0].item<int>(), 2, 1);
  EXPECT_NEAR(stretch[0][0][0][49].item<int>(), 197, 1);
  const at::Tensor pad = open("?size=[50,50]&fit=pad").column("input");
  EXPECT_EQ(pad[0][0].select(1, 49).gt(0).sum().item<int>(), 25);  // 50×25 in the middle
  EXPECT_EQ(pad[1][0][25].gt(0).sum().item<int>(), 40);
  const at::Tensor shorter = open("?size=[20,20]&resize=50").column("input");
  EXPECT_NEAR(shorter[0][0][0][0].item<int>(), 81, 1);  // 100 wide, 20 from 40 on
  expect_error<ConfigError>([&] { open("?resize=10&size=[20,20]"); }, {"folder.resize: expected at least 20"});
  expect_error<ConfigError>([&] { open("?fit=pad"); }, {"folder.fit: expected crop where no size is given"});
  expect_error<ConfigError>([&] { open("?fit=pad&size=[9,9]&resize=9"); }, {"folder.resize: expected 0"});
}

TEST(Folder, FurtherFilesAreReadAlike) {
  const Folder folder;
  folder.write("a/1.png", wide());
  folder.write("b/1.png", picture(9, 3, 10, 30));
  const Dataset train = data::open(ref(folder.path() / "a", "?resize=50&channels=3")).train;
  EXPECT_EQ(train.info().fields.at("input").shape, (Shape{3, 50, 100}));
  const Json reader = Preprocess::standard(train, Signature{}).reader();
  const Dataset alike = data::open(ref(folder.path() / "a"), {.fitted = reader}).train;
  EXPECT_TRUE(at::equal(alike.column("input"), train.column("input")));
  EXPECT_EQ(data::open(ref(folder.path() / "b"), {.fitted = reader}).train.info().fields.at("input").shape,
            (Shape{3, 50, 100}));
  Json known = reader;
  known["classes"] = {"a", "b", "c"};  // labels keep their numbers where further files have some of the classes
  folder.write("set/b/1.png", picture(9));
  folder.write("set/c/1.png", picture(9));
  const Dataset some = data::open(ref(folder.path() / "set"), {.fitted = known}).train;
  EXPECT_EQ(values_of(some.labels()), (Shape{1, 2}));
}

TEST(Folder, LongShapesTakeNoMemory) {
  const Folder folder;
  folder.write("1.png", picture(1, 1, 1, 30000));
  folder.write("2.png", picture(1, 1, 9, 9));
  Heard heard;
  const Splits splits = data::open(ref(folder.path(), "?size=[4096,4096]"), heard.reading());
  EXPECT_EQ(splits.train.size(), 1);
  EXPECT_TRUE(heard.says("1.png: expected at most 67108864 pixels after resizing, found 122880000×4096"));
}

TEST(Folder, MoreThanMemoryIsDecodedAtEachUse) {
  const Folder folder;
  for (int i = 0; i < 6; ++i) folder.write(fmt::format("{}/{}.png", i % 2 ? "a" : "b", i), picture(i));
  folder.write("a/9.png", picture(9).substr(0, 60));
  write_archive(folder.path() / "a.zip", ArchiveKind::zip, {{"x/1.png", picture(1)}});
  const Splits held = data::open(ref(folder.path()));
  Heard heard;
  const Splits lazy = data::open(ref(folder.path(), "?memory=0"), heard.reading());
  EXPECT_FALSE(held.train.decodes());
  EXPECT_TRUE(lazy.train.decodes());
  EXPECT_EQ(lazy.train.name(3), held.train.name(3));
  EXPECT_TRUE(heard.says("9.png: expected an intact PNG image"));
  EXPECT_EQ(lazy.train.info().classes, held.train.info().classes);
  EXPECT_EQ(to_json(lazy.train.info().fields.at("target")), to_json(held.train.info().fields.at("target")));
  EXPECT_EQ(lazy.train.info().sha256.size(), 64U);
  const at::Tensor index = testing::long_tensor({5, 0, 3, 3});
  const Fields a = lazy.train.gather(index), b = held.train.gather(index);
  EXPECT_TRUE(at::equal(a.input(), b.input()));
  EXPECT_TRUE(at::equal(a.target(), b.target()));
  EXPECT_TRUE(at::equal(lazy.train.labels(), held.train.labels()));
  EXPECT_EQ(lazy.test.size(), 0);
  EXPECT_EQ(data::open(ref(folder.path(), "?memory=0&test_share=0.3")).test.size(), 2);
  expect_error<DataError>([&] { data::open(ref(folder.path() / "a.zip", "?memory=0")); }, {"unpack it into a folder"});
}

TEST(Folder, WithoutCheckADamagedPictureEndsItsUse) {
  const Folder folder;
  folder.write("1.png", picture(1).substr(0, 60));
  const Splits lazy = data::open(ref(folder.path(), "?memory=0&check=false"));
  expect_error<DataError>([&] { lazy.train.all(); }, {"1.png: expected an intact PNG image"});
}

TEST(Folder, Options) { testing::expect_fields_cover<readers::Folder::Options>(); }

TEST(Folder, Hymenoptera) {
  const auto folder = testing::shared_data("hymenoptera");
  if (!folder) GTEST_SKIP() << "no hymenoptera under VAETL_TEST_DATA (default ../shared/data)";
  const Splits splits = data::open(ref(*folder / "hymenoptera_data.tar", "?memory=50&size=[8,8]&check=false"));
  EXPECT_EQ(values_of(at::bincount(splits.train.labels())), (Shape{123, 121}));
  EXPECT_EQ(values_of(at::bincount(splits.test.labels())), (Shape{70, 83}));
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"ants", "bees"}));
}

TEST(Folder, Emoji) {
  const auto folder = testing::shared_data("noto-emoji");
  if (!folder) GTEST_SKIP() << "no noto-emoji under VAETL_TEST_DATA (default ../shared/data)";
  const Splits splits = data::open(ref(*folder / "noto-emoji-72px.tar.xz"));
  EXPECT_EQ(splits.train.column("input").sizes().vec(), (Shape{3583, 4, 72, 72}));
  EXPECT_FALSE(splits.train.has("target"));
}

}  // namespace
}  // namespace vaetl::folder_test
