#include "vaetl/data/readers/pixels.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/open.hpp"

namespace vaetl::pixels_test {
namespace {

using testing::expect_error;
using testing::Folder;
using testing::values_of;
using Values = std::vector<std::int64_t>;

Splits read(const Folder& folder, const std::string& options, const Reading& reading = {}) {
  return data::open("pixels:" + (folder.path() / "a.csv").string() + "?size=[1,2]&" + options, reading);
}

TEST(Pixels, RowsOfALabelAndPixels) {
  const Folder folder;
  folder.write("a.csv", "label,pixel0,pixel1\n2,0,255\n0,127.4,127.6\n");
  const Splits splits = read(folder, "label=first");
  EXPECT_EQ(values_of(splits.train.column("input").flatten()), (Values{0, 255, 127, 128}));
  EXPECT_EQ(splits.train.column("input").sizes(), (Values{2, 1, 1, 2}));
  EXPECT_EQ(values_of(splits.train.labels()), (Values{2, 0}));
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(splits.test.size(), 0);
  const Json& spec = splits.train.info().reader;
  EXPECT_EQ(spec["name"], "pixels");
  EXPECT_EQ(spec["classes"], 3);
  EXPECT_FALSE(spec.contains("test"));
  // Further files are read by it to the same classes, with labels or without.
  folder.write("a.csv", "1,1\n2,2\n");
  EXPECT_FALSE(read(folder, "", {.fitted = spec}).train.has("target"));
  folder.write("a.csv", "1,1,1\n3,2,2\n");
  EXPECT_EQ(read(folder, "", {.fitted = spec}).train.size(), 1);
}

TEST(Pixels, OtherRangesPlacesAndDelimiters) {
  const Folder folder;
  folder.write("a.csv", "-1\t0\t1\n1  0.5 0 \n");
  folder.write("b.csv", "1 1 1\n");
  const Splits splits = read(folder, "low=-1&high=1&label=last&delimiter=space&test=b.csv");
  EXPECT_EQ(values_of(splits.train.column("input").flatten()), (Values{0, 128, 255, 191}));
  EXPECT_EQ(values_of(splits.train.labels()), (Values{1, 0}));
  EXPECT_EQ(splits.test.size(), 1);
  folder.write("a.csv", "1,0,0\n1,1,1\n1,2,2\n1,3,3\n");
  const Splits drawn = read(folder, "test_share=0.25");
  EXPECT_EQ(drawn.train.size(), 3);
  EXPECT_EQ(drawn.test.size(), 1);
}

TEST(Pixels, BadRowsAreToldWithTheirLines) {
  const Folder folder;
  folder.write("a.csv", "1,2,3\n1,2\nx,2,3\n-1,2,3\n1.5,2,3\n1,2,z\n1,2,256\n1,nan,0\n1,\"2,3\n0,4,5\n");
  std::vector<std::string> told;
  const Splits splits = read(folder, "", {.skipped = [&](const Problem& p) {
                               told.push_back(p.where.substr(p.where.rfind(':') + 1) + " " + p.found);
                             }});
  EXPECT_EQ(splits.train.size(), 2);
  ASSERT_EQ(told.size(), 8u);
  EXPECT_EQ(told[0], "2 2");
  EXPECT_EQ(told[1], "3 \"x\"");
  EXPECT_EQ(told[5], "7 \"256\"");
  EXPECT_TRUE(told[7].starts_with("9 ")) << told[7];
  expect_error<DataError>([&] { read(folder, "", {.strict = true}); }, {"a.csv:2", "3 values, a label and 2 pixels"});
  folder.write("a.csv", "a,b,c\n");
  expect_error<DataError>([&] { read(folder, ""); }, {"a.csv: expected examples, found none"});
  folder.write("a.csv", "1,2,300\n");
  expect_error<DataError>([&] { read(folder, ""); }, {"pixels from 0 to 255", "\"300\""});
}

TEST(Pixels, OptionsAreChecked) {
  const Folder folder;
  folder.write("a.csv", "1,2,3\n");
  expect_error<ConfigError>([&] { data::open("pixels:a.csv"); }, {"size", "[H, W]"});
  expect_error<ConfigError>([&] { data::open("pixels:a.csv?size=[60000,60000]"); }, {"at most 16,777,216 pixels"});
  expect_error<ConfigError>([&] { read(folder, "low=3&high=3"); }, {"low", "below high (3)"});
  expect_error<ConfigError>([&] { read(folder, "delimiter=ab"); }, {"one character, tab or space"});
}

}  // namespace
}  // namespace vaetl::pixels_test
