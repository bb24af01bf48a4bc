#include "vaetl/data/open.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"

namespace vaetl::open_test {
namespace {

using testing::Environment;
using testing::expect_error;
using testing::Folder;
using testing::idx;
using testing::ramp;

void write_pair(const Folder& folder, const std::string& prefix) {
  folder.write(prefix + "train-images", idx({2, 1, 1}, ramp(2)));
  folder.write(prefix + "train-labels", idx({2}, ramp(2)));
}

TEST(Open, UnknownReferencesNameTheNearest) {
  expect_error<ConfigError>([] { data::open("fashion-minst"); },
                            {"fashion-mnist, mnist", "did you mean \"fashion-mnist\"?"});
  expect_error<ConfigError>([] { data::open("ixd:/data"); }, {"idx", "\"ixd\"", "did you mean \"idx\""});
  expect_error<ConfigError>([] { data::open("idx:"); }, {"a path after \"idx:\""});
  const Folder folder;
  expect_error<ConfigError>([&] { data::open(folder.path().string()); }, {"write \"idx:" + folder.path().string()});
}

TEST(Open, SearchesThePathList) {
  const Folder folder;
  write_pair(folder, "inner/mnist/");
  write_pair(folder, "other/");
  const std::string root = folder.path().string();
  for (const std::string& list :
       {root + "/inner", "/absent:" + root + "/inner/mnist/", root + "/other:" + root + "/inner"}) {
    const Environment variable("VAETL_DATA", list);
    const Splits splits = data::open("mnist");
    EXPECT_EQ(splits.train.size(), 2) << list;
    EXPECT_EQ(splits.train.classes(), 10) << list;  // the known names, not the labels that occur
  }
}

TEST(Open, AbsentSetSaysWhereToGetIt) {
  const Folder folder;
  const Environment variable("VAETL_DATA", folder.path().string());
  expect_error<DataError>([] { data::open("mnist"); }, {"mnist: ", folder.path().string() + "/mnist",
                                                        "set VAETL_DATA to the folder that holds mnist/"});
  const data::KnownSet& fashion = data::known_sets().front();
  EXPECT_EQ(fashion.package, "dataset-fashion-mnist");
  if (std::filesystem::is_directory(fashion.folder)) return;
  expect_error<DataError>([] { data::open("fashion-mnist"); },
                          {"apt-get install dataset-fashion-mnist, or vaetl-data fetch fashion-mnist, or set"});
}

std::vector<std::int64_t> counts(const Dataset& data) {
  return testing::values_of(at::bincount(data.labels(), {}, data.classes()));
}

double pixel_mean(const Dataset& data) { return data.column("input").to(at::kDouble).mean().item<double>(); }

TEST(Open, FashionMnist) {
  const data::KnownSet& set = data::known_sets().front();
  if (!std::filesystem::is_directory(set.folder)) GTEST_SKIP() << "the package " << set.package << " is not installed";
  const Environment variable("VAETL_DATA", "");
  const Splits splits = data::open("fashion-mnist");
  EXPECT_EQ(splits.train.size(), 60000);
  EXPECT_EQ(splits.test.size(), 10000);
  EXPECT_EQ(splits.validation.size(), 0);
  EXPECT_EQ(counts(splits.train), std::vector<std::int64_t>(10, 6000));
  EXPECT_EQ(counts(splits.test), std::vector<std::int64_t>(10, 1000));
  EXPECT_EQ(splits.train.info().fields.at("input").shape, (std::vector<std::int64_t>{1, 28, 28}));
  EXPECT_NEAR(pixel_mean(splits.train), 72.9404, 5e-5);  // 0.2860 of 255, the published mean
  EXPECT_EQ(splits.train.info().licence, "MIT");
  EXPECT_EQ(splits.train.info().classes.at(9), "Ankle boot");
  EXPECT_EQ(splits.train.take_per_class(10, 0).size(), 100);
}

TEST(Open, KeepsSomeClasses) {
  const Folder folder;
  folder.write("train-images", idx({6, 1, 1}, ramp(6)));
  folder.write("train-labels", idx({6}, {0, 1, 2, 3, 2, 1}));
  const std::string reference = "idx:" + folder.path().string();
  const Dataset some = data::open(reference + "?keep=[2,1]").train;
  EXPECT_EQ(testing::values_of(some.labels()), (std::vector<std::int64_t>{1, 0, 0, 1}));
  EXPECT_EQ(testing::values_of(some.column("input").flatten().to(at::kLong)), (std::vector<std::int64_t>{1, 2, 4, 5}));
  EXPECT_EQ(some.classes(), 2);
  expect_error<DataError>([&] { data::open(reference + "?keep=[1,4]"); }, {"labels below 4 to keep", "found 4"});
  expect_error<ConfigError>([&] { data::open(reference + "?keep=[1,1]"); }, {"data.keep", "different labels", "[1,1]"});
  expect_error<ConfigError>([&] { data::open(reference + "?keep=two"); }, {"data.keep", "\"two\""});
}

TEST(Open, KeepsTheNamesOfClasses) {
  const Folder folder;
  write_pair(folder, "mnist/");
  const Environment variable("VAETL_DATA", folder.path().string());
  const Dataset one = data::open("mnist?keep=[1]").train;
  EXPECT_EQ(one.info().classes, (std::vector<std::string>{"1"}));
  EXPECT_EQ(testing::values_of(one.labels()), (std::vector<std::int64_t>{0}));
}

}  // namespace
}  // namespace vaetl::open_test
