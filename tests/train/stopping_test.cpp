// What ends a training before its last step: patience, time, samples.
#include <thread>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::stopping_test {
namespace {

const Json stopped_mlp = {{"widths", {16}}, {"classes", 4}};

struct Stopped {
  std::shared_ptr<Model> model;
  Run run;
  Pipeline data;
};

Stopped fit_stopped(TrainerOptions options, std::vector<std::shared_ptr<Callback>> callbacks = {},
                    std::uint64_t key = 1) {
  options.device = "cpu";
  Pipeline data = blobs(70);
  data.validation = blobs(30, 4, 3);
  auto model = small("mlp", stopped_mlp, key);
  Run run =
      Trainer(options, std::move(callbacks)).fit(model, make<objectives::CrossEntropy>(), data, {}, {"cross_entropy"});
  return {model, std::move(run), std::move(data)};
}

// A rate that grows until it destroys: from some epoch on nothing gets better.
TrainerOptions impatient(const std::string& directory = {}) {
  return {.epochs = 30,
          .batch_size = 16,
          .optimizer = {"sgd", {{"lr", 0.05}, {"momentum", 0}}},
          .lr_curve = Schedule::linear(0.5, 600),
          .patience = 3,
          .monitor = "cross_entropy",
          .directory = directory,
          .resume = directory.empty() ? "never" : "auto",
          .checkpoint_every = 17,
          .validate_every = 1};
}

struct LastNotice final : Callback {
  void on_notice(Progress& p) override { line = p.notice; }
  std::string line;
};

TEST(Patience, EndsTheTrainingAndReturnsTheBestEpoch) {
  const auto notice = std::make_shared<LastNotice>();
  const Stopped early = fit_stopped(impatient(), {notice});
  EXPECT_EQ(notice->line,
            fmt::format("ended at step {} of 150: no better cross_entropy in 3 validations", early.run.steps));
  EXPECT_EQ(early.run.ended, "patience");
  EXPECT_FALSE(early.run.interrupted);
  EXPECT_LT(early.run.steps, 150);
  const auto& history = early.run.history;
  const double best = history[history.size() - 4].at("validation.cross_entropy");
  for (const auto& entry : history) EXPECT_GE(entry.at("validation.cross_entropy"), best);
  EXPECT_DOUBLE_EQ(evaluate(*early.model, *early.data.validation, {"cross_entropy"}).at("cross_entropy"), best);
}

TEST(Patience, IsResumedAndEndsWhereItWouldHave) {
  const Stopped straight = fit_stopped(impatient());
  for (const std::int64_t stop : {std::int64_t{3}, straight.run.steps - 4, straight.run.steps - 1}) {
    const TemporaryFolder folder;
    fit_stopped(impatient(folder.path()), {std::make_shared<StopAt>(stop)});
    const Stopped rest = fit_stopped(impatient(folder.path()), {}, 99);
    EXPECT_EQ(rest.run.resumed_from, stop);
    EXPECT_EQ(rest.run.steps, straight.run.steps);
    EXPECT_EQ(rest.run.ended, "patience");
    EXPECT_EQ(checksum(*rest.model), checksum(*straight.model));
    // It has ended: another attempt does nothing.
    const Stopped again = fit_stopped(impatient(folder.path()), {}, 98);
    EXPECT_EQ(again.run.steps, straight.run.steps);
    EXPECT_EQ(checksum(*again.model), checksum(*straight.model));
  }
}

TEST(Patience, NeedsAMonitor) {
  expect_error<ConfigError>([] { fit_stopped({.patience = 2}); },
                            {"trainer.patience", "a validation metric to watch", "set monitor"});
}

TEST(MaxSamples, IsTheLastStepOfTheSchedule) {
  // 70 examples: batches of 16, 16, 16, 16, 6.
  for (const auto& [samples, steps] : std::map<std::int64_t, std::int64_t>{{16, 1}, {33, 2}, {70, 5}, {102, 7}}) {
    const Stopped some =
        fit_stopped({.epochs = 9, .batch_size = 16, .lr_curve = Schedule::linear(1, 0), .max_samples = samples});
    EXPECT_EQ(some.run.steps, steps) << samples;
    EXPECT_EQ(some.run.history.back().at("lr_factor"), 0);
    EXPECT_EQ(some.run.ended, "");
  }
  EXPECT_EQ(fit_stopped({.steps = 3, .batch_size = 16, .max_samples = 1000}).run.steps, 3);
  expect_error<ConfigError>([] { fit_stopped({.batch_size = 16, .max_samples = 15}); },
                            {"trainer.max_samples", "at least 16, the examples of a step", "found 15"});
}

struct Slow final : Callback {
  void on_step(Progress&) override { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
};

TrainerOptions timed(const std::string& directory, double minutes) {
  return {.epochs = 4,
          .batch_size = 16,
          .lr_curve = Schedule::linear(1, 0),
          .max_minutes = minutes,
          .monitor = "cross_entropy",
          .directory = directory,
          .resume = directory.empty() ? "never" : "auto",
          .validate_every = 1};
}

TEST(MaxMinutes, EndsProperlyAndGoesOnWithMore) {
  const Stopped straight = fit_stopped(timed("", 0));
  const TemporaryFolder folder;
  const Stopped part = fit_stopped(timed(folder.path(), 0.03 / 60), {std::make_shared<Slow>()});
  EXPECT_EQ(part.run.ended, "max_minutes");
  EXPECT_FALSE(part.run.interrupted);
  EXPECT_LT(part.run.steps, 20);
  EXPECT_EQ(part.run.history.back().at("step"), part.run.steps);
  EXPECT_GT(part.run.history.back().at("lr_factor"), 0);
  EXPECT_DOUBLE_EQ(evaluate(*part.model, *part.data.validation, {"cross_entropy"}).at("cross_entropy"),
                   part.run.metrics.at("validation.cross_entropy"));
  const std::string lines = read_file(folder.path() + "/metrics.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), static_cast<std::ptrdiff_t>(part.run.history.size()));

  const Stopped rest = fit_stopped(timed(folder.path(), 10), {}, 99);
  EXPECT_EQ(rest.run.resumed_from, part.run.steps);
  EXPECT_EQ(rest.run.ended, "");
  EXPECT_EQ(rest.run.steps, 20);
  EXPECT_EQ(checksum(*rest.model), checksum(*straight.model));
  ASSERT_EQ(rest.run.history.size(), straight.run.history.size());
}

}  // namespace
}  // namespace vaetl::testing::stopping_test
