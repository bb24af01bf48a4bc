// The C++ half of python_exchange.py. The script sets VAETL_EXCHANGE to a folder and runs one half at a time; by itself
// this is a round trip within C++.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/io/scratch.hpp"
#include "tests/io/tensor_files.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::exchange_test {
namespace {

using Metadata = std::map<std::string, std::string>;
const Metadata metadata = {{"format", "pt"}};

std::filesystem::path exchange_folder(const testing::Scratch& scratch) {
  const char* folder = std::getenv("VAETL_EXCHANGE");
  return folder != nullptr ? std::filesystem::path(folder) : scratch.folder();
}

TEST(Exchange, Write) {
  const testing::Scratch scratch;
  const auto path = exchange_folder(scratch) / "cpp.safetensors";
  write_safetensors(path, testing::exchange_tensors(), metadata);
  EXPECT_EQ(read_safetensors_header(path).tensors.size(), testing::exchange_tensors().size());
}

TEST(Exchange, Read) {
  const testing::Scratch scratch;
  const auto path = exchange_folder(scratch) / "python.safetensors";
  if (std::getenv("VAETL_EXCHANGE") == nullptr) write_safetensors(path, testing::exchange_tensors(), metadata);
  const auto file = read_safetensors(path);
  testing::expect_same(file.tensors, testing::exchange_tensors());
  EXPECT_EQ(file.metadata, metadata);
}

}  // namespace
}  // namespace vaetl::exchange_test
