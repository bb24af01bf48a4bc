#include "vaetl/data/readers/idx.hpp"
#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/open.hpp"

namespace vaetl::idx_test {
namespace {

Splits open_idx(const std::filesystem::path& folder, DatasetInfo about = {}) {
  return readers::Idx({}).open(folder, {.about = std::move(about)});
}

using testing::expect_error;
using testing::Folder;
using testing::idx;
using testing::ramp;

const std::string images = idx({3, 2, 2}, ramp(12));
const std::string labels = idx({3}, std::string("\x02\x00\x01", 3));

void expect_three(const Dataset& data) {
  ASSERT_EQ(data.size(), 3);
  const Fields all = data.all();
  EXPECT_EQ(all.input().scalar_type(), at::kByte);
  EXPECT_EQ(all.target().scalar_type(), at::kLong);
  EXPECT_TRUE(at::equal(all.input(), at::arange(12, at::kByte).view({3, 1, 2, 2})));
  EXPECT_EQ(testing::values_of(all.target()), (std::vector<std::int64_t>{2, 0, 1}));
  EXPECT_EQ(data.classes(), 3);
}

TEST(Idx, PlainAndGzipHoldTheSame) {
  const Folder plain, packed;
  plain.write("train-images-idx3-ubyte", images);
  plain.write("train-labels-idx1-ubyte", labels);
  packed.write("t10k-images.idx3.gz", gzip_compress(images));
  packed.write("t10k-labels.idx1.gz", gzip_compress(labels));
  const Splits a = data::open("idx:" + plain.path().string());
  expect_three(a.train);
  EXPECT_EQ(a.test.size(), 0);
  EXPECT_EQ(a.validation.size(), 0);
  EXPECT_EQ(a.test.classes(), 3);
  EXPECT_EQ(a.train.info().split, "train");
  EXPECT_EQ(a.train.info().name, "idx:" + plain.path().string());
  EXPECT_EQ(a.train.info().fields.at("input").shape, (std::vector<std::int64_t>{1, 2, 2}));
  const Splits b = open_idx(packed.path());
  expect_three(b.test);
  EXPECT_EQ(b.train.size(), 0);
  EXPECT_EQ(b.test.info().split, "test");
  EXPECT_EQ(a.train.info().sha256, b.test.info().sha256);
  EXPECT_EQ(a.train.info().sha256, data_sha256(a.train));
}

TEST(Idx, NamesTellSplitsAndKinds) {
  const Folder folder;
  folder.write("my_images.idx", images);
  folder.write("my_labels.idx", labels);
  folder.write("my_images.idx.gz", gzip_compress(idx({1, 1, 1}, "x")));  // the plain file wins
  folder.write("test_data.idx3", idx({1, 2, 2}, ramp(4)));               // no labels: no target
  folder.write(".train-images.swp", "junk");
  folder.write("readme.txt", "junk");
  const Splits splits = open_idx(folder.path());
  expect_three(splits.train);
  EXPECT_EQ(splits.test.size(), 1);
  EXPECT_FALSE(splits.test.has("target"));
  EXPECT_EQ(splits.test.classes(), 0);
}

TEST(Idx, ReadsAnyNumberOfDimensions) {
  const Folder folder;
  EXPECT_TRUE(at::equal(readers::read_idx(folder.write("a", idx({2, 1, 2, 1}, ramp(4)))),
                        at::arange(4, at::kByte).view({2, 1, 2, 1})));
}

// Both files are read through the same door, so errors are checked there.
void expect_images_error(const std::string& bytes, std::initializer_list<std::string_view> parts) {
  const Folder folder;
  folder.write("train-images", bytes);
  folder.write("train-labels", labels);
  expect_error<DataError>([&] { open_idx(folder.path()); }, parts);
}

TEST(Idx, SizesThatDoNotMatchNameBoth) {
  expect_images_error(images.substr(0, 20), {"train-images", "28 bytes", "(3, 2, 2)", "20"});
  expect_images_error(images + "xyz", {"train-images", "28 bytes", "31"});
  expect_images_error(gzip_compress(images.substr(0, 20)), {"train-images", "28 bytes", "20"});
  expect_images_error(gzip_compress(images + "xyz"), {"train-images", "28 bytes", "at least 29"});
  const std::string packed = gzip_compress(images);
  expect_images_error(packed.substr(0, packed.size() - 12), {"train-images", "28 bytes"});
  expect_images_error(packed.substr(0, packed.size() - 3), {"train-images", "the end of the file"});
}

TEST(Idx, HeadersThatLieTakeNoMemory) {
  expect_images_error(idx({4000000000u, 60000, 60000}, ramp(12)), {"(4000000000, 60000, 60000)", "63 bits"});
  expect_images_error(idx({4000000000u, 30000, 30000}, ramp(12)), {"3600000000000000016 bytes", "28"});
  expect_images_error(gzip_compress(idx({4000000000u, 30000, 30000}, ramp(12))), {"3600000000000000016 bytes", "28"});
  expect_images_error(idx({0, 2, 2}, ""), {"dimensions above 0", "(0, 2, 2)"});
}

TEST(Idx, WhatIsNoIdxFileIsNamed) {
  expect_images_error("", {"an IDX file", "at least 4 bytes", "found 0 bytes"});
  expect_images_error(images.substr(0, 10), {"at least 12 bytes", "10 bytes"});
  expect_images_error("\x89PNG and more", {"beginning with the bytes 00 00", "89 50 4e 47"});
  expect_images_error(idx({3, 2, 2}, ramp(48), 0x0d), {"unsigned bytes", "32-bit floats"});
  expect_images_error(idx({3, 1, 2, 2}, ramp(12)), {"images (3 dimensions)", "4 dimensions"});
}

TEST(Idx, SwappedFilesAreExplained) {
  const Folder folder;
  folder.write("train-images-idx3-ubyte", labels);
  folder.write("train-labels-idx1-ubyte", images);
  expect_error<DataError>([&] { open_idx(folder.path()); }, {"train-images-idx3-ubyte", "images (3 dimensions)",
                                                             "labels (1 dimension)", "each other's name"});
}

TEST(Idx, CountsOfImagesAndLabelsMustAgree) {
  const Folder folder;
  folder.write("train-images", images);
  folder.write("train-labels", idx({2}, ramp(2)));
  expect_error<DataError>([&] { open_idx(folder.path()); }, {"train-labels", "3 labels", "found 2"});
}

TEST(Idx, LabelsOutsideTheNamedClasses) {
  const Folder folder;
  folder.write("train-images", images);
  folder.write("train-labels", labels);
  expect_error<DataError>(
      [&] {
        open_idx(folder.path(), {.name = "pair", .classes = {"a", "b"}});
      },
      {"pair", "labels in 0 … 1", "the label 2"});
}

TEST(Idx, FoldersThatHoldNoPair) {
  const Folder folder;
  auto open = [&] { open_idx(folder.path()); };
  expect_error<DataError>(open, {"`images` and `labels`", "an empty folder"});
  folder.write("notes.txt", "x");
  expect_error<DataError>(open, {"\"notes.txt\""});
  folder.write("train-labels", labels);
  expect_error<DataError>(open, {"images beside \"train-labels\"", "none"});
  folder.write("a-train-images", images);
  folder.write("b-train-images", images);
  expect_error<DataError>(open, {"one file of training images", "\"a-train-images\" and \"b-train-images\""});
  expect_error<DataError>([&] { open_idx(folder.path() / "absent"); }, {"absent", "nothing there"});
  expect_error<DataError>([&] { open_idx(folder.path() / "notes.txt"); }, {"notes.txt", "a file"});
}

TEST(Idx, FileThatCannotBeRead) {
  const Folder folder;
  std::filesystem::create_symlink("nowhere", folder.path() / "train-images");
  expect_error<DataError>([&] { open_idx(folder.path()); }, {"train-images", "No such file"});
}

}  // namespace
}  // namespace vaetl::idx_test
