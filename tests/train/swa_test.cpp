// The plain mean of the last weights: what it is, when it begins, and which running statistics it has.
#include <ATen/ops/equal.h>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/data/feed.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::swa_test {
namespace {

const Json plain = {{"channels", {4}}, {"dense", {8}}, {"classes", 4}};
const Json normed = {{"channels", {4}}, {"dense", {8}}, {"classes", 4}, {"batch_norm", true}};

TrainerOptions options(double from) {
  return {.steps = 20, .batch_size = 16, .optimizer = {"sgd", {{"lr", 0.1}}}, .swa_from = from, .device = "cpu"};
}

// The mean of the weights after every step from `first` on, in float64.
struct Mean final : Callback {
  explicit Mean(std::int64_t first) : first(first) {}
  void on_step(Progress& p) override {
    averaged_before += p.step < first && p.averaged;
    missing_after += p.step >= first && !p.averaged;
    if (p.step < first) return;
    ++count;
    for (const auto& item : p.model.named_parameters()) {
      const at::Tensor value = item.value().detach().to(at::kDouble);
      at::Tensor& sum = sums[item.key()];
      sum = sum.defined() ? sum + value : value;
    }
  }
  std::int64_t first, count = 0, averaged_before = 0, missing_after = 0;
  Weights sums;
};

TEST(Swa, ReturnsTheMeanOfTheLastWeights) {
  auto model = small("cnn", plain);
  const auto mean = std::make_shared<Mean>(16);  // the last quarter of 20 steps: 16 … 20
  Trainer(options(0.75), {mean}).fit(model, make<objectives::CrossEntropy>(), blobs(64));
  EXPECT_EQ(mean->count, 5);
  EXPECT_EQ(mean->averaged_before, 0);
  EXPECT_EQ(mean->missing_after, 0);
  for (const auto& item : model->named_parameters()) {
    const at::Tensor error = item.value().detach().to(at::kDouble) - mean->sums.at(item.key()) / 5;
    EXPECT_LE(error.abs().max().item<double>(), 5 * 6e-8 * 2) << item.key();  // 5 roundings of values near 1 in float32
  }
}

TEST(Swa, DoesNotChangeTheTraining) {
  struct Last final : Callback {
    void on_step(Progress& p) override { sum = checksum(p.model); }
    Checksum sum;
  };
  const auto with = std::make_shared<Last>(), without = std::make_shared<Last>();
  for (const auto& [from, last] : {std::pair{0.5, with}, {0.0, without}}) {
    Trainer(options(from), {last}).fit(small("cnn", normed), make<objectives::CrossEntropy>(), blobs(64));
  }
  EXPECT_EQ(with->sum, without->sum);
}

TEST(Swa, ARunThatStopsBeforeItBeginsReturnsItsWeights) {
  auto stopped = small("cnn", normed), plainly = small("cnn", normed);
  const auto stop = [] { return std::make_shared<StopAt>(7); };
  Trainer(options(0.5), {stop()}).fit(stopped, make<objectives::CrossEntropy>(), blobs(64));
  Trainer(options(0), {stop()}).fit(plainly, make<objectives::CrossEntropy>(), blobs(64));
  EXPECT_EQ(checksum(*stopped), checksum(*plainly));
}

// How far running statistics move, relative to their deviation, when the model sees all examples as one batch.
double statistics_move(Model& model, const Dataset& data) {
  const Feed feed(data, Preprocess::from_json(model.preprocess()), {.batch_size = data.size()});
  const Batch batch = feed.at(0, 0);
  Weights before;
  for (const auto& item : model.named_buffers()) before[item.key()] = item.value().clone();
  model.train();
  Pass(model, batch).logits();
  model.eval();
  double largest = 0;
  for (const auto& item : model.named_buffers()) {
    if (!item.key().ends_with("running_mean")) continue;
    const at::Tensor moved = (item.value() - before.at(item.key())).abs();
    const std::string variance = item.key().substr(0, item.key().size() - 4) + "var";
    largest = std::max(largest, (moved / (before.at(variance) + 1e-5).sqrt()).max().item<double>());
  }
  return largest;
}

// With all examples in a batch the statistics are those of the averaged weights: seeing the batch again leaves them.
TEST(Swa, RunningStatisticsAreThoseOfTheAveragedWeights) {
  const Dataset data = blobs(64);
  const auto move = [&](TrainerOptions o, std::int64_t batch) {
    o.batch_size = batch;
    auto model = small("cnn", normed);
    Trainer(o).fit(model, make<objectives::CrossEntropy>(), data);
    return statistics_move(*model, data);
  };
  EXPECT_LE(move(options(0.5), 64), 1e-5);
  EXPECT_GT(move(options(0), 64), 1e-3);
  EXPECT_LE(move(options(0.5), 16), 0.02);  // means over batches: of the second layer they depend on each batch's first
}

TEST(Swa, ResumesBeforeAndAfterItBegins) {
  auto whole = small("cnn", normed);
  Trainer(options(0.5)).fit(whole, make<objectives::CrossEntropy>(), blobs(70));
  for (const std::int64_t stop : {3, 10, 11, 15}) {
    TemporaryFolder folder;
    TrainerOptions kept = options(0.5);
    kept.directory = folder.path();
    kept.resume = "auto";
    Trainer(kept, {std::make_shared<StopAt>(stop)})
        .fit(small("cnn", normed), make<objectives::CrossEntropy>(), blobs(70));
    auto rest = small("cnn", normed, 99);
    EXPECT_EQ(Trainer(kept).fit(rest, make<objectives::CrossEntropy>(), blobs(70)).resumed_from, stop);
    EXPECT_EQ(checksum(*rest), checksum(*whole)) << stop;
    auto finished = small("cnn", normed, 98);
    Trainer(kept).fit(finished, make<objectives::CrossEntropy>(), blobs(70));
    EXPECT_EQ(checksum(*finished), checksum(*whole)) << stop;
  }
}

TEST(Swa, TheMetricsAreOfTheWeightsThatAreReturned) {
  Pipeline data = blobs(64);
  data.validation = blobs(40, 4, 7);
  auto model = small("cnn", normed);
  const vaetl::Run run =
      Trainer(options(0.5)).fit(model, make<objectives::CrossEntropy>(), data, {}, {"cross_entropy"});
  EXPECT_DOUBLE_EQ(run.metrics.at("validation.cross_entropy"),
                   evaluate(*model, *data.validation, {"cross_entropy"}).at("cross_entropy"));
}

TEST(Swa, OneRuleForTheAverage) {
  expect_error<ConfigError>([] { Trainer({.ema_decay = 0.9, .swa_from = 0.5}); },
                            {"trainer.swa_from", "one rule for the averaged weights", "ema_decay besides"});
}

}  // namespace
}  // namespace vaetl::testing::swa_test
