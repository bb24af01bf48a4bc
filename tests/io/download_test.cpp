// Against a local server with faults: tests/support/http_server.py.
#include "vaetl/io/download.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <thread>

#include "tests/io/scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/http_server.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::download_test {
namespace {

using testing::bytes_of;
using testing::expect_error;
using testing::HttpServer;
using testing::Scratch;
using Names = std::vector<std::string>;

constexpr std::int64_t size = 300'000;

class Download : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new HttpServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  static std::string url(const std::string& path) { return (*server_)(path); }
  static std::string file() { return HttpServer::content(size); }
  static DownloadOptions checked() { return {.sha256 = sha256_hex(file()), .bytes = size}; }

  Downloaded get(const std::string& path, const DownloadOptions& options = checked()) const {
    return download(url(path), target(), options);
  }
  std::filesystem::path target() const { return scratch_ / "a.bin"; }
  // What a broken download has left behind.
  void put_part(std::string_view bytes) const { scratch_.put(".a.bin.part", bytes); }
  void expect_whole() const {
    EXPECT_TRUE(bytes_of(target()) == file());
    EXPECT_EQ(scratch_.names(), Names{"a.bin"});
  }
  // The ranges that were asked for at a path.
  std::string requests(const std::string& path) const {
    const Scratch other;
    download(url("/log"), other / "log");
    std::istringstream lines(bytes_of(other / "log"));
    std::string result;
    for (std::string place, range; lines >> place >> range;) {
      if (place == path) result += (result.empty() ? "" : " ") + range;
    }
    return result;
  }

  const Scratch scratch_;

 private:
  static inline HttpServer* server_ = nullptr;
};

TEST_F(Download, FetchesChecksAndTellsProgress) {
  std::int64_t done = 0, total = 0;
  DownloadOptions options = checked();
  options.progress = [&](std::int64_t now, std::int64_t of) { std::tie(done, total) = std::tuple{now, of}; };
  const auto to = scratch_ / "new" / "a.bin";
  const Downloaded result = download(url("/ok/300000"), to, options);
  EXPECT_EQ(result.bytes, size);
  EXPECT_EQ(result.resumed, 0);
  EXPECT_TRUE(bytes_of(to) == file());
  EXPECT_EQ(done, size);
  EXPECT_EQ(total, size);
}

TEST_F(Download, GoesOnFromWhatHasArrived) {
  expect_error<DataError>([&] { get("/cut/resume300000"); },
                          {target().string(), url("/cut/resume300000"), "150000 bytes remaining", "get it by hand"});
  EXPECT_EQ(scratch_.names(), Names{".a.bin.part"});
  EXPECT_EQ(get("/cut/resume300000").resumed, size / 2);
  expect_whole();
  EXPECT_EQ(requests("/cut/resume300000"), "- bytes=150000-");
}

TEST_F(Download, ACompletePartNeedsNoServer) {
  put_part(file());
  EXPECT_EQ(download("http://127.0.0.1:1/never", target(), checked()).resumed, size);
  expect_whole();
}

TEST_F(Download, StartsAgainWhereItCannotGoOn) {
  const std::string half = file().substr(0, size / 2);
  for (const char* path : {"/norange/300000", "/norange416/300000", "/elsewhere/300000"}) {
    put_part(half);
    EXPECT_EQ(get(path).resumed, 0) << path;
    expect_whole();
    std::filesystem::remove(target());
  }
  for (const std::string& other : {std::string(size / 2, 'x'), std::string(size + 1, 'x'), std::string(size, 'x')}) {
    put_part(other);  // of a file that has changed since
    EXPECT_EQ(get("/ok/300000").resumed, 0) << other.size();
    expect_whole();
    std::filesystem::remove(target());
  }
}

TEST_F(Download, WithoutAChecksumNothingIsGoneOnFrom) {
  put_part(file().substr(0, 1000));
  EXPECT_EQ(get("/ok/unchecked300000", {}).resumed, 0);
  expect_whole();
  EXPECT_EQ(requests("/ok/unchecked300000"), "-");
}

TEST_F(Download, RefusesOtherSizes) {
  const std::string sum = sha256_hex(file());
  expect_error<DataError>([&] { get("/ok/300000", {.sha256 = sum, .bytes = size - 1}); },
                          {"one of 300,000 bytes instead of 299,999"});
  expect_error<DataError>([&] { get("/ok/300000", {.max_bytes = 1000}); }, {"one of 300,000 bytes, of at most 1,000"});
  expect_error<DataError>([&] { get("/chunked/300000", {.max_bytes = 1000}); }, {"one of more than 1,000 bytes"});
  expect_error<DataError>([&] { get("/chunked/300000", {.bytes = size + 1}); },
                          {"one of 300,000 bytes instead of 300,001"});
  EXPECT_EQ(scratch_.names(), Names{});
  get("/chunked/300000", {.max_bytes = size});
  expect_whole();
}

TEST_F(Download, AWrongChecksumLeavesWhatWasThere) {
  scratch_.put("a.bin", "old");
  const std::string expected(64, '0');
  expect_error<DataError>([&] { get("/ok/300000", {.sha256 = expected}); },
                          {"with SHA-256 " + expected, "found one with SHA-256 " + sha256_hex(file())});
  EXPECT_EQ(bytes_of(target()), "old");
  EXPECT_EQ(scratch_.names(), Names{"a.bin"});
}

TEST_F(Download, RefusalsSayWhatToDo) {
  const std::string address = url("/404/a");
  expect_error<DataError>([&] { get("/404/a"); }, {target().string() + ": expected the file at " + address,
                                                   "found the answer 404; get it by hand from that address"});
  expect_error<DataError>([&] { get("/page500/a"); }, {"found the answer 500"});
  expect_error<DataError>([&] { download("http://127.0.0.1:1/a", target(), checked()); }, {"Failed to connect"});
  expect_error<DataError>([&] { download("http://nowhere.invalid/a", target(), checked()); },
                          {"Could not resolve host: nowhere.invalid", "get it by hand"});
  EXPECT_EQ(scratch_.names(), Names{});
}

TEST_F(Download, OnlyHttpAndOnlyToHttp) {
  for (const char* address : {"file:///etc/passwd", "ftp://host/a", "a.bin", "http://", ""}) {
    expect_error<ConfigError>([&] { download(address, target()); }, {"an http or https address"});
  }
  expect_error<DataError>([&] { get("/to-file"); }, {"Protocol \"file\" not supported"});
  expect_error<DataError>([&] { get("/to-self"); }, {"Maximum (10) redirects followed"});
  EXPECT_EQ(scratch_.names(), Names{});
  get("/to/ok/300000");
  expect_whole();
}

TEST_F(Download, EndsWhereNothingArrives) {
  const DownloadOptions options{.sha256 = std::string(64, '0'), .stall_seconds = 1};
  expect_error<DataError>([&] { get("/stall/100", options); }, {"Operation too slow", "1 second"});
  EXPECT_EQ(scratch_.names(), Names{".a.bin.part"});
}

TEST_F(Download, IsCancelledAndKeepsWhatCame) {
  DownloadOptions options = checked();
  bool begun = false;
  options.progress = [&](std::int64_t done, std::int64_t) { begun = done > 0; };
  options.cancelled = [&] { return begun; };
  try {
    get("/stall/300000", options);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code, Exit::interrupted) << error.what();
  }
  EXPECT_EQ(scratch_.names(), Names{".a.bin.part"});
  options.cancelled = {};
  options.progress = [](std::int64_t, std::int64_t) { throw std::domain_error("mine"); };
  EXPECT_THROW(get("/ok/300000", options), std::domain_error);
}

TEST_F(Download, AFullDiskIsAnOutputError) {
  rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{100'000, before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  expect_error<OutputError>([&] { get("/ok/300000"); }, {target().string(), "File too large", "free some space"});
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_FALSE(std::filesystem::exists(target()));
  scratch_.put("file", "");
  expect_error<OutputError>([&] { download(url("/ok/1"), scratch_ / "file" / "a.bin"); }, {"Not a directory"});
}

TEST_F(Download, OneAtATimeOfAFileManyOfMany) {
  DownloadOptions options = checked();
  options.progress = [&](std::int64_t, std::int64_t) { get("/ok/300000"); };
  expect_error<OutputError>([&] { get("/ok/300000", options); }, {"one download of it at a time"});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { download(url("/ok/300000"), scratch_ / std::to_string(i), checked()); });
  }
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(bytes_of(scratch_ / std::to_string(i)) == file());
}

}  // namespace
}  // namespace vaetl::download_test
