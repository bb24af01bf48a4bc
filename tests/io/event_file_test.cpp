// Event files, read back here by a reader of a few lines; tests/apps/test_training_app.py reads them with
// TensorBoard's.
#include "vaetl/io/event_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <protozero/pbf_reader.hpp>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl::testing::event_file_test {
namespace {

// Bit by bit, as the definition says.
std::uint32_t slow_crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const unsigned char byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool one = ((crc ^ (static_cast<std::uint32_t>(byte) >> bit)) & 1u) != 0;
      crc = (crc >> 1) ^ (one ? 0x82F63B78u : 0u);
    }
  }
  return ~crc;
}

std::uint32_t masked(std::string_view bytes) {
  const std::uint32_t crc = slow_crc(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

template <class T>
T number_at(std::string_view bytes, std::size_t place) {
  T value{};
  std::memcpy(&value, bytes.data() + place, sizeof(T));
  return value;
}

// The payloads of all records; their checksums are checked.
std::vector<std::string> records(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  std::vector<std::string> result;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto size = number_at<std::uint64_t>(bytes, at);
    EXPECT_EQ(number_at<std::uint32_t>(bytes, at + 8), masked(std::string_view(bytes).substr(at, 8)));
    result.push_back(bytes.substr(at + 12, size));
    EXPECT_EQ(number_at<std::uint32_t>(bytes, at + 12 + size), masked(result.back()));
    at += 16 + size;
  }
  EXPECT_EQ(at, bytes.size());
  return result;
}

struct Value {
  std::int64_t step = 0;
  std::string tag, image, text;
  float scalar = 0;
  std::vector<double> limits, counts, moments;  // low, high, count, sum, sum of squares
};

void read_histogram(protozero::pbf_reader message, Value& value) {
  while (message.next()) {
    if (message.tag() <= 5) {
      value.moments.push_back(message.get_double());
    } else {
      auto& to = message.tag() == 6 ? value.limits : value.counts;
      for (const double each : message.get_packed_double()) to.push_back(each);
    }
  }
}

Value read_value(protozero::pbf_reader message) {
  Value value;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        value.tag = message.get_string();
        break;
      case 2:
        value.scalar = message.get_float();
        break;
      case 4: {
        protozero::pbf_reader image = message.get_message();
        EXPECT_TRUE(image.next(4));
        value.image = image.get_string();
        break;
      }
      case 5:
        read_histogram(message.get_message(), value);
        break;
      case 8: {
        protozero::pbf_reader tensor = message.get_message();
        EXPECT_TRUE(tensor.next(8));
        value.text = tensor.get_string();
        break;
      }
      default:
        message.skip();
    }
  }
  return value;
}

std::vector<Value> values(const std::filesystem::path& file) {
  std::vector<Value> result;
  for (const std::string& record : records(file)) {
    protozero::pbf_reader event(record);
    std::int64_t step = 0;
    while (event.next()) {
      if (event.tag() == 2) {
        step = event.get_int64();
      } else if (event.tag() == 5) {
        protozero::pbf_reader summary = event.get_message();
        while (summary.next(1)) {
          result.push_back(read_value(summary.get_message()));
          result.back().step = step;
        }
      } else {
        event.skip();
      }
    }
  }
  return result;
}

TEST(Crc32c, TheVectorsOfTheStandard) {
  // RFC 3720, appendix B.4, and the check value of the polynomial.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c("any bytes at all"), slow_crc("any bytes at all"));
}

TEST(EventFile, BeginsWithItsVersion) {
  const TemporaryFolder folder;
  const EventFile events(folder.path() + "/events");
  const auto all = records(events.path());
  ASSERT_EQ(all.size(), 1u);
  protozero::pbf_reader event(all[0]);
  ASSERT_TRUE(event.next(3));
  EXPECT_EQ(event.get_string(), "brain.Event:2");
  EXPECT_TRUE(events.path().filename().string().starts_with("events.out.tfevents."));
}

TEST(EventFile, ScalarsPicturesAndText) {
  const TemporaryFolder folder;
  EventFile events(folder.path());
  const at::Tensor image = at::arange(2 * 3 * 3, at::kByte).view({3, 2, 3});
  events.scalar("loss", 7, 0.125);
  events.picture("pictures", 8, image);
  events.text("notice", 9, "resumed at step 9");
  EXPECT_EQ(records(events.path()).size(), 1u);  // nothing but whole records is to be seen before the flush
  events.flush();
  const auto all = values(events.path());
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].tag, "loss");
  EXPECT_EQ(all[0].step, 7);
  EXPECT_EQ(all[0].scalar, 0.125f);
  EXPECT_EQ(all[1].step, 8);
  EXPECT_TRUE(decode_png(all[1].image, "picture").equal(image));
  EXPECT_EQ(all[2].text, "resumed at step 9");
}

TEST(EventFile, HistogramsCountEveryFiniteValue) {
  const TemporaryFolder folder;
  EventFile events(folder.path());
  const double none = std::numeric_limits<double>::quiet_NaN();
  events.histogram("weights", 1, at::tensor({-1.0, -0.5, 0.0, 0.25, 2.0, none}));
  events.histogram("still", 1, at::full({4}, 3.0));
  events.flush();
  const auto all = values(events.path());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].moments, (std::vector<double>{-1, 2, 5, 0.75, 5.3125}));
  EXPECT_EQ(std::accumulate(all[0].counts.begin(), all[0].counts.end(), 0.0), 5);
  EXPECT_EQ(all[0].limits.size(), all[0].counts.size());
  EXPECT_TRUE(std::is_sorted(all[0].limits.begin(), all[0].limits.end()));
  EXPECT_EQ(all[0].limits.back(), 2);
  EXPECT_EQ(all[0].counts.front(), 1);
  EXPECT_EQ(all[1].limits, std::vector<double>{3});
  EXPECT_EQ(all[1].counts, std::vector<double>{4});
}

TEST(EventFile, AResumedRunAddsAFileThatSaysWhereItGoesOn) {
  const TemporaryFolder folder;
  const EventFile first(folder.path());
  const EventFile second(folder.path(), 41);
  EXPECT_LT(first.path(), second.path());  // TensorBoard reads the files of a folder by name
  const auto all = records(second.path());
  ASSERT_EQ(all.size(), 2u);
  protozero::pbf_reader event(all[1]);
  ASSERT_TRUE(event.next(2));
  EXPECT_EQ(event.get_int64(), 41);
  ASSERT_TRUE(event.next(7));
  protozero::pbf_reader session = event.get_message();
  ASSERT_TRUE(session.next(1));
  EXPECT_EQ(session.get_enum(), 1);  // SessionLog.START
}

TEST(EventFile, WhatCannotBeWrittenIsNamed) {
  const TemporaryFolder folder;
  const std::string file = folder.file("taken", "x");
  expect_error<OutputError>([&] { EventFile{file + "/events"}; }, {"taken"});
}

}  // namespace
}  // namespace vaetl::testing::event_file_test
