#include "vaetl/core/denormals.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "vaetl/core/parallel.hpp"

namespace vaetl::testing::denormals_test {
namespace {

// What each of LibTorch's threads says, this one among them.
std::multiset<bool> said() {
  std::mutex mutex;
  std::multiset<bool> result;
  parallel_ranges(at::get_num_threads(), 1, [&](std::int64_t, std::int64_t) {
    const std::scoped_lock lock(mutex);
    result.insert(FlushDenormals::active());
  });
  return result;
}

TEST(FlushDenormals, HoldsOnEveryThreadAndOnlyMeanwhile) {
  if (!at::globalContext().setFlushDenormal(false)) GTEST_SKIP() << "this processor has no such switch";
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  EXPECT_EQ(said(), (std::multiset<bool>{false, false}));
  {
    const FlushDenormals flush;
    EXPECT_EQ(said(), (std::multiset<bool>{true, true}));
    { const FlushDenormals again; }
    EXPECT_EQ(said(), (std::multiset<bool>{true, true}));
  }
  EXPECT_EQ(said(), (std::multiset<bool>{false, false}));
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace vaetl::testing::denormals_test
