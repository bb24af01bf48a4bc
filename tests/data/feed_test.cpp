#include "vaetl/data/feed.hpp"

#include <thread>

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/resident.hpp"

namespace vaetl::feed_test {
namespace {

using testing::expect_error;
using testing::numbered;
using testing::values_of;

using Positions = std::vector<std::int64_t>;

Positions positions(const Batch& batch, const std::string& stream = "train") {
  return values_of(batch.at(stream)["index"]);
}

Positions one_epoch(const Feed& feed, std::int64_t epoch, const std::string& stream = "train") {
  Positions all;
  for (std::int64_t step = 0; step < feed.steps_per_epoch(); ++step) {
    const Positions some = positions(feed.at(epoch, step), stream);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Positions sorted(Positions all) {
  std::sort(all.begin(), all.end());
  return all;
}

Positions counting(std::int64_t count) { return values_of(at::arange(count, at::kLong)); }

bool same(const Fields& a, const Fields& b) {
  return a.keys() == b.keys() &&
         std::all_of(a.begin(), a.end(), [&](const auto& entry) { return at::equal(entry.second, b[entry.first]); });
}

bool same(const Batch& a, const Batch& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& entry) {
           return b.contains(entry.first) && same(entry.second, b.at(entry.first));
         });
}

std::vector<Stream> two_streams() {
  return {{.name = "train", .data = numbered(21, 3), .views = 2, .augment = {{"shift"}, {"noise"}}},
          {.name = "unlabelled", .data = numbered(7, 3).without("target"), .batch_size = 3, .augment = {{"noise"}}}};
}

Feed two(std::uint64_t seed = 5) {
  return Feed(Pipeline(two_streams()), Preprocess(), {.batch_size = 4, .seed = seed});
}

TEST(Feed, AnEpochCoversEveryExampleOnce) {
  const Feed feed(numbered(21, 3), Preprocess(), {.batch_size = 4, .seed = 5});
  EXPECT_EQ(feed.steps_per_epoch(), 6);
  EXPECT_EQ(positions(feed.at(0, 5)).size(), 1u);
  EXPECT_EQ(sorted(one_epoch(feed, 0)), counting(21));
  EXPECT_EQ(sorted(one_epoch(feed, 1)), counting(21));
  EXPECT_NE(one_epoch(feed, 0), one_epoch(feed, 1));
  EXPECT_NE(one_epoch(feed, 0), one_epoch(Feed(numbered(21, 3), Preprocess(), {.batch_size = 4, .seed = 6}), 0));
  EXPECT_EQ(one_epoch(Feed(numbered(3, 3), Preprocess(), {.batch_size = 4}), 0).size(), 3u);
}

TEST(Feed, FieldsBelongToTheirPositions) {
  const Feed feed(numbered(21, 3), Preprocess(), {.batch_size = 4});
  const Batch batch = feed.at(0, 0);
  const Fields& train = batch.at("train");
  EXPECT_EQ(values_of(train.input().select(1, 0).select(1, 1).select(1, 1)), positions(batch));
  EXPECT_TRUE(at::equal(train.target(), train["index"].remainder(3)));
  EXPECT_EQ(train.target().scalar_type(), at::kLong);
  EXPECT_EQ(train.keys(), (std::vector<std::string>{"index", "input", "target"}));
}

TEST(Feed, OrderOfCallsDoesNotMatter) {
  const Feed forward = two(), backward = two();
  std::vector<Batch> batches;
  for (std::int64_t i = 0; i < 18; ++i) batches.push_back(forward.at(i / 6, i % 6));
  for (std::int64_t i = 17; i >= 0; --i) {
    EXPECT_TRUE(same(backward.at(i / 6, i % 6), batches[static_cast<std::size_t>(i)])) << i;
  }
  EXPECT_TRUE(same(two().at(1, 3), batches[9]));
  EXPECT_FALSE(same(two(6).at(1, 3), batches[9]));
}

TEST(Feed, ThreadsMayShareIt) {
  const Feed shared = two();
  std::vector<std::vector<Batch>> got(3);
  std::vector<std::thread> threads;
  for (std::int64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::int64_t i = 0; i < 18; ++i) got[static_cast<std::size_t>(t)].push_back(shared.at((i + t) % 3, i % 6));
    });
  }
  for (auto& thread : threads) thread.join();
  const Feed alone = two();
  for (std::int64_t t = 0; t < 3; ++t) {
    for (std::int64_t i = 0; i < 18; ++i) {
      EXPECT_TRUE(same(got[static_cast<std::size_t>(t)][static_cast<std::size_t>(i)], alone.at((i + t) % 3, i % 6)));
    }
  }
}

TEST(Feed, LeavesTheDefaultGeneratorAlone) {
  std::vector<Stream> streams = two_streams();
  streams[0].augment = {{"shift"}, {"crop"}, {"flip"}, {"brightness"}, {"noise"}};
  const at::Tensor before = at::detail::getDefaultCPUGenerator().get_state();
  const Feed feed(Pipeline(std::move(streams)), Preprocess(), {.batch_size = 4});
  const Batch first = feed.at(0, 0);
  EXPECT_TRUE(at::equal(before, at::detail::getDefaultCPUGenerator().get_state()));
  at::rand({3});  // and does not depend on it
  EXPECT_TRUE(same(feed.at(0, 0), first));
}

TEST(Feed, ShorterStreamsWrapWithAFreshPermutation) {
  const Feed feed = two();
  Positions all = one_epoch(feed, 0, "unlabelled");
  const Positions more = one_epoch(feed, 1, "unlabelled");
  all.insert(all.end(), more.begin(), more.end());
  ASSERT_EQ(all.size(), 36u);  // two epochs of 6 steps of 3: five passes over 7, and one example more
  std::set<Positions> passes;
  for (std::ptrdiff_t p = 0; p < 5; ++p) {
    const Positions pass(all.begin() + 7 * p, all.begin() + 7 * (p + 1));
    EXPECT_EQ(sorted(pass), counting(7)) << p;
    passes.insert(pass);
  }
  EXPECT_EQ(passes.size(), 5u) << "a permutation came twice";
}

TEST(Feed, LongerStreamsGoOnWhereTheyWere) {
  std::vector<Stream> streams = {{.name = "train", .data = numbered(4, 2)},
                                 {.name = "target", .data = numbered(12, 2)}};
  const Feed feed(Pipeline(std::move(streams)), Preprocess(), {.batch_size = 2});
  Positions all;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    for (std::int64_t i : one_epoch(feed, epoch, "target")) all.push_back(i);
  }
  EXPECT_EQ(sorted(all), counting(12));
}

TEST(Feed, StreamsHaveOrdersOfTheirOwn) {
  std::vector<Stream> streams = {{.name = "train", .data = numbered(40, 2)},
                                 {.name = "target", .data = numbered(40, 2)}};
  const Batch batch = Feed(Pipeline(std::move(streams)), Preprocess(), {.batch_size = 40}).at(0, 0);
  EXPECT_NE(positions(batch), positions(batch, "target"));
}

TEST(Feed, BatchesLargerThanAStreamRepeatIt) {
  std::vector<Stream> streams = {{.name = "train", .data = numbered(8, 2)},
                                 {.name = "few", .data = numbered(3, 1), .batch_size = 7, .order = "sequential"}};
  const Feed feed(Pipeline(std::move(streams)), Preprocess(), {.batch_size = 4});
  EXPECT_EQ(positions(feed.at(0, 0), "few"), (Positions{0, 1, 2, 0, 1, 2, 0}));
  EXPECT_EQ(positions(feed.at(0, 1), "few"), (Positions{1, 2, 0, 1, 2, 0, 1}));
}

TEST(Feed, SequentialIsStorageOrder) {
  const Feed feed(Pipeline({Stream{.data = numbered(10, 2), .order = "sequential"}}), Preprocess(), {.batch_size = 4});
  EXPECT_EQ(one_epoch(feed, 0), counting(10));
  EXPECT_EQ(one_epoch(feed, 3), counting(10));
}

TEST(Feed, ViewsDifferAndLeaveTheRestAlone) {
  const Batch batch = two().at(0, 0);
  const Fields& train = batch.at("train");
  EXPECT_EQ(train.keys(), (std::vector<std::string>{"index", "input", "input.1", "target"}));
  EXPECT_FALSE(at::equal(train.input(), train["input.1"]));
  EXPECT_TRUE(at::equal(train.target(), train["index"].remainder(3)));
  EXPECT_FALSE(batch.at("unlabelled").has("input.1"));
}

// Noise alone, on zeros: what is left is the draw itself, which no two streams, views, steps or epochs may share.
TEST(Feed, EveryAugmentationHasItsOwnNoise) {
  Fields zeros;
  zeros.set("input", at::zeros({8, 1, 4, 4}));
  const Dataset data = Dataset::from_tensors(zeros);
  std::vector<Stream> streams = {{.name = "a", .data = data, .views = 3, .augment = {{"noise"}}},
                                 {.name = "b", .data = data, .views = 2, .augment = {{"noise"}}}};
  const Feed feed(Pipeline(std::move(streams)), Preprocess(), {.batch_size = 4});
  std::set<float> first;
  for (std::int64_t i = 0; i < 4; ++i) {
    const Batch batch = feed.at(i / 2, i % 2);
    for (const char* key : {"input", "input.1", "input.2"}) first.insert(batch.at("a")[key].flatten()[0].item<float>());
    for (const char* key : {"input", "input.1"}) first.insert(batch.at("b")[key].flatten()[0].item<float>());
  }
  EXPECT_EQ(first.size(), 20u);
}

TEST(Feed, PreprocessesBeforeItAugments) {
  Fields bytes;
  bytes.set("input", at::full({6, 1, 4, 4}, 255, at::kByte));
  const Dataset data = Dataset::from_tensors(bytes);
  Stream stream{.data = data, .views = 2, .augment = {{"noise", {{"sigma", 1e-3}}}}};
  const Feed feed(Pipeline({stream}), Preprocess::fit({{"scale"}}, data), {.batch_size = 6});
  const Batch batch = feed.at(0, 0);
  for (const char* key : {"input", "input.1"}) {
    const at::Tensor x = batch.at("train")[key];
    EXPECT_EQ(x.scalar_type(), at::kFloat);
    EXPECT_TRUE(at::allclose(x, at::ones_like(x), 0, 0.01));  // ten sigma: noise on [0, 1], not on bytes
  }
}

TEST(Feed, RefusesWhatCannotBeFed) {
  auto feed = [](Stream stream, std::int64_t batch_size = 4) {
    Feed(Pipeline({std::move(stream)}), Preprocess(), {.batch_size = batch_size});
  };
  const Dataset data = numbered(4, 2);
  expect_error<ConfigError>([&] { feed({.data = data}, 0); }, {"batch_size", "at least 1", "found 0"});
  expect_error<ConfigError>([&] { feed({.data = data, .order = "shufle"}); },
                            {"data.train.order", "did you mean \"shuffle\""});
  expect_error<ConfigError>([&] { feed({.data = data, .views = 0}); }, {"data.train.views", "at least 1"});
  expect_error<ConfigError>(
      [&] {
        feed({.data = data, .augment = {{"flip", {{"p", 2}}}}});
      },
      {"data.train.augment[0].p", "found 2"});
  expect_error<DataError>([&] { feed({.data = numbered(0, 2)}); }, {"data.train", "at least one example"});
  expect_error<ConfigError>([&] { Pipeline(std::vector<Stream>{}); }, {"at least one stream"});
  expect_error<ConfigError>([&] { Pipeline({Stream{.data = data}, Stream{.data = data}}); }, {"\"train\" twice"});
  expect_error<DataError>([&] { Pipeline(data).stream("target"); }, {"a stream \"target\"", "only train"});
  expect_error<Error>([&] { Feed(data, Preprocess(), {.batch_size = 4}).at(0, 1); },
                      {"a step below 1", "epoch 0, step 1"});
}

// A resident set gives the same examples; here on the CPU, where nothing is moved by itself.
TEST(Feed, AResidentSetIsTheSame) {
  const Dataset data = numbered(21, 3).select(at::arange(2, 19, at::kLong));
  const Dataset moved = resident(data, c10::kCPU);
  EXPECT_EQ(stored_bytes(data), static_cast<std::int64_t>(data.column("input").nbytes()) + 17 * 8);
  EXPECT_EQ(moved.size(), data.size());
  EXPECT_EQ(moved.info().classes, data.info().classes);
  for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
    EXPECT_TRUE(same(Feed(data, {}, {.batch_size = 4}).at(epoch, 1), Feed(moved, {}, {.batch_size = 4}).at(epoch, 1)));
  }
  EXPECT_TRUE(same(resident_where_it_fits(data, c10::kCPU).all(), data.all()));
}

}  // namespace
}  // namespace vaetl::feed_test
