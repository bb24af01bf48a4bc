// The loop: reproducible, indifferent to what only watches, strict about what does not fit.
#include "vaetl/train/trainer.hpp"

#include <ATen/ops/full.h>

#include <limits>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "train/fixture.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/evaluate.hpp"
#include "vaetl/train/optimizers.hpp"

namespace vaetl::testing::trainer_test {
namespace {

const Json kMlp = {{"widths", {16}}, {"classes", 4}, {"dropout", 0.2}};

struct Trained {
  std::shared_ptr<Model> model;
  Run run;
};

Trained train(TrainerOptions options, const Pipeline& data = blobs(70), const std::vector<std::string>& metrics = {}) {
  options.device = "cpu";
  auto model = small("mlp", kMlp);
  Run run = Trainer(options).fit(model, make<objectives::CrossEntropy>(), data, {}, metrics);
  return {model, std::move(run)};
}

TEST(TrainerOptions, EveryMemberIsDescribed) {
  expect_fields_cover<TrainerOptions>();
  expect_fields_cover<TuningRule>();
  expect_fields_cover<optim::Sgd::Options>();
  expect_fields_cover<optim::AdamOptions>();
}

TEST(Trainer, TheSameSeedGivesTheSameBytesAndAnotherDoesNot) {
  const auto a = train({.epochs = 2, .batch_size = 16}), b = train({.epochs = 2, .batch_size = 16}),
             c = train({.epochs = 2, .batch_size = 16, .seed = 1});
  EXPECT_EQ(checksum(*a.model), checksum(*b.model));
  EXPECT_NE(checksum(*a.model), checksum(*c.model));
}

// Validation, logging and checkpoints only watch: however often they happen, the weights are the same.
TEST(Trainer, WatchingChangesNothing) {
  const auto plain = train({.epochs = 3, .batch_size = 16});
  Pipeline watched = blobs(70);
  watched.validation = blobs(33, 4, 5);
  TemporaryFolder folder;
  const auto seen =
      train({.epochs = 3, .batch_size = 16, .directory = folder.path(), .checkpoint_every = 2, .log_every = 1}, watched,
            {"accuracy", "cross_entropy"});
  EXPECT_EQ(checksum(*plain.model), checksum(*seen.model));
}

TEST(Trainer, RandomNumbersDrawnByAProgramBetweenStepsChangeNothing) {
  struct Draws final : Callback {
    void on_step(Progress&) override { at::rand({7}); }
  };
  auto model = small("mlp", kMlp);
  Trainer({.epochs = 2, .batch_size = 16, .device = "cpu"}, {std::make_shared<Draws>()})
      .fit(model, make<objectives::CrossEntropy>(), blobs(70));
  EXPECT_EQ(checksum(*model), checksum(*train({.epochs = 2, .batch_size = 16}).model));
}

TEST(Trainer, EpochsAndStepsAgree) {
  const auto epochs = train({.epochs = 2, .batch_size = 16}), steps = train({.steps = 10, .batch_size = 16});
  EXPECT_EQ(epochs.run.steps, 10);
  EXPECT_EQ(checksum(*epochs.model), checksum(*steps.model));
}

TEST(Trainer, ShortEpochsShareAnEntryOfTheHistory) {
  const auto tiny = train({.steps = 100, .batch_size = 64, .validate_every = 50}, blobs(40));
  ASSERT_EQ(tiny.run.history.size(), 2u);
  EXPECT_EQ(tiny.run.history[0].at("step"), 50);
  EXPECT_EQ(tiny.run.history[1].at("step"), 100);
}

TEST(Trainer, EntriesFallWithinEpochsWhereTheyAreAskedForByStep) {
  const auto run = train({.steps = 17, .batch_size = 16, .validate_every = 4, .validate_at = "step"}, blobs(70)).run;
  std::vector<double> steps, epochs;
  for (const auto& entry : run.history) {
    steps.push_back(entry.at("step"));
    epochs.push_back(entry.at("epoch"));
  }
  EXPECT_EQ(steps, (std::vector<double>{4, 8, 12, 16, 17}));
  EXPECT_EQ(epochs, (std::vector<double>{0, 1, 2, 3, 3}));  // of five steps
}

TEST(Trainer, KeepsTheBestEpochByValidation) {
  Pipeline data = blobs(70);
  data.validation = blobs(30, 4, 3);
  // A rate that grows until it destroys: the best epoch is not the last.
  TrainerOptions options{.epochs = 6,
                         .batch_size = 16,
                         .optimizer = {"sgd", {{"lr", 0.05}, {"momentum", 0}}},
                         .lr_curve = Schedule::linear(0.5, 300),
                         .monitor = "cross_entropy",
                         .validate_every = 1};
  for (const bool with_folder : {false, true}) {
    TemporaryFolder folder;
    if (with_folder) options.directory = folder.path();
    const auto [model, run] = train(options, data, {"cross_entropy"});
    double best = std::numeric_limits<double>::infinity();
    for (const auto& entry : run.history) best = std::min(best, entry.at("validation.cross_entropy"));
    EXPECT_LT(best, run.history.back().at("validation.cross_entropy"));
    EXPECT_EQ(run.metrics.at("validation.cross_entropy"), best);
    EXPECT_DOUBLE_EQ(evaluate(*model, *data.validation, {"cross_entropy"}).at("cross_entropy"), best);
  }
}

TEST(Trainer, WritesOneLineOfJsonAnEpoch) {
  TemporaryFolder folder;
  train({.epochs = 3, .batch_size = 16, .directory = folder.path(), .validate_every = 1});
  const std::string text = read_file(folder.path() + "/metrics.jsonl");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  const Json first = parse_json(text.substr(0, text.find('\n')), "metrics.jsonl");
  EXPECT_EQ(first.at("epoch"), 0);
  EXPECT_TRUE(first.contains("loss"));
}

// A process may be killed between the writing of a checkpoint and that of the history.
TEST(Trainer, AResumedRunWritesTheHistoryThatItsCheckpointHas) {
  TemporaryFolder folder;
  const TrainerOptions options{
      .epochs = 3, .batch_size = 16, .directory = folder.path(), .resume = "auto", .validate_every = 1};
  train(options);
  const std::string whole = read_file(folder.path() + "/metrics.jsonl");
  folder.file("metrics.jsonl", whole.substr(0, whole.find('\n') + 1));
  train(options);
  EXPECT_EQ(read_file(folder.path() + "/metrics.jsonl"), whole);
}

TEST(Trainer, ClippingBoundsTheStep) {
  // SGD without momentum moves by lr × gradient: with the norm clipped to c, one step moves all weights by at most lr
  // c.
  auto model = small("mlp", kMlp);
  Weights before;
  for (const auto& [name, tensor] : state(*model)) before[name] = tensor.clone();
  const double lr = 0.5, limit = 1e-3;
  Trainer({.steps = 1,
           .batch_size = 16,
           .optimizer = {"sgd", {{"lr", lr}, {"momentum", 0}}},
           .clip_norm = limit,
           .device = "cpu"})
      .fit(model, make<objectives::CrossEntropy>(), blobs(70));
  double moved = 0;
  for (const auto& [name, tensor] : state(*model)) moved += (tensor - before[name]).square().sum().item<double>();
  EXPECT_LE(std::sqrt(moved), lr * limit * 1.001);
  EXPECT_GE(std::sqrt(moved), lr * limit * 0.99);
}

TEST(Trainer, ALossThatIsNotFiniteNamesStepTermAndCheckpoint) {
  TemporaryFolder folder;
  const TrainerOptions explode{.epochs = 50, .batch_size = 16, .optimizer = {"sgd", {{"lr", 1e30}}}, .log_every = 1};
  expect_error<DivergedError>([&] { train(explode); }, {"training", "a finite loss", "cross_entropy = ", "at step ",
                                                        "lower the learning rate", "no checkpoint was kept"});
  auto kept = explode;
  kept.directory = folder.path();
  kept.checkpoint_every = 1;
  expect_error<DivergedError>([&] { train(kept); }, {"the last good checkpoint is " + folder.path()});
  // What was kept is finite: it was read before it was written.
  for (const auto& [name, tensor] : read_safetensors(folder.path() + "/checkpoints/last/model.safetensors").tensors) {
    EXPECT_FALSE(tensor.is_floating_point() && tensor.isnan().any().item<bool>()) << name;
  }
}

TEST(Trainer, RefusesWhatDoesNotFit) {
  Fields wide;
  wide.set("input", at::full({8, 3, 12, 12}, 1, at::kByte));
  wide.set("target", at::full({8}, 1, at::kLong));
  expect_error<DataError>([&] { train({}, Dataset::from_tensors(wide)); },
                          {"stream train", "(1, 12, 12)", "(3, 12, 12)"});
  expect_error<DataError>([&] { train({}, blobs(8).without("target")); }, {"target"});
  expect_error<ConfigError>([] { Trainer({.batch_size = 0}); }, {"trainer.batch_size", "between 1 and", "0"});
  expect_error<ConfigError>([] { train({.monitor = "accuracy"}); }, {"trainer.monitor", "validation data"});
  expect_error<ConfigError>(
      [] {
        train({.optimizer = {"adamm", Json::object()}});
      },
      {"trainer.optimizer", "adamm", "adam"});
  Pipeline data = blobs(8);
  data.validation = blobs(8);
  expect_error<ConfigError>([&] { train({.monitor = "acuracy"}, data, {"accuracy"}); }, {"acuracy", "accuracy"});
}

TEST(Trainer, RefusesARateBelowZero) {
  for (const Schedule& curve : {Schedule(-1), Schedule::linear(1, -1)}) {
    expect_error<ConfigError>([&] { Trainer({.lr_curve = curve}); }, {"trainer.lr_curve", "at least 0", "-1"});
  }
}

TEST(Trainer, RefusesDataThatNothingReads) {
  const Pipeline misspelt({Stream{.data = blobs(8)}, Stream{.name = "tset", .data = blobs(8)}});
  expect_error<ConfigError>([&] { train({}, misspelt); }, {"data.tset", "a stream that the objective reads (train)"});
  const Pipeline twice({Stream{.data = blobs(8), .views = 2}});
  expect_error<ConfigError>([&] { train({}, twice); }, {"data.train.views", "at most 1", "2"});
}

// How often losses are logged decides nothing, the choice of the best epoch included.
TEST(Trainer, LoggingDoesNotChooseTheBestEpoch) {
  Pipeline data = blobs(70);
  data.validation = blobs(30, 4, 3);
  const auto best = [&](std::int64_t log_every) {
    return train(
        {.epochs = 8, .batch_size = 16, .monitor = "cross_entropy", .log_every = log_every, .validate_every = 1}, data,
        {"cross_entropy"});
  };
  const auto often = best(1), seldom = best(50);
  EXPECT_EQ(checksum(*often.model), checksum(*seldom.model));
  EXPECT_EQ(often.run.metrics.at("epoch"), seldom.run.metrics.at("epoch"));
}

TEST(Trainer, RefusesLabelsOutsideTheHead) {
  expect_error<DataError>([] { train({}, blobs(12, 6)); }, {"labels from 0 to 3", "found the label"});
}

TEST(Trainer, LabelSmoothingAndWeightsChangeTheResult) {
  const Dataset data = blobs(64);
  const auto even = train({.epochs = 1, .batch_size = 16}, data);
  at::Tensor weight = at::full({64}, 1.0);
  weight.slice(0, 0, 10) = 5;
  EXPECT_NE(checksum(*train({.epochs = 1, .batch_size = 16}, data.with("weight", weight)).model),
            checksum(*even.model));
  EXPECT_EQ(checksum(*train({.epochs = 1, .batch_size = 16}, data.with("weight", at::full({64}, 1.0))).model),
            checksum(*even.model));
}

}  // namespace
}  // namespace vaetl::testing::trainer_test
