// A loss that is not finite: where it began, and the way back.
#include <ATen/ops/full.h>

#include <limits>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/divergence.hpp"

namespace vaetl::testing::divergence_test {
namespace {

const Json diverging_mlp = {{"widths", {16, 8}}, {"classes", 4}};

// Cross-entropy, and from a share of the training on a term of value 0 whose gradient of one group is NaN: 0 · d√x at
// 0.
class Spoilt final : public Objective {
 public:
  Spoilt(double from, std::string prefix) : from_(from), prefix_(std::move(prefix)) {
    part_ = register_module("part", make<objectives::CrossEntropy>());
  }
  Needs needs() const override { return part_->needs(); }
  void bind(Model& model, const Batch& example) override { part_->bind(model, example); }
  Terms terms(std::size_t update, Pass& pass) override {
    Terms terms = part_->terms(update, pass);
    if (pass.progress() < from_) return terms;
    for (const auto& item : pass.model().named_parameters()) {
      if (item.key().starts_with(prefix_)) return terms.add("odd", (item.value() * 0).sqrt().sum());
    }
    return terms;
  }

 private:
  double from_;
  std::string prefix_;
  std::shared_ptr<Objective> part_;
};

TrainerOptions watched(const std::string& directory, std::int64_t log_every = 1) {
  return {.epochs = 4,
          .batch_size = 16,
          .device = "cpu",
          .directory = directory,
          .checkpoint_every = directory.empty() ? 0 : 3,
          .log_every = log_every};
}

TEST(Divergence, NamesStepTermGroupAndCheckpoint) {
  // Step 11 of 20 is the first with progress 0.5: its gradients spoil the weights, and so the loss of step 12.
  for (const std::int64_t log_every : {1, 50}) {
    const TemporaryFolder folder;
    expect_error<DivergedError>(
        [&] {
          Trainer(watched(folder.path(), log_every))
              .fit(small("mlp", diverging_mlp), std::make_shared<Spoilt>(0.5, "encoder.1"), blobs(70));
        },
        {"training: expected a finite loss, found ", log_every == 1 ? "cross_entropy = nan at step 12 (epoch 2)" : "",
         "not finite: the gradients of encoder.1 at step 11",
         "lower the learning rate; the last good checkpoint is " + folder.path() + "/checkpoints/last"});
    const Json state = read_json(folder.path() + "/checkpoints/last/state.json");
    EXPECT_EQ(state["step"], 9);
  }
}

TEST(Divergence, WithoutACheckpointNamesTheWeights) {
  expect_error<DivergedError>(
      [] {
        Trainer(watched("")).fit(small("mlp", diverging_mlp), std::make_shared<Spoilt>(0.5, "encoder.1"), blobs(70));
      },
      {"at step 12 (epoch 2); not finite: the weights of every layer group", "no checkpoint was kept"});
}

TEST(Divergence, IsFoundInTheWeightsOfTheLastStep) {
  // The loss of the last step is finite; what it leaves is not.
  expect_error<DivergedError>(
      [] { Trainer(watched("")).fit(small("mlp", diverging_mlp), std::make_shared<Spoilt>(0.95, "head"), blobs(70)); },
      {"weights that are not finite after it at step 20 (epoch 3); not finite: the weights of head"});
}

TEST(Divergence, NamesDataThatAreNotFinite) {
  Fields fields;
  at::Tensor input = at::full({40, 1, 12, 12}, 0.5);
  input[20][0][3][3] = std::numeric_limits<float>::quiet_NaN();
  fields.set("input", input);
  fields.set("target", at::full({40}, 1, at::kLong));
  TrainerOptions options = watched("");
  options.checks = false;
  expect_error<DivergedError>(
      [&] {
        Trainer(options).fit(small("mlp", diverging_mlp), make<objectives::CrossEntropy>(),
                             Dataset::from_tensors(fields));
      },
      {"not finite: \"input\" of the stream train"});
}

TEST(Divergence, AllFinite) {
  EXPECT_TRUE(all_finite({}));
  EXPECT_TRUE(all_finite({at::full({2}, 3e38), at::full({2}, 1, at::kLong), at::Tensor()}));
  EXPECT_FALSE(all_finite({at::full({2}, 1.0), at::full({2}, -std::numeric_limits<double>::infinity())}));
  EXPECT_FALSE(all_finite({at::full({2}, std::numeric_limits<double>::quiet_NaN())}));
}

struct Notices final : Callback {
  void on_notice(Progress& p) override { lines.push_back(p.notice); }
  std::vector<std::string> lines;
};

// From step 16 of 30 on a rate at which weights grow past what a float holds, and at a fraction of it do not.
TrainerOptions rewinding(const std::string& directory, const std::string& on_divergence = "rewind") {
  return {.epochs = 6,
          .batch_size = 16,
          .optimizer = {"sgd", {{"lr", 0.1}, {"momentum", 0.9}, {"weight_decay", 0.1}}},
          .lr_curve = curves::Step{.points = {0.52}, .factor = 300},
          .device = "cpu",
          .on_divergence = on_divergence,
          .directory = directory,
          .resume = "auto",
          .checkpoint_every = 8,
          .log_every = 2,
          .validate_every = 15};
}

TEST(Rewind, GoesBackAndHalvesTheRateUntilItHolds) {
  const TemporaryFolder stopping, folder, cut;
  const auto fit = [](const TrainerOptions& options, std::vector<std::shared_ptr<Callback>> callbacks,
                      std::uint64_t key) {
    auto model = small("mlp", diverging_mlp, key);
    vaetl::Run run = Trainer(options, std::move(callbacks)).fit(model, make<objectives::CrossEntropy>(), blobs(70));
    return std::pair(model, run);
  };
  expect_error<DivergedError>([&] { fit(rewinding(stopping.path(), "stop"), {}, 1); }, {"a finite loss"});

  const auto notices = std::make_shared<Notices>();
  const auto [model, run] = fit(rewinding(folder.path()), {notices}, 1);
  EXPECT_EQ(run.steps, 30);
  EXPECT_GE(run.rewinds, 1);
  EXPECT_EQ(run.history.back().at("lr_factor"), 300 * std::ldexp(1.0, -static_cast<int>(run.rewinds)));
  for (const auto& [name, tensor] : vaetl::state(*model)) EXPECT_TRUE(all_finite({tensor})) << name;
  std::int64_t told = 0;
  for (const auto& line : notices->lines) {
    told += line.find(fmt::format("; back to step 15, at 1/{} of the rate", 2 << told)) != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(told, run.rewinds);

  // Stopped at each of some steps and resumed: the same number of rewinds, the same weights.
  for (const std::int64_t stop : {5, 17, 29}) {
    const TemporaryFolder part;
    fit(rewinding(part.path()), {std::make_shared<StopAt>(stop)}, 1);
    const auto [second, rest] = fit(rewinding(part.path()), {}, 99);
    EXPECT_EQ(rest.rewinds, run.rewinds) << stop;
    EXPECT_EQ(checksum(*second), checksum(*model)) << stop;
  }
}

TEST(Rewind, GivesUpAfterTen) {
  const TemporaryFolder folder;
  const auto notices = std::make_shared<Notices>();
  TrainerOptions options = rewinding(folder.path());
  options.lr_curve = 1.0;
  expect_error<DivergedError>(
      [&] {
        Trainer(options, {notices}).fit(small("mlp", diverging_mlp), std::make_shared<Spoilt>(0.5, "head"), blobs(70));
      },
      {"a finite loss", "the gradients of head at step 16"});
  std::int64_t told = 0;
  for (const auto& line : notices->lines) told += line.find("at 1/1024 of the rate") != std::string::npos ? 1 : 0;
  EXPECT_EQ(told, 1);
}

TEST(Rewind, NeedsAFolder) {
  expect_error<ConfigError>(
      [] {
        Trainer({.device = "cpu", .on_divergence = "rewind"})
            .fit(small("mlp", diverging_mlp), make<objectives::CrossEntropy>(), blobs(70));
      },
      {"trainer.on_divergence", "a run folder", "set directory"});
}

}  // namespace
}  // namespace vaetl::testing::divergence_test
