// Sets larger than memory, and threads that work ahead, in a training as it is.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/sources.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/frozen.hpp"

namespace vaetl::testing::memory_test {
namespace {

// What no file backs, in MB.
double anonymous_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stod(line.substr(8)) / 1024;
  }
  return 0;
}

struct Watch final : Callback {
  void on_step(Progress&) override { look(); }
  void on_epoch(Progress&) override { look(); }
  void look() { most = std::max(most, anonymous_memory()); }
  double most = 0;
};

// 4 GB of pictures that are holes on the disk, with labels: written as the format says, without a byte of them.
std::string sparse_pictures(const TemporaryFolder& folder, std::int64_t count) {
  const std::int64_t labels = count * 8, pixels = count * 3072;
  const Json info = {{"name", "sparse"}, {"classes", {"a", "b", "c", "d"}}};
  const Json header = {
      {"__metadata__", {{"vaetl.info.train", info.dump()}}},
      {"train.target", {{"dtype", "I64"}, {"shape", {count}}, {"data_offsets", {0, labels}}}},
      {"train.input", {{"dtype", "U8"}, {"shape", {count, 3, 32, 32}}, {"data_offsets", {labels, labels + pixels}}}}};
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t size = text.size();
  std::string start(reinterpret_cast<const char*>(&size), 8);
  start += text;
  std::vector<std::int64_t> target(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<std::int64_t>(i % 4);
  start.append(reinterpret_cast<const char*>(target.data()), target.size() * 8);
  const std::string path = folder.file("sparse.safetensors", start);
  std::filesystem::resize_file(path, 8 + size + static_cast<std::uint64_t>(labels + pixels));
  return path;
}

TEST(Memory, FourGigabytesTrainInLessThanOne) {
  constexpr double limit = 1000;  // MB
  const TemporaryFolder folder;
  const std::string path = sparse_pictures(folder, 1'310'720);
  ASSERT_GT(std::filesystem::file_size(path), 4'000'000'000u);
  const Splits splits = data::open("packed:" + path);
  EXPECT_EQ(splits.train.size(), 1'310'720);
  EXPECT_GT(splits.train.window(), 0);
  const Parts parts = hold_out(splits.train, 0.002, 0);
  Pipeline data = parts.rest;
  data.validation = parts.held;
  seed(1);
  const auto model = build({"mlp", {{"input", {3, 32, 32}}, {"widths", {16}}, {"classes", 4}}});
  const auto watch = std::make_shared<Watch>();
  const vaetl::Run run = Trainer({.steps = 200, .batch_size = 128, .device = "cpu"}, {watch})
                             .fit(model, make<objectives::CrossEntropy>(), data, {}, {"accuracy"});
  watch->look();
  EXPECT_EQ(run.steps, 200);
  EXPECT_TRUE(run.metrics.contains("validation.accuracy"));
  std::printf("%.0f MB of anonymous memory at most, %.2f s, %.0f %% of it waiting\n", watch->most, run.seconds,
              100 * run.waiting / run.seconds);
  EXPECT_LT(watch->most, limit);
  EXPECT_GT(watch->most, 10);
  // The gauge sees what it should: a quarter of a gigabyte of one's own.
  const std::string own(std::size_t{1} << 28, 'x');
  watch->look();
  EXPECT_GT(watch->most, 256) << own.size();
}

// Features of a set that is larger than memory are not kept in it.
TEST(Memory, FeaturesOfALargeSetAreComputedAtEveryStep) {
  class Large final : public Source {
   public:
    explicit Large(std::int64_t size) : size_(size) {}
    const DatasetInfo& info() const override { return one_.info(); }
    std::int64_t size() const override { return size_; }
    Fields gather(const at::Tensor&) const override { return one_.all(); }

   private:
    Dataset one_ = blobs(1);
    std::int64_t size_;
  };
  const auto model = small("mlp", {{"widths", {16}}, {"classes", 4}});  // 64 bytes of features an example
  const Tuning probe = {{.groups = "backbone", .train = false}};
  const auto why_not = [&](std::int64_t size) {
    const FrozenPlan plan =
        plan_frozen(*model, *make<objectives::CrossEntropy>(), Dataset(std::make_shared<Large>(size)), probe);
    EXPECT_TRUE(plan.frozen);
    return plan.why_not;
  };
  EXPECT_EQ(why_not(std::int64_t{1} << 24), "");
  EXPECT_EQ(why_not((std::int64_t{1} << 24) + 1), "its features would take more than 1 GiB of memory");
}

// Decodes, as it says, at the price of a sleep.
class Slow final : public Source {
 public:
  Slow(Dataset base, std::chrono::microseconds pause) : base_(std::move(base)), pause_(pause) {}
  const DatasetInfo& info() const override { return base_.info(); }
  std::int64_t size() const override { return base_.size(); }
  bool decodes() const override { return true; }
  Fields gather(const at::Tensor& index) const override {
    std::this_thread::sleep_for(pause_);
    return base_.gather(index);
  }

 private:
  Dataset base_;
  std::chrono::microseconds pause_;
};

struct Trained {
  std::shared_ptr<Model> model;
  Run run;
};

Trained train(TrainerOptions options, Pipeline data) {
  options.device = "cpu";
  data.streams[0].augment = {{"shift"}, {"noise"}};
  auto model = small("mlp", {{"widths", {16}}, {"classes", 4}, {"dropout", 0.2}});
  Run run = Trainer(options).fit(model, make<objectives::CrossEntropy>(), data, {},
                                 data.validation ? std::vector<std::string>{"accuracy"} : std::vector<std::string>{});
  return {model, std::move(run)};
}

TEST(Workers, TheWeightsAreTheSameWithAnyNumber) {
  Pipeline watched = blobs(70);
  watched.validation = Dataset(std::make_shared<Slow>(blobs(33, 4, 5), std::chrono::microseconds(100)));
  const auto plain = train({.epochs = 3, .batch_size = 16, .workers = 0}, blobs(70));
  for (const std::int64_t workers : {1, 2, 4}) {
    EXPECT_EQ(checksum(*plain.model),
              checksum(*train({.epochs = 3, .batch_size = 16, .workers = workers}, blobs(70)).model));
    EXPECT_EQ(checksum(*plain.model),
              checksum(*train({.epochs = 3, .batch_size = 16, .log_every = 1, .validate_every = 1, .workers = workers},
                              watched)
                            .model));
  }
}

TEST(Workers, AnInterruptedRunGoesOnWithAnotherNumber) {
  const TemporaryFolder folder;
  TrainerOptions options{.epochs = 3, .batch_size = 16, .device = "cpu", .directory = folder.path(), .workers = 2};
  auto start = small("mlp", {{"widths", {16}}, {"classes", 4}});
  Trainer(options, {std::make_shared<StopAt>(7)}).fit(start, make<objectives::CrossEntropy>(), blobs(70));
  options.resume = "must";
  options.workers = 3;
  auto resumed = small("mlp", {{"widths", {16}}, {"classes", 4}});
  EXPECT_EQ(Trainer(options).fit(resumed, make<objectives::CrossEntropy>(), blobs(70)).resumed_from, 7);
  options.resume = "never";
  options.directory.clear();
  options.workers = 0;
  auto whole = small("mlp", {{"widths", {16}}, {"classes", 4}});
  Trainer(options).fit(whole, make<objectives::CrossEntropy>(), blobs(70));
  EXPECT_EQ(checksum(*resumed), checksum(*whole));
}

// 40 batches of 4 ms: the Trainer says that it waited, and with workers it waits less.
TEST(Workers, TheShareOfWaitingIsTold) {
  const Dataset slow(std::make_shared<Slow>(blobs(80), std::chrono::milliseconds(4)));
  const vaetl::Run alone = train({.steps = 40, .batch_size = 16, .workers = 0}, slow).run;
  const vaetl::Run ahead = train({.steps = 40, .batch_size = 16, .workers = 4}, slow).run;
  EXPECT_GE(alone.waiting, 0.16);
  EXPECT_LE(alone.waiting, alone.seconds);
  EXPECT_LT(ahead.waiting, 0.6 * alone.waiting);
}

TEST(Workers, AnErrorInAWorkerEndsTheTraining) {
  class Bad final : public Source {
   public:
    explicit Bad(Dataset base) : base_(std::move(base)) {}
    const DatasetInfo& info() const override { return base_.info(); }
    std::int64_t size() const override { return base_.size(); }
    Fields gather(const at::Tensor& index) const override {
      if (++gathered_ > 4) throw DataError({"cat.jpg", "a picture", "a truncated one", {}});
      return base_.gather(index);
    }

   private:
    Dataset base_;
    mutable std::atomic<int> gathered_{0};
  };
  expect_error<DataError>([] { train({.epochs = 3, .workers = 2}, Dataset(std::make_shared<Bad>(blobs(300)))); },
                          {"cat.jpg", "a truncated one"});
}

}  // namespace
}  // namespace vaetl::testing::memory_test
