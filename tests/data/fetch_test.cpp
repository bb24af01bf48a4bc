// Known sets got from a mirror: the local server of tests/support/http_server.py, whose files are made by rule.
#include "vaetl/data/fetch.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/http_server.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::fetch_test {
namespace {

using testing::Environment;
using testing::expect_error;
using testing::Folder;
using testing::HttpServer;

class Fetch : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new HttpServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  static std::string url(const std::string& path) { return (*server_)(path); }
  static data::KnownFile file(const std::string& path, std::int64_t bytes, const std::string& name) {
    return {name, url(path), sha256_hex(HttpServer::content(static_cast<std::size_t>(bytes))), bytes};
  }
  static data::KnownSet toy() {
    data::KnownSet set;
    set.name = "toy";
    set.reader = {{"name", "idx"}};
    set.files = {file("/ok/1000.bin", 1000, "1000.bin"), file("/ok/b2000.bin", 2000, "2000.bin")};
    return set;
  }
  static std::vector<std::string> states(const data::FetchReport& report) {
    std::vector<std::string> result;
    for (const auto& entry : report.files) result.emplace_back(text_of(entry.state));
    return result;
  }

  const Folder folder_;
  const Environment home_{"XDG_DATA_HOME", folder_.path().string()};

 private:
  static inline HttpServer* server_ = nullptr;
};

using Texts = std::vector<std::string>;

TEST_F(Fetch, GetsWhatIsAbsentOrDiffers) {
  const data::KnownSet set = toy();
  EXPECT_EQ(data::total_bytes(set), 3000);
  std::int64_t bytes = 0;
  data::FetchOptions options;
  options.progress = [&](const data::KnownFile&, std::int64_t done, std::int64_t) { bytes = done; };
  const auto report = data::fetch(set, options);
  EXPECT_EQ(report.folder, folder_.path() / "vaetl" / "data" / "toy");
  EXPECT_EQ(states(report), (Texts{"fetched", "fetched"}));
  EXPECT_EQ(bytes, 2000);
  report.check();
  folder_.write("vaetl/data/toy/1000.bin", std::string(1000, 'x'));
  EXPECT_EQ(states(data::fetch(set)), (Texts{"fetched", "present"}));
  EXPECT_EQ(states(data::fetch(set)), (Texts{"present", "present"}));
}

TEST_F(Fetch, ARefusalIsOneLineThatSaysWhatToDoByHand) {
  data::KnownSet set = toy();
  set.files.insert(set.files.begin() + 1, file("/404/3000.bin", 3000, "3000.bin"));
  const auto report = data::fetch(set, {.folder = folder_.path() / "here"});
  EXPECT_EQ(states(report), (Texts{"fetched", "failed", "not tried"}));
  EXPECT_FALSE(report.complete());
  const std::string here = (folder_.path() / "here").string();
  expect_error<DataError>(
      [&] { report.check(); },
      {"toy: expected 3000.bin with SHA-256 " + set.files[1].sha256, "found the answer 404; get ",
       url("/404/3000.bin") + ", " + url("/ok/b2000.bin") + " as 2000.bin by hand", "put them into " + here});
  set.files[1] = file("/ok/3000.bin", 3000, "3000.bin");
  set.files[1].sha256.front() ^= 1;
  expect_error<DataError>([&] { data::fetch(set, {.folder = here}).check(); },
                          {set.files[1].sha256, "found one with SHA-256 "});
  EXPECT_FALSE(std::filesystem::exists(here + "/3000.bin"));
}

TEST_F(Fetch, AMirrorStandsInForTheSources) {
  const Environment mirror("VAETL_MIRROR", url("/ok/"));
  data::KnownSet set = toy();
  for (auto& entry : set.files) entry.url = "https://nowhere.invalid/" + entry.name;
  const auto report = data::fetch(set);
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.files[0].file.url, url("/ok/toy/1000.bin"));
  const Environment local("VAETL_MIRROR", "file:///tmp");
  expect_error<ConfigError>([&] { data::fetch(set, {.folder = folder_.path() / "x"}); },
                            {"an http or https address", "file:///tmp/toy/1000.bin"});
}

TEST_F(Fetch, WithoutANetworkTheSetSaysWhereItIs) {
  const Environment mirror("VAETL_MIRROR", "http://127.0.0.1:1/sets");
  const auto* mnist = data::find_known("mnist");
  const auto report = data::fetch(*mnist);
  EXPECT_EQ(states(report), (Texts{"failed", "not tried", "not tried", "not tried"}));
  expect_error<DataError>([&] { report.check(); },
                          {"Failed to connect",
                           "get train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, "
                           "t10k-labels-idx1-ubyte.gz from http://127.0.0.1:1/sets/mnist/ by hand",
                           "put them into " + data::user_folder(*mnist).string()});
  const Environment none("VAETL_DATA", "");
  expect_error<DataError>([] { data::open("mnist"); }, {"vaetl-data fetch mnist"});
  expect_error<ConfigError>([] { data::fetch(*data::find_known("hymenoptera")); },
                            {"hymenoptera: expected a set with public addresses", "hymenoptera_data.zip"});
}

}  // namespace
}  // namespace vaetl::fetch_test
