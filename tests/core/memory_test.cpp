#include "vaetl/core/memory.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace vaetl::memory_test {
namespace {

TEST(Memory, ThePeakGrowsWithWhatIsHeld) {
  if (!std::filesystem::exists("/proc/self/status")) GTEST_SKIP() << "this system does not tell";
  const double before = peak_memory_mb();
  EXPECT_GT(before, 1);
  const std::string held(std::size_t{256} << 20, 'x');  // more than was ever freed before it
  EXPECT_GE(peak_memory_mb(), 256) << held.size();
  EXPECT_GE(peak_memory_mb(), before);
  EXPECT_GT(available_memory_mb(), 0);
}

}  // namespace
}  // namespace vaetl::memory_test
