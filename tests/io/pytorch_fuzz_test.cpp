// Damaged PyTorch files: each either loads or is a FileError, and nothing else happens.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/io/pytorch_reference.hpp"
#include "tests/io/scratch.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/pytorch.hpp"

namespace vaetl::pytorch_fuzz_test {
namespace {

using testing::Scratch;
using testing::torch_file;

// Whether it loads; every byte of every tensor is read.
bool loads(const std::filesystem::path& path) {
  try {
    const PytorchFile file = read_pytorch(path);
    for (const auto& [name, tensor] : file.tensors) EXPECT_EQ(tensor.clone().sizes(), tensor.sizes());
    return true;
  } catch (const FileError& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with(path.string() + ": ")) << error.what();
    return false;
  }
}

TEST(PytorchFuzz, EveryTruncationIsRefused) {
  const Scratch scratch;
  for (const char* name : {"zip.deep", "stream.deep"}) {
    const std::string whole = torch_file(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(loads(scratch.put("cut", std::string_view(whole).substr(0, size)))) << name << " " << size;
    }
    EXPECT_TRUE(loads(scratch.put("cut", whole)));
  }
}

void mutate(const std::string& name, int rounds) {
  const Scratch scratch;
  const std::string whole = torch_file(name);
  std::mt19937 random(20240502);
  int loaded = 0;
  for (int i = 0; i < rounds; ++i) {
    std::string bytes = whole;
    for (std::uint32_t flips = random() % 3 + 1; flips > 0; --flips) {
      // Half of the changes put another byte of the file in, which keeps more of it valid.
      const char value = random() % 2 == 0 ? whole[random() % whole.size()] : static_cast<char>(random());
      bytes[random() % bytes.size()] = value;
    }
    loaded += loads(scratch.put("mutant", bytes));
  }
  EXPECT_GT(loaded, rounds / 100) << name << ": the mutations hardly reach the data";
  EXPECT_LT(loaded, 9 * rounds / 10) << name << ": damage passes unseen";
}

TEST(PytorchFuzz, MutatedArchives) {
  mutate("zip.deep", 1500);
  mutate("zip.ordered.zip64", 500);
}

TEST(PytorchFuzz, MutatedStreams) {
  mutate("stream.checkpoint", 2000);
  mutate("stream.parameters", 2000);
  mutate("stream.ordered.protocol4", 1000);
}

}  // namespace
}  // namespace vaetl::pytorch_fuzz_test
