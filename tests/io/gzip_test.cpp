#include "vaetl/io/gzip.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/io/scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::gzip_test {
namespace {

using testing::expect_error;
using testing::Scratch;

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random() % 64);
  return bytes;
}

std::string_view view(const at::Tensor& bytes) {
  return {static_cast<const char*>(bytes.const_data_ptr()), static_cast<std::size_t>(bytes.numel())};
}

// `printf hello | gzip -n`
const std::string hello_gz(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00", 25);

TEST(Gzip, ReadsPlainAndCompressed) {
  const Scratch scratch;
  EXPECT_EQ(read_maybe_gzip(scratch.put("a", "hello"), 5), "hello");
  EXPECT_EQ(read_maybe_gzip(scratch.put("b", hello_gz), 5), "hello");
  EXPECT_EQ(read_maybe_gzip(scratch.put("c", ""), 0), "");
  EXPECT_EQ(read_maybe_gzip(scratch.put("d", gzip_compress("")), 0), "");
  EXPECT_EQ(read_maybe_gzip(scratch.put("e", "\x1f"), 9), "\x1f");
}

TEST(Gzip, RoundTripAcrossManyBlocks) {
  const Scratch scratch;
  const std::string bytes = noise(1'000'003);
  EXPECT_EQ(read_maybe_gzip(scratch.put("a.gz", gzip_compress(bytes)), 2'000'000), bytes);
  EXPECT_EQ(read_maybe_gzip(scratch.put("a", bytes), 2'000'000), bytes);
}

TEST(Gzip, ConcatenatedMembersAndZeroPadding) {
  const Scratch scratch;
  const std::string twice = hello_gz + gzip_compress(" world");
  EXPECT_EQ(read_maybe_gzip(scratch.put("a", twice), 100), "hello world");
  EXPECT_EQ(read_maybe_gzip(scratch.put("b", twice + std::string(100'000, '\0')), 100), "hello world");
  expect_error<DataError>([&] { read_maybe_gzip(scratch.put("c", hello_gz + "rubbish"), 100); },
                          {(scratch / "c").string(), "other bytes behind the compressed data after 5 bytes"});
}

TEST(Gzip, ABombStopsAtTheLimit) {
  const Scratch scratch;
  const auto path = scratch.put("bomb.gz", gzip_compress(std::string(10'000'000, '\0')));
  EXPECT_LT(std::filesystem::file_size(path), 20'000u);
  expect_error<DataError>([&] { read_maybe_gzip(path, 1000); }, {path.string(), "expected at most 1000 bytes of data"});
  expect_error<DataError>([&] { read_maybe_gzip(scratch.put("plain", std::string(1001, 'x')), 1000); },
                          {"expected at most 1000 bytes of data, found more"});
}

TEST(Gzip, EveryTruncationIsRefused) {
  const Scratch scratch;
  const std::string whole = gzip_compress(noise(600));
  for (std::size_t size = 2; size < whole.size(); ++size) {
    const auto path = scratch.put("cut.gz", std::string_view(whole).substr(0, size));
    expect_error<DataError>([&] { read_maybe_gzip(path, 1000); }, {path.string(), "the end of the file within"});
  }
}

TEST(Gzip, DamageIsRefused) {
  const Scratch scratch;
  std::string checksum = hello_gz, length = hello_gz, method = hello_gz;
  checksum[17] = static_cast<char>(checksum[17] ^ 1);
  length[21] = 6;
  method[2] = 7;
  expect_error<DataError>([&] { read_maybe_gzip(scratch.put("a", checksum), 9); },
                          {"expected an intact gzip file", "wrong checksum or length", "fetch or copy the file again"});
  expect_error<DataError>([&] { read_maybe_gzip(scratch.put("b", length), 9); }, {"wrong checksum or length"});
  expect_error<DataError>([&] { read_maybe_gzip(scratch.put("c", method), 9); }, {"unknown compression method"});
}

// Blocks of every type, several members; each byte wrong in turn: refused, or a byte of the header that says nothing of
// the data. Read in steps of any size, the same.
TEST(Gzip, AnyByteWrongIsRefusedOrOfNoMatter) {
  const Scratch scratch;
  std::string text;
  for (int i = 0; i < 300; ++i) text += fmt::format("{} and {}, ", i, i * i);
  const std::string whole = gzip_compress(text) + gzip_compress(noise(90)) + gzip_compress("aaaaaaaaaaaaaaaaaaaaaaaa");
  const std::string expected = text + noise(90) + "aaaaaaaaaaaaaaaaaaaaaaaa";
  std::int64_t refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    const auto path = scratch.put("damaged.gz", damaged);
    try {
      const std::string read = read_maybe_gzip(path, 1 << 20);
      EXPECT_TRUE(i < 10 ? read == damaged || read == expected : read == expected) << "byte " << i;
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, std::ssize(whole) - 30);
}

TEST(Gzip, StepsOfAnySizeReadTheSame) {
  const Scratch scratch;
  const std::string bytes = noise(70'000) + std::string(3000, 'a');
  const auto path = scratch.put("a.gz", gzip_compress(bytes) + gzip_compress("end"));
  for (const std::size_t step : {1, 3, 255, 4096, 65'537}) {
    ByteReader reader(path);
    std::string read;
    while (!reader.at_end()) {
      std::string part(step, '\0');
      part.resize(reader.read(part.data(), step));
      read += part;
    }
    EXPECT_EQ(read, bytes + "end") << "in steps of " << step;
  }
}

std::uint16_t header_checksum(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return static_cast<std::uint16_t>(~crc);
}

// With a name, and a checksum of its header.
std::string named_member(const std::string& name, std::string_view bytes) {
  const std::string plain = gzip_compress(bytes);
  std::string header = plain.substr(0, 10) + name + '\0';
  header[3] = 0x0a;
  const std::uint16_t sum = header_checksum(header);
  return header + static_cast<char>(sum & 0xff) + static_cast<char>(sum >> 8) + plain.substr(10);
}

// The file is read in pieces of 64 KiB: the second member's header begins just before the first piece ends.
TEST(Gzip, AHeaderMayBeCutByTheBuffer) {
  const Scratch scratch;
  constexpr std::size_t piece = std::size_t{1} << 16;
  const std::size_t rest = named_member("", "one").size();
  for (std::size_t before = 1; before < 30; ++before) {
    const std::string first = named_member(std::string(piece - before - rest, 'n'), "one");
    ASSERT_EQ(first.size(), piece - before);
    std::string both = first + named_member("second", " two");
    EXPECT_EQ(read_maybe_gzip(scratch.put("a.gz", both), 100), "one two") << before;
    both[first.size() + 12] ^= 1;  // of the name, which its checksum tells
    expect_error<DataError>([&] { read_maybe_gzip(scratch.put("b.gz", both), 100); }, {"wrong checksum"});
  }
}

TEST(Gzip, AbsentFileAndFolder) {
  const Scratch scratch;
  expect_error<DataError>([&] { ByteReader reader(scratch / "absent"); },
                          {(scratch / "absent").string(), "No such file or directory"});
  expect_error<DataError>([&] { ByteReader reader(scratch.folder()); }, {"expected a regular file, found a folder"});
}

TEST(Gzip, CompressionIsDeterministic) { EXPECT_EQ(gzip_compress("hello"), hello_gz); }

class ByteReaderForms : public ::testing::TestWithParam<bool> {
 protected:
  std::filesystem::path put(const std::string& bytes) {
    return scratch_.put("data", GetParam() ? gzip_compress(bytes) : bytes);
  }
  Scratch scratch_;
};

TEST_P(ByteReaderForms, HeaderThenRest) {
  const std::string bytes = noise(200'016);
  ByteReader reader(put(bytes));
  EXPECT_EQ(reader.compressed(), GetParam());
  char header[16];
  ASSERT_EQ(reader.read(header, sizeof header), sizeof header);
  EXPECT_FALSE(reader.at_end());
  EXPECT_EQ(reader.position(), 16u);
  const at::Tensor rest = reader.rest(200'000, "10 × 20000");
  EXPECT_EQ(std::string(header, 16) + std::string(view(rest)), bytes);
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(reader.read(header, 1), 0u);
  EXPECT_EQ(reader.position(), 200'016u);
}

TEST_P(ByteReaderForms, SmallReadsJoinUp) {
  const std::string bytes = noise(5000);
  ByteReader reader(put(bytes));
  std::string joined;
  char piece[7];
  while (!reader.at_end()) joined.append(piece, reader.read(piece, sizeof piece));
  EXPECT_EQ(joined, bytes);
}

TEST_P(ByteReaderForms, TooShortNamesBothSizes) {
  ByteReader reader(put(noise(1015)));
  char header[16];
  reader.read(header, sizeof header);
  expect_error<DataError>([&] { reader.rest(1000, "16 + 10 × 10 × 10"); },
                          {(scratch_ / "data").string(), "expected 1016 bytes (16 + 10 × 10 × 10), found 1015"});
}

TEST_P(ByteReaderForms, TooLongNamesBothSizes) {
  ByteReader reader(put(noise(1017)));
  char header[16];
  reader.read(header, sizeof header);
  expect_error<DataError>([&] { reader.rest(1000, "16 + 1000"); }, {"expected 1016 bytes (16 + 1000), found", "1017"});
}

TEST_P(ByteReaderForms, AnImpossibleSizeTakesNoMemory) {
  ByteReader reader(put(noise(116)));
  char header[16];
  reader.read(header, sizeof header);
  expect_error<DataError>([&] { reader.rest(std::uint64_t{1} << 60, "a lying header"); },
                          {"expected 1152921504606846992 bytes (a lying header), found 116"});
}

TEST_P(ByteReaderForms, NothingLeft) {
  ByteReader reader(put(""));
  EXPECT_EQ(reader.rest(0, "nothing").numel(), 0);
  EXPECT_TRUE(reader.at_end());
}

INSTANTIATE_TEST_SUITE_P(Forms, ByteReaderForms, ::testing::Bool(),
                         [](const auto& form) { return form.param ? "Compressed" : "Plain"; });

TEST(ByteReader, ACutStreamNamesBothSizes) {
  const Scratch scratch;
  const std::string whole = gzip_compress(noise(5000));
  ByteReader reader(scratch.put("cut.gz", whole.substr(0, whole.size() / 2)));
  expect_error<DataError>([&] { reader.rest(5000, "5000 × 1"); },
                          {"expected 5000 bytes (5000 × 1), found ", ", then the end of the file within"});
}

TEST(ByteReader, ALongStreamIsNotInflatedToItsEnd) {
  const Scratch scratch;
  std::string whole = gzip_compress(std::string(50'000'000, 'x'));
  whole.back() = '\x7f';  // damage at the very end, which a reader that stops in time never sees
  ByteReader reader(scratch.put("long.gz", whole));
  expect_error<DataError>([&] { reader.rest(1000, "1000"); }, {"expected 1000 bytes (1000), found at least 1001"});
}

}  // namespace
}  // namespace vaetl::gzip_test
