#include "vaetl/core/random.hpp"

#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <bitset>
#include <set>

namespace vaetl::random_test {
namespace {

// Pinned, from a separate calculation: runs that were saved must be reproducible by later versions.
TEST(RandomKey, IsPinned) {
  EXPECT_EQ(random_key(0, Purpose::init), 0xf9ac6e337c2f0f1eu);
  EXPECT_EQ(random_key(7, Purpose::augment, 3, 11, 1), 0xec5acc9807b7b68au);
}

TEST(RandomKey, EveryPartMatters) {
  std::set<std::uint64_t> keys;
  std::size_t count = 0;
  for (std::uint64_t s : {0u, 1u, 2u}) {
    for (Purpose p :
         {Purpose::init, Purpose::order, Purpose::augment, Purpose::noise, Purpose::evaluate, Purpose::split}) {
      for (std::int64_t epoch = 0; epoch < 8; ++epoch) {
        for (std::int64_t step = 0; step < 8; ++step) {
          for (std::int64_t rank = 0; rank < 4; ++rank, ++count) keys.insert(random_key(s, p, epoch, step, rank));
        }
      }
    }
  }
  EXPECT_EQ(keys.size(), count);
}

// Each of the 64 bits flips with probability 1/2. The mean of 1000 · 64 flips has a standard deviation of
// 64 · ½ / √64000 = 0.127 bits; five of them are 0.64.
TEST(RandomKey, NeighboursDifferInHalfOfTheBits) {
  double flips = 0;
  for (std::int64_t step = 0; step < 1000; ++step) {
    const auto a = random_key(0, Purpose::noise, 0, step), b = random_key(0, Purpose::noise, 0, step + 1);
    flips += static_cast<double>(std::bitset<64>(a ^ b).count());
  }
  EXPECT_NEAR(flips / 1000, 32, 0.64);
}

TEST(Generator, IsItsOwn) {
  seed(5);
  const at::Tensor expected = at::rand({4});
  seed(5);
  const at::Tensor first = at::rand({4}, make_generator(9));
  EXPECT_TRUE(first.equal(at::rand({4}, make_generator(9))));
  EXPECT_FALSE(first.equal(at::rand({4}, make_generator(10))));
  EXPECT_TRUE(expected.equal(at::rand({4}))) << "drawing from a generator moved the default one";
}

}  // namespace
}  // namespace vaetl::random_test
