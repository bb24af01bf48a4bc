// CIFAR's binary files, by hand and real.
#include "vaetl/data/readers/cifar.hpp"

#include "support.hpp"
#include "tests/support/archives.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/open.hpp"

namespace vaetl::cifar_test {
namespace {

using testing::ArchiveKind;
using testing::expect_error;
using testing::Folder;
using testing::values_of;
using testing::write_archive;

// One record whose three planes are filled with 1, 2 and 3 times `shade`.
std::string record(std::initializer_list<int> labels, int shade) {
  std::string bytes;
  for (int label : labels) bytes += static_cast<char>(label);
  for (int plane = 1; plane <= 3; ++plane) bytes += std::string(1024, static_cast<char>(plane * shade));
  return bytes;
}

std::string open_text(const Folder& folder, const std::string& options = {}) {
  return "cifar:" + folder.path().string() + options;
}

TEST(Cifar, TenFromFolderAndArchive) {
  const Folder folder;
  folder.write("in/data_batch_1.bin", record({3}, 10) + record({9}, 20));
  folder.write("in/data_batch_2.bin", record({0}, 30));
  folder.write("in/test_batch.bin", record({5}, 40));
  write_archive(folder.path() / "a.tar.gz", ArchiveKind::tar_gz,
                {{"cifar/data_batch_2.bin", record({0}, 30)},
                 {"cifar/data_batch_1.bin", record({3}, 10) + record({9}, 20)},
                 {"cifar/readme.html", "x"},
                 {"cifar/test_batch.bin", record({5}, 40)}});
  for (const std::string& ref : {"cifar:" + (folder.path() / "in").string(), open_text(folder, "/a.tar.gz")}) {
    const Splits splits = data::open(ref);
    EXPECT_EQ(values_of(splits.train.labels()), (std::vector<std::int64_t>{3, 9, 0}));
    EXPECT_EQ(values_of(splits.test.labels()), (std::vector<std::int64_t>{5}));
    EXPECT_EQ(splits.validation.size(), 0);
    EXPECT_EQ(values_of(splits.train.column("input").select(3, 31).select(2, 31)[1]),
              (std::vector<std::int64_t>{20, 40, 60}));
    EXPECT_EQ(splits.train.info().classes.at(9), "truck");
  }
}

TEST(Cifar, HundredFineAndCoarse) {
  const Folder folder;
  folder.write("train.bin", record({19, 99}, 1) + record({4, 0}, 2));
  folder.write("test.bin", record({1, 7}, 3));
  EXPECT_EQ(values_of(data::open(open_text(folder)).train.labels()), (std::vector<std::int64_t>{99, 0}));
  std::string names;
  for (int i = 0; i < 20; ++i) names += "kind " + std::to_string(i) + "\r\n";
  folder.write("coarse_label_names.txt", names + "\n");
  const Splits coarse = data::open(open_text(folder, "?labels=coarse"));
  EXPECT_EQ(values_of(coarse.train.labels()), (std::vector<std::int64_t>{19, 4}));
  EXPECT_EQ(coarse.test.info().classes.at(19), "kind 19");
  EXPECT_EQ(coarse.train.info().reader, (Json{{"name", "cifar"}, {"labels", "coarse"}}));
  EXPECT_EQ(values_of(coarse.train.column("input")[0].select(2, 0).select(1, 0)), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST(Cifar, OneFileAndShares) {
  const Folder folder;
  std::string records;
  for (int i = 0; i < 20; ++i) records += record({i % 2}, i);
  folder.write("some.bin", records);
  folder.write("more.bin", record({1}, 9));
  EXPECT_EQ(data::open(open_text(folder, "/some.bin")).test.size(), 0);
  const Splits shared = data::open(open_text(folder, "/some.bin?test_share=0.2"));
  EXPECT_EQ(shared.train.size(), 16);
  EXPECT_EQ(shared.test.size(), 4);
  const Splits given = data::open(open_text(folder, "/some.bin?test=more.bin"));
  EXPECT_EQ(given.train.size(), 20);
  EXPECT_EQ(given.test.size(), 1);
}

TEST(Cifar, WhatIsWrong) {
  const Folder folder;
  expect_error<DataError>([&] { data::open(open_text(folder)); }, {"found none of them"});
  expect_error<DataError>([&] { data::open(open_text(folder, "/absent")); }, {"found nothing there"});
  folder.write("data_batch_1.bin", record({1}, 1) + record({10}, 1) + record({2}, 1));
  std::vector<Problem> skipped;
  const Splits splits = data::open(open_text(folder), {.skipped = [&](const Problem& p) { skipped.push_back(p); }});
  EXPECT_EQ(values_of(splits.train.labels()), (std::vector<std::int64_t>{1, 2}));
  ASSERT_EQ(skipped.size(), 1U);
  EXPECT_TRUE(skipped[0].where.ends_with("data_batch_1.bin, record 1")) << skipped[0].where;
  EXPECT_EQ(skipped[0].found, "10");
  expect_error<DataError>([&] { data::open(open_text(folder), {.strict = true}); }, {"expected a label below 10"});
  expect_error<ConfigError>([&] { data::open(open_text(folder, "?labels=coarse")); }, {"CIFAR-10 has one label"});
  expect_error<ConfigError>([&] { data::open(open_text(folder, "?test=a&test_share=0.1")); }, {"cifar.test_share"});
  folder.write("train.bin", record({1, 1}, 1));
  expect_error<DataError>([&] { data::open(open_text(folder)); }, {"found those of CIFAR-10 and CIFAR-100"});
  folder.write("cut.bin", record({1}, 1) + "rest");
  expect_error<DataError>([&] { data::open(open_text(folder, "/cut.bin")); },
                          {"cut.bin: expected whole records of 3073 bytes, found 3077 bytes"});
}

TEST(Cifar, Options) { testing::expect_fields_cover<readers::Cifar::Options>(); }

TEST(Cifar, FirstFourThousand) {
  const auto folder = testing::shared_data("cifar10");
  if (!folder) GTEST_SKIP() << "no cifar10 under VAETL_TEST_DATA (default ../shared/data)";
  const Splits splits = data::open("cifar:" + (*folder / "cifar10_train_first4000.bin.xz").string());
  EXPECT_EQ(values_of(at::bincount(splits.train.labels())),
            (std::vector<std::int64_t>{396, 366, 420, 384, 422, 393, 414, 385, 407, 413}));
  EXPECT_EQ(values_of(splits.train.labels().narrow(0, 0, 10)),
            (std::vector<std::int64_t>{6, 9, 9, 4, 1, 1, 2, 7, 8, 3}));
}

}  // namespace
}  // namespace vaetl::cifar_test
