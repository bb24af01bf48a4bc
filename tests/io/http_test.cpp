// Small answers; PUT is tested with the programs (tests/apps/test_zoo_app.py), downloads in download_test.cpp.
#include "vaetl/io/http.hpp"

#include <gtest/gtest.h>

#include "tests/support/expect_error.hpp"
#include "tests/support/http_server.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::http_test {
namespace {

using testing::expect_error;
using testing::HttpServer;

TEST(Http, GivesTheAnswerWithItsStatus) {
  const HttpServer server;
  const HttpAnswer found = http_get(server("/ok/1000.bin"), 1000);
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body, HttpServer::content(1000));
  EXPECT_EQ(http_get(server("/404/1.bin"), 1000).status, 404);
  expect_error<DataError>([&] { http_get(server("/ok/1001.bin"), 1000); },
                          {"/ok/1001.bin", "expected at most 1,000 bytes, found an answer of more"});
}

TEST(Http, FollowsNoRedirectionToAFile) {
  const HttpServer server;
  expect_error<DataError>([&] { http_get(server("/to-file/1.bin"), 1000); }, {"expected an answer"});
  EXPECT_EQ(http_get(server("/to/ok/10.bin"), 1000).body, HttpServer::content(10));
}

TEST(Http, RefusesWhatIsNoAddressOrGivesNoAnswer) {
  for (const char* address : {"file:///etc/passwd", "ftp://x/y", "/etc/passwd", "http://", ""}) {
    expect_error<ConfigError>([&] { http_get(address, 10); }, {"an http or https address"});
  }
  expect_error<DataError>([] { http_get("http://127.0.0.1:9/index.json", 10); }, {"127.0.0.1:9", "expected an answer"});
  expect_error<DataError>([] { http_put("http://127.0.0.1:9/x", "bytes"); }, {"127.0.0.1:9", "expected an answer"});
}

}  // namespace
}  // namespace vaetl::http_test
