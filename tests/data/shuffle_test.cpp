// The order of large sets: by chunk, then within a window.
#include "vaetl/data/shuffle.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/feed.hpp"
#include "vaetl/data/sources.hpp"

namespace vaetl::shuffle_test {
namespace {

using testing::expect_error;
using testing::numbered;
using testing::values_of;

using Positions = std::vector<std::int64_t>;

constexpr std::int64_t window = 160, chunk = window / 16;

Positions pass_of(const Shuffle& shuffle, std::int64_t size, std::int64_t pass = 0, std::int64_t batch = 7) {
  Positions all;
  for (std::int64_t from = 0; from < size; from += batch) {
    const Positions some = values_of(shuffle.range(pass, from, std::min(size, from + batch)));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Positions sorted(Positions all) {
  std::sort(all.begin(), all.end());
  return all;
}

std::set<std::int64_t> chunks_of(const Positions& some) {
  std::set<std::int64_t> chunks;
  for (auto i : some) chunks.insert(i / chunk);
  return chunks;
}

Dataset windowed(std::int64_t size) {
  const Dataset data = numbered(size, 3);
  return Dataset(std::make_shared<TensorSource>(data.all(), data.info(), size, window));
}

Positions index(const Feed& feed, std::int64_t epoch, std::int64_t step) {
  return values_of(feed.at(epoch, step).at("train")["index"]);
}

// Sizes with and without a shorter last chunk, one that fills its blocks, one just above the window.
TEST(Shuffle, APassHasEveryExampleOnce) {
  for (const std::int64_t size : {1001, 1000, 1600, 161, 3207}) {
    const Shuffle shuffle(size, window, 5, 0);
    std::set<Positions> passes;
    for (std::int64_t pass = 0; pass < 4; ++pass) {
      const Positions all = pass_of(shuffle, size, pass);
      EXPECT_EQ(sorted(all), values_of(at::arange(size))) << size << " " << pass;
      passes.insert(all);
    }
    EXPECT_EQ(passes.size(), 4u);
    EXPECT_NE(pass_of(shuffle, size), pass_of(Shuffle(size, window, 6, 0), size));
    EXPECT_NE(pass_of(shuffle, size), pass_of(Shuffle(size, window, 5, 1), size));
  }
}

// However it is asked for: range by range, backwards, passes in between.
TEST(Shuffle, IsAPureFunction) {
  const Shuffle shuffle(1001, window, 5, 0), asked_otherwise(1001, window, 5, 0);
  const Positions first = pass_of(shuffle, 1001, 2);
  for (std::int64_t from = 1000; from >= 0; from -= 13) {
    asked_otherwise.range(from % 5, 0, 1);
    EXPECT_EQ(values_of(asked_otherwise.range(2, from, from + 1)), (Positions{first[static_cast<std::size_t>(from)]}));
  }
  EXPECT_EQ(pass_of(shuffle, 1001, 2, 1001), first);
}

TEST(Shuffle, ABatchTouchesFewChunks) {
  const Shuffle shuffle(2003, window, 1, 0);
  double mixed = 0, batches = 0;
  for (std::int64_t from = 0; from + 32 <= 2003; from += 32) {
    const auto chunks = chunks_of(values_of(shuffle.range(0, from, from + 32)));
    EXPECT_LE(chunks.size(), 32u);
    mixed += static_cast<double>(chunks.size());
    ++batches;
  }
  // 32 out of 160 examples of 16 chunks: a chunk is missed with probability 0.8^10 = 0.1, so 14.3 are expected; blocks
  // in storage order would give 4, a permutation of everything 30.
  EXPECT_GT(mixed / batches, 12);
  EXPECT_LT(mixed / batches, 20);
  // Within a window nothing is left of the order of storage: the rank correlation of 1600 neighbours is noise.
  const Positions all = pass_of(shuffle, 2003);
  double rises = 0;
  for (std::size_t i = 1; i < all.size(); ++i) rises += all[i] > all[i - 1];
  EXPECT_NEAR(rises / 2002, 0.5, 0.05);  // σ = √(1/12/2002) = 0.0065
}

// What a batch touches was announced before, run by run; a held-out part announces the runs of the whole.
TEST(Shuffle, RunsAreAnnouncedAhead) {
  std::set<std::int64_t> told;
  std::int64_t runs = 0;
  const Shuffle shuffle(1001, window, 5, 0, [&](std::int64_t start, std::int64_t count) {
    ++runs;
    for (std::int64_t i = start; i < start + count; ++i) told.insert(i);
  });
  for (std::int64_t from = 0; from < 1001; from += 7) {
    for (auto i : values_of(shuffle.range(0, from, std::min<std::int64_t>(1001, from + 7)))) {
      EXPECT_TRUE(told.contains(i)) << i;
    }
    if (from == 0) {
      EXPECT_LE(told.size(), 320u) << "more than two windows";
    }
  }
  EXPECT_LE(runs, 2 * 101 + 32);
  struct Told final : Source {
    explicit Told(Dataset data) : base(std::move(data)) {}
    const DatasetInfo& info() const override { return base.info(); }
    std::int64_t size() const override { return base.size(); }
    Fields gather(const at::Tensor& index) const override { return base.gather(index); }
    void expect(std::int64_t start, std::int64_t count) const override { run = {start, count}; }
    Dataset base;
    mutable Positions run = {};
  };
  const auto source = std::make_shared<Told>(numbered(100, 2));
  Dataset(source).select(at::arange(10, 100, 2, at::kLong)).without("target").expect(5, 10);
  EXPECT_EQ(source->run, (Positions{20, 19}));
  Dataset(source).select(at::arange(0, 100, 9, at::kLong)).expect(0, 10);  // a ninth of a run is not worth reading it
  EXPECT_EQ(source->run, (Positions{20, 19}));
}

TEST(Shuffle, WithoutAWindowItIsOnePermutation) {
  const at::Tensor expected = at::randperm(100, make_generator(random_key(5, Purpose::order, 3, 1)), at::kLong);
  for (const std::int64_t wide : {0, 100, 1000}) {
    EXPECT_EQ(pass_of(Shuffle(100, wide, 5, 1), 100, 3), values_of(expected)) << wide;
  }
}

TEST(Shuffle, TheFeedShufflesLargeSetsSo) {
  const Feed feed(windowed(1001), Preprocess(), {.batch_size = 16, .seed = 5});
  Positions all;
  for (std::int64_t step = 0; step < feed.steps_per_epoch(); ++step) {
    const Positions some = index(feed, 1, step);
    EXPECT_LE(chunks_of(some).size(), 16u);
    all.insert(all.end(), some.begin(), some.end());
  }
  EXPECT_EQ(all, pass_of(Shuffle(1001, window, 5, 0), 1001, 1));
  // What is left of a held-out share keeps its neighbours: the positions of a window lie within few windows' length.
  const Parts parts = hold_out(windowed(1001), 0.1, 0);
  const Feed rest(parts.rest, Preprocess(), {.batch_size = 16});
  EXPECT_LE(chunks_of(values_of(rest.at(0, 0).at("train").input().select(1, 0).select(1, 0).select(1, 0))).size(), 32u);
}

TEST(Lanes, EveryRowReadsOn) {
  const Feed feed(Pipeline({Stream{.data = numbered(23, 2), .order = "lanes"}}), Preprocess(), {.batch_size = 4});
  ASSERT_EQ(feed.steps_per_epoch(), 5);
  EXPECT_EQ(index(feed, 0, 0), (Positions{0, 5, 10, 15}));
  EXPECT_EQ(index(feed, 0, 1), (Positions{1, 6, 11, 16}));
  EXPECT_EQ(index(feed, 3, 4), (Positions{4, 9, 14, 19}));
  expect_error<Error>([&] { feed.at(0, 5); }, {"a step below 5"});
}

TEST(Lanes, RefusesWhatHasNone) {
  auto open = [](std::vector<Stream> streams) { Feed(Pipeline(std::move(streams)), Preprocess(), {.batch_size = 4}); };
  expect_error<DataError>([&] { open({{.data = numbered(3, 1), .order = "lanes"}}); },
                          {"data.train", "at least one example for each of 4 lanes", "found 3"});
  expect_error<ConfigError>(
      [&] {
        open({{.data = numbered(9, 1)}, {.name = "more", .data = numbered(9, 1), .order = "lanes"}});
      },
      {"data.more.order", "lanes for the first stream only"});
}

}  // namespace
}  // namespace vaetl::shuffle_test
