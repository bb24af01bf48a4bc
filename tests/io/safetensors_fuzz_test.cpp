// Damaged files: each either loads or is a FileError, and nothing else happens.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/io/scratch.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::safetensors_fuzz_test {
namespace {

using testing::bytes_of;
using testing::Scratch;

std::string valid_file(const Scratch& scratch) {
  write_safetensors(scratch / "valid",
                    {{"weight", at::arange(6, at::kFloat).view({2, 3})},
                     {"flags", at::ones({3}, at::kBool)},
                     {"step", at::full({}, 7, at::kLong)},
                     {"none", at::empty({0, 2}, at::kHalf)}},
                    {{"format", "pt"}});
  return bytes_of(scratch / "valid");
}

// Whether it loads; every byte of every tensor is read.
bool loads(const std::filesystem::path& path) {
  try {
    for (const auto& [name, tensor] : read_safetensors(path).tensors) EXPECT_EQ(tensor.clone().sizes(), tensor.sizes());
    return true;
  } catch (const FileError& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with(path.string() + ": ")) << error.what();
    return false;
  }
}

TEST(SafetensorsFuzz, EveryTruncationIsRefused) {
  const Scratch scratch;
  const std::string whole = valid_file(scratch);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(loads(scratch.put("cut", std::string_view(whole).substr(0, size)))) << size << " bytes";
  }
  EXPECT_TRUE(loads(scratch.put("cut", whole)));
  EXPECT_FALSE(loads(scratch.put("cut", whole + '\0')));
}

TEST(SafetensorsFuzz, MutationsLoadOrAreFileErrors) {
  const Scratch scratch;
  const std::string whole = valid_file(scratch);
  std::mt19937 random(20240501);
  int loaded = 0;
  constexpr int rounds = 5000;
  for (int i = 0; i < rounds; ++i) {
    std::string bytes = whole;
    for (std::uint32_t flips = random() % 4 + 1; flips > 0; --flips) {
      // Half of the changes put another character of the header in, which keeps more of the JSON valid.
      const char value = random() % 2 == 0 ? whole[random() % whole.size()] : static_cast<char>(random());
      bytes[random() % bytes.size()] = value;
    }
    loaded += loads(scratch.put("mutant", bytes));
  }
  EXPECT_GT(loaded, rounds / 100) << "the mutations hardly reach the data";
  EXPECT_LT(loaded, rounds / 2) << "damage to the header passes unseen";
}

TEST(SafetensorsFuzz, EveryDigitOfTheOffsetsIsChecked) {
  const Scratch scratch;
  const std::string whole = valid_file(scratch), key = "\"data_offsets\":[";
  int changed = 0;
  for (auto at = whole.find(key); at != std::string::npos; at = whole.find(key, at + 1)) {
    for (auto i = at + key.size(); whole[i] != ']'; ++i) {
      if (whole[i] == ',') continue;
      std::string bytes = whole;
      bytes[i] = whole[i] == '9' ? '8' : static_cast<char>(whole[i] + 1);
      EXPECT_FALSE(loads(scratch.put("changed", bytes))) << bytes.substr(at, key.size() + 8);
      ++changed;
    }
  }
  EXPECT_GE(changed, 8) << "four tensors have at least two digits each";
}

}  // namespace
}  // namespace vaetl::safetensors_fuzz_test
