#include "vaetl/core/parallel.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

namespace vaetl::parallel_test {
namespace {

// As many threads as asked for in this one alone.
struct Threads {
  explicit Threads(std::int64_t count) : before(at::get_num_threads()) { use_threads(count); }
  ~Threads() { use_threads(before); }
  std::int64_t before;
};

TEST(Parallel, EveryPlaceOnce) {
  for (std::int64_t threads : {1, 2, 5}) {
    const Threads guard(threads);
    std::vector<std::atomic<int>> seen(1000);
    parallel_for(1000, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
    EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](const auto& count) { return count == 1; }));
    parallel_for(0, [](std::int64_t) { FAIL(); });
  }
}

TEST(Parallel, ThreadsAreUsedAndLoopsWithinAreQuiet) {
  const Threads guard(2);
  std::atomic<int> arrived = 0;
  std::mutex mutex;
  std::set<std::thread::id> ids;
  parallel_for(2, [&](std::int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();  // ends only where two threads work at a time
    const std::scoped_lock lock(mutex);
    ids.insert(std::this_thread::get_id());
    EXPECT_EQ(at::get_num_threads(), 1);
  });
  EXPECT_EQ(ids.size(), 2U);
  EXPECT_EQ(at::get_num_threads(), 2);
}

TEST(Parallel, TheLeastPlaceThatFailedIsThrown) {
  for (std::int64_t threads : {1, 4}) {
    const Threads guard(threads);
    for (int repeat = 0; repeat < 20; ++repeat) {
      try {
        parallel_for(100, [](std::int64_t i) {
          if (i % 7 == 3) throw std::runtime_error(std::to_string(i));
        });
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "3");
      }
    }
  }
}

TEST(Parallel, RangesCoverEveryNumberOnceOnSeveralThreads) {
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  std::vector<std::atomic<int>> seen(1000);
  std::mutex mutex;
  std::set<std::thread::id> workers;
  parallel_ranges(1000, 10, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) ++seen[static_cast<std::size_t>(i)];
    const std::lock_guard lock(mutex);
    workers.insert(std::this_thread::get_id());
  });
  at::set_num_threads(threads);
  for (const auto& count : seen) EXPECT_EQ(count, 1);
  EXPECT_EQ(workers.size(), 2u);
}

}  // namespace
}  // namespace vaetl::parallel_test
