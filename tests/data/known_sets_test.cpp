// The table of known sets, and where a set is found.
#include "vaetl/data/known_sets.hpp"

#include "support.hpp"
#include "vaetl/data/open.hpp"

namespace vaetl::known_sets_test {
namespace {

using testing::Environment;
using testing::Folder;

TEST(KnownSets, AreCompleteAndUnique) {
  std::set<std::string> names;
  for (const auto& set : data::known_sets()) {
    SCOPED_TRACE(set.name);
    EXPECT_TRUE(names.insert(set.name).second);
    EXPECT_FALSE(set.summary.empty());
    EXPECT_FALSE(set.licence.empty());
    EXPECT_FALSE(set.files.empty());
    EXPECT_NE(set.can_fetch(), !set.by_hand.empty());
    for (const auto& file : set.files) {
      EXPECT_EQ(file.url.empty(), !set.can_fetch());
      EXPECT_TRUE(file.url.empty() || file.url.starts_with("https://")) << file.url;
      EXPECT_EQ(file.sha256.size(), 64u);
      EXPECT_EQ(file.sha256.find_first_not_of("0123456789abcdef"), std::string::npos);
      EXPECT_GT(file.bytes, 0);
    }
  }
  EXPECT_EQ(data::find_known("mnst"), nullptr);
}

// Every spec is one that its reader takes, and names files that are in the table.
TEST(KnownSets, ReadersTakeTheirOptions) {
  for (const auto& set : data::known_sets()) {
    SCOPED_TRACE(set.name);
    std::vector<Json> forms = set.also;
    forms.push_back(set.reader);
    for (Json form : forms) {
      const std::string kind = form["name"];
      form.erase("name");
      form.erase("path");
      EXPECT_NO_THROW(registry<Reader>().make({kind, form}));
    }
    for (const char* key : {"path", "test"}) {
      const std::string name = set.reader.value(key, std::string());
      auto is_it = [&](const data::KnownFile& file) { return file.name == name; };
      EXPECT_TRUE(name.empty() || std::any_of(set.files.begin(), set.files.end(), is_it)) << name;
    }
  }
}

class Places : public ::testing::Test {
 protected:
  // Iris as a file of its size; what it holds does not matter here.
  void put(const std::string& folder) const { put(folder, iris_.files[0].bytes); }
  void put(const std::string& folder, std::int64_t bytes) const {
    folder_.write(folder + "/iris.csv", std::string(static_cast<std::size_t>(bytes), 'x'));
  }
  std::string found(const std::string& below = "") const {
    const Environment variable("VAETL_DATA", (folder_.path() / below).string());
    const auto place = data::locate(iris_);
    return place ? place->lexically_relative(folder_.path()).string() : "nowhere";
  }

  const data::KnownSet& iris_ = *data::find_known("iris");
  const Folder folder_;
  const Environment home_{"XDG_DATA_HOME", (folder_.path() / "home").string()};
};

TEST_F(Places, NearerOnesFirst) {
  EXPECT_EQ(found(), "nowhere");
  put("home/vaetl/data/iris");
  EXPECT_EQ(found("absent"), "home/vaetl/data/iris");
  put("b/c");
  put("b/a");
  EXPECT_EQ(found(), "b/a");
  put("z");
  EXPECT_EQ(found(), "z");
  EXPECT_EQ(found("b"), "b/a");
  put(".");
  EXPECT_EQ(found(), ".");
  put("iris");
  EXPECT_EQ(found(), "iris");
  EXPECT_EQ(found("iris/"), "iris");
}

TEST_F(Places, AFileOfAnotherSizeIsAnotherFile) {
  put("a", 10);
  put("a/b/c");  // three levels down
  EXPECT_EQ(found(), "nowhere");
  put("iris", 10);  // but in a folder of the set's name it is the user's own edition
  EXPECT_EQ(found(), "iris");
}

TEST_F(Places, ASetMayHaveSeveralForms) {
  const data::KnownSet& usps = *data::find_known("usps");
  const Environment variable("VAETL_DATA", folder_.path().string());
  folder_.write("usps/.zip.train.gz.part", "x");  // what a fetch has begun
  EXPECT_FALSE(data::locate(usps));
  folder_.write("usps/usps-train-images-idx3-ubyte", testing::idx({2, 1, 1}, testing::ramp(2)));
  ASSERT_TRUE(data::locate(usps));
  EXPECT_EQ(data::reader_in(usps, *data::locate(usps))["name"], "idx");
  EXPECT_EQ(data::open("usps").train.size(), 2);
  std::string rows;
  for (const char* label : {"7.0000", "3"}) {
    rows += label;
    for (int i = 0; i < 256; ++i) rows += i == 0 ? " -1" : i == 1 ? " 0.9" : " 1.000";
    rows += " \n";
  }
  folder_.write("usps/zip.train.gz", gzip_compress(rows));
  folder_.write("usps/zip.test.gz", gzip_compress(rows + "1 2 3\n"));
  std::vector<std::string> skipped;
  const Splits splits = data::open("usps", {.skipped = [&](const Problem& p) { skipped.push_back(p.found); }});
  EXPECT_EQ(splits.train.info().fields.at("input").shape, (std::vector<std::int64_t>{1, 16, 16}));
  EXPECT_EQ(testing::values_of(splits.train.labels()), (std::vector<std::int64_t>{7, 3}));
  const auto pixels = testing::values_of(splits.test.column("input")[0].flatten().narrow(0, 0, 3));
  EXPECT_EQ(pixels, (std::vector<std::int64_t>{0, 242, 255}));  // 0.95 · 255 = 242.25
  EXPECT_EQ(skipped, std::vector<std::string>{"3"});
  EXPECT_EQ(splits.train.classes(), 10);
}

}  // namespace
}  // namespace vaetl::known_sets_test
