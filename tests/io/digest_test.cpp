#include <gtest/gtest.h>

#include "tests/io/scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/base64.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::digest_test {
namespace {

using testing::expect_error;
using testing::Scratch;

// FIPS 180-4's examples and the empty string.
TEST(Sha256, KnownVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfAFile) {
  const Scratch scratch;
  EXPECT_EQ(sha256_file(scratch.put("a", std::string(1'000'000, 'a'))), sha256_hex(std::string(1'000'000, 'a')));
  EXPECT_EQ(sha256_file(scratch.put("b", std::string(1 << 18, 'b'))), sha256_hex(std::string(1 << 18, 'b')));
  EXPECT_EQ(sha256_file(scratch.put("c", "")), sha256_hex(""));
  expect_error<FileError>([&] { sha256_file(scratch / "absent"); },
                          {(scratch / "absent").string(), "No such file or directory"});
  expect_error<FileError>([&] { sha256_file(scratch.folder()); }, {"Is a directory"});
}

// The test vectors of RFC 4648, section 10.
TEST(Base64, KnownVectors) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode("\xff\xfe\xfd"), "//79");
  EXPECT_EQ(data_uri("image/png", "foo"), "data:image/png;base64,Zm9v");
}

TEST(Base64, BlocksJoinWithoutPadding) {
  const std::string text = base64_encode(std::string((3u << 20) + 4, '\0'));
  EXPECT_EQ(text.find_first_not_of('A'), (4u << 20) + 6);
  EXPECT_EQ(text.substr(text.size() - 4), "AA==");
  EXPECT_EQ(base64_decode(text), std::string((3u << 20) + 4, '\0'));
}

TEST(Base64, DecodesWhatItEncodesAndNothingElse) {
  for (const char* bytes : {"", "f", "fo", "foo", "foobar", "\xff\xfe\xfd"}) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
  for (const char* text : {"Zg", "Zg=", "Zg=v", "Z===", "====", "Zm9 ", "Zm9v\n", "Zm9-", "Zg==Zg=="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
}

}  // namespace
}  // namespace vaetl::digest_test
