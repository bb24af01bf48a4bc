// Threads that work ahead change nothing but the time.
#include "vaetl/data/prefetch.hpp"

#include <ATen/Parallel.h>

#include <atomic>

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/sources.hpp"

namespace vaetl::prefetch_test {
namespace {

using testing::expect_error;
using testing::numbered;

// Decodes, as it says; counts what is gathered at once, and fails at one example.
class Slow final : public Source {
 public:
  explicit Slow(Dataset base, std::int64_t bad = -1) : base_(std::move(base)), bad_(bad) {}
  const DatasetInfo& info() const override { return base_.info(); }
  std::int64_t size() const override { return base_.size(); }
  bool decodes() const override { return true; }
  Fields gather(const at::Tensor& index) const override {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if ((index == bad_).any().item<bool>()) throw DataError({"cat.jpg", "a picture", "a truncated one", {}});
    threads = std::min(threads.load(), at::get_num_threads());
    ++gathered;
    return base_.gather(index);
  }

  mutable std::atomic<std::int64_t> gathered{0};
  mutable std::atomic<int> threads{1000};

 private:
  Dataset base_;
  std::int64_t bad_;
};

Feed feed_of(const Dataset& data, std::int64_t batch = 4) {
  std::vector<Stream> streams = {{.data = data, .views = 2, .augment = {{"shift"}, {"brightness"}, {"noise"}}},
                                 {.name = "more", .data = numbered(7, 1), .batch_size = 3}};
  return Feed(Pipeline(std::move(streams)), Preprocess(), {.batch_size = batch, .seed = 3});
}

void expect_same(const Batch& a, const Batch& b, const std::string& where) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [stream, fields] : a) {
    ASSERT_EQ(fields.keys(), b.at(stream).keys());
    for (const auto& [key, values] : fields) {
      EXPECT_TRUE(at::equal(values, b.at(stream)[key])) << where << " " << stream << "." << key;
    }
  }
}

TEST(Prefetch, BatchesAreTheFeedsWhateverTheWorkers) {
  const Feed plain = feed_of(numbered(21, 3));
  for (const std::int64_t workers : {0, 1, 2, 4}) {
    Prefetch ahead(feed_of(numbered(21, 3)), workers, 18);
    for (std::int64_t i = 0; i < 18; ++i) {
      expect_same(ahead.at(i / 6, i % 6), plain.at(i / 6, i % 6), std::to_string(workers));
    }
  }
}

// A resume jumps, set-up asks twice, and nothing hangs.
TEST(Prefetch, AnyPlaceMayBeAskedFor) {
  const Feed plain = feed_of(numbered(21, 3));
  for (const std::int64_t workers : {1, 3}) {
    Prefetch ahead(feed_of(numbered(21, 3)), workers, 600);
    for (const std::int64_t place :
         {0, 0, 0, 1, 2, 50, 51, 49, 50, 7, 6, 5, 4, 5, 6, 599, 0, 3, 1, 2, 2, 13, 14, 599}) {
      expect_same(ahead.at(place / 6, place % 6), plain.at(place / 6, place % 6), std::to_string(place));
    }
    expect_error<Error>([&] { ahead.at(0, 6); }, {"a step below 6"});
  }
}

TEST(Prefetch, PreparesNoMoreThanItMay) {
  const auto source = std::make_shared<Slow>(numbered(40, 2));
  {
    Prefetch ahead(Feed(Dataset(source), Preprocess(), {.batch_size = 4}), 2, 10);
    ahead.at(0, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    EXPECT_EQ(source->gathered, 3);  // the one that was asked for, and one for each worker
    for (std::int64_t step = 1; step < 10; ++step) ahead.at(0, step);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    EXPECT_EQ(source->gathered, 10);  // none twice, none beyond the last
  }
  EXPECT_EQ(source->threads, std::max(1, at::get_num_threads() / 2)) << "two workers share LibTorch's threads";
}

TEST(Prefetch, AnErrorComesAtItsOwnBatch) {
  const auto source = std::make_shared<Slow>(numbered(12, 2), 5);
  Stream stream{.data = Dataset(source), .order = "sequential"};
  Prefetch ahead(Feed(Pipeline({stream}), Preprocess(), {.batch_size = 4}), 2);
  EXPECT_EQ(ahead.at(0, 0).at("train").size(), 4);
  expect_error<DataError>([&] { ahead.at(0, 1); }, {"cat.jpg", "a truncated one"});
  EXPECT_EQ(ahead.at(0, 2).at("train").size(), 4);
  expect_error<DataError>([&] { ahead.at(0, 1); }, {"cat.jpg"});
}

TEST(Prefetch, EndsWhileWorkersAreBusy) {
  for (int i = 0; i < 20; ++i) {
    Prefetch ahead(feed_of(Dataset(std::make_shared<Slow>(numbered(40, 2)))), 3);
    if (i % 2 == 0) ahead.at(0, 0);
  }
}

TEST(Prefetch, WorkersAreForDataThatAreDecoded) {
  const Pipeline decoded = Dataset(std::make_shared<Slow>(numbered(8, 2)));
  const int threads = at::get_num_threads();
  for (const auto& [now, wanted] : {std::pair<int, std::int64_t>{1, 0}, {2, 0}, {3, 0}, {4, 2}, {6, 3}, {32, 4}}) {
    at::set_num_threads(now);
    EXPECT_EQ(automatic_workers(decoded), wanted) << now;
    EXPECT_EQ(automatic_workers(numbered(8, 2)), 0) << now;
  }
  at::set_num_threads(threads);
}

// The threads overlap: four workers on batches that sleep 2 ms take about a quarter of the time.
TEST(Prefetch, WorksAhead) {
  auto seconds = [](std::int64_t workers) {
    Prefetch ahead(Feed(Dataset(std::make_shared<Slow>(numbered(200, 2))), Preprocess(), {.batch_size = 4}), workers);
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t step = 0; step < 50; ++step) ahead.at(0, step);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double alone = seconds(0), four = seconds(4);
  EXPECT_GE(alone, 0.1);
  EXPECT_LT(four, 0.7 * alone);
}

}  // namespace
}  // namespace vaetl::prefetch_test
