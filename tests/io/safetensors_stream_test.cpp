#include "vaetl/io/safetensors_stream.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/io/scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::safetensors_stream_test {
namespace {

using testing::bytes_of;
using testing::expect_error;
using testing::Scratch;

const std::map<std::string, SafetensorsEntry> entries = {{"bytes", {.dtype = at::kByte, .shape = {7, 3}}},
                                                         {"numbers", {.dtype = at::kDouble, .shape = {4}}},
                                                         {"none", {.dtype = at::kFloat, .shape = {0, 5}}}};

// Part by part and in any order of the tensors: the bytes of the file that is written at once.
TEST(SafetensorsStream, EqualsTheFileWrittenAtOnce) {
  const Scratch scratch;
  const at::Tensor bytes = at::arange(21, at::kByte).view({3, 7}).t(), numbers = at::arange(4, at::kDouble);
  write_safetensors(scratch / "whole", {{"bytes", bytes}, {"numbers", numbers}, {"none", at::zeros({0, 5})}},
                    {{"sum", "1234"}});
  SafetensorsStream stream(scratch / "parts", entries, {{"sum", "0000"}});
  stream.append("bytes", bytes.slice(0, 0, 2));
  stream.append("numbers", numbers.slice(0, 0, 3));
  stream.append("bytes", bytes.slice(0, 2, 7));
  stream.append("numbers", numbers.slice(0, 3, 4));
  EXPECT_FALSE(std::filesystem::exists(scratch / "parts"));
  stream.commit({{"sum", "1234"}});
  EXPECT_EQ(bytes_of(scratch / "parts"), bytes_of(scratch / "whole"));
}

TEST(SafetensorsStream, WhatIsNotCompleteLeavesNothing) {
  const Scratch scratch;
  {
    SafetensorsStream stream(scratch / "x", entries, {{"sum", "0000"}});
    stream.append("numbers", at::zeros({4}, at::kDouble));
    expect_error<Error>([&] { stream.append("numbers", at::zeros({1}, at::kDouble)); },
                        {"\"numbers\"", "0 bytes at most"});
    expect_error<Error>([&] { stream.append("bytes", at::zeros({1, 3})); }, {"\"bytes\"", "Byte as declared"});
    expect_error<Error>([&] { stream.commit({{"sum", "1234"}}); }, {"\"bytes\"", "all of its values", "21 bytes less"});
    stream.append("bytes", at::zeros({7, 3}, at::kByte));
    expect_error<Error>([&] { stream.commit({{"sum", "a digest of another length"}}); }, {"metadata as long as"});
  }
  EXPECT_TRUE(scratch.names().empty());
  expect_error<FileError>([&] { SafetensorsStream(scratch / "x", {{"", {}}}); }, {"tensors with names of their own"});
  expect_error<FileError>(
      [&] {
        SafetensorsStream(scratch / "x", {{"c", {.dtype = at::kComplexFloat, .shape = {1}}}});
      },
      {"\"c\"", "a dtype out of F64"});
  expect_error<FileError>(
      [&] {
        SafetensorsStream(scratch / "x", {{"huge", {.dtype = at::kLong, .shape = {std::int64_t{1} << 61}}}});
      },
      {"\"huge\"", "a size that 63 bits count"});
  expect_error<OutputError>([&] { SafetensorsStream(scratch / "absent/x", entries); }, {"No such file or directory"});
  EXPECT_TRUE(scratch.names().empty());
}

}  // namespace
}  // namespace vaetl::safetensors_stream_test
