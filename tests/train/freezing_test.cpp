// Freezing is more than stopping gradients: weights, running statistics, dropout and optimiser stand still together.
#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::freezing_test {
namespace {

const Json kCnn = {{"channels", {4, 8}}, {"dense", {16}}, {"classes", 4}, {"batch_norm", true}, {"dropout", 0.2}};

Run fit(std::shared_ptr<Model> model, const Tuning& tuning, std::int64_t epochs = 3) {
  Trainer trainer({.epochs = epochs,
                   .batch_size = 16,
                   .optimizer = {"adamw", {{"lr", 0.01}, {"weight_decay", 0.1}}},
                   .device = "cpu"});
  return trainer.fit(std::move(model), make<objectives::CrossEntropy>(), blobs(64), tuning);
}

// Groups whose tensors all kept their bytes.
std::set<std::string> unchanged(const Model& model, const Checksum& before) {
  std::set<std::string> changed, result;
  const Checksum after = checksum(model);
  for (const auto& [name, sum] : before.tensors) {
    if (after.tensors.at(name) != sum) changed.insert(group_of(model, name));
  }
  for (const auto& group : model.groups()) {
    if (!changed.contains(group.name)) result.insert(group.name);
  }
  return result;
}

TEST(Freezing, FrozenGroupsKeepEveryByteUnderAdamWWithBatchNorm) {
  auto model = small("cnn", kCnn);
  const Checksum before = checksum(*model);
  fit(model, {{.groups = "encoder.0", .train = false}, {.groups = "encoder.2", .train = false}});
  EXPECT_EQ(unchanged(*model, before), (std::set<std::string>{"encoder.0", "encoder.2"}));
}

TEST(Freezing, WithoutRulesEveryGroupTrains) {
  auto model = small("cnn", kCnn);
  const Checksum before = checksum(*model);
  fit(model, {});
  EXPECT_TRUE(unchanged(*model, before).empty());
}

TEST(Freezing, TheLastMatchingRuleWins) {
  auto model = small("cnn", kCnn);
  const Checksum before = checksum(*model);
  fit(model, {{.groups = "*", .train = false}, {.groups = "head"}, {.groups = "encoder.1"}});
  EXPECT_EQ(unchanged(*model, before), (std::set<std::string>{"encoder.0", "encoder.2"}));
}

TEST(Freezing, AGroupThawsAtItsEpoch) {
  const Tuning thaw = {{.groups = "backbone", .train = false}, {.groups = "encoder.2", .from = 2, .unit = "epochs"}};
  auto model = small("cnn", kCnn);
  const Checksum before = checksum(*model);
  fit(model, thaw, 2);
  EXPECT_EQ(unchanged(*model, before), (std::set<std::string>{"encoder.0", "encoder.1", "encoder.2"}));
  fit(model, thaw, 3);
  EXPECT_EQ(unchanged(*model, before), (std::set<std::string>{"encoder.0", "encoder.1"}));
}

// Of 8 steps, 4 an epoch, 30 % are 2.4: it counts from the fourth step on, and the curve goes on as if nothing were.
TEST(Freezing, AGroupThawsWithinAnEpochAndTheCurveGoesOn) {
  const Tuning thaw = {{.groups = "backbone", .train = false}, {.groups = "encoder.2", .lr_scale = 0.5, .from = 0.3}};
  const auto stop_after = [&](std::int64_t steps) {
    auto model = small("cnn", kCnn);
    const Checksum before = checksum(*model);
    const TrainerOptions options{
        .epochs = 2, .batch_size = 16, .lr_curve = Schedule::linear(1, 0), .device = "cpu", .validate_every = 1};
    const vaetl::Run run = Trainer(options, {std::make_shared<StopAt>(steps)})
                               .fit(model, make<objectives::CrossEntropy>(), blobs(64), thaw);
    if (steps == 8) {
      EXPECT_DOUBLE_EQ(run.history.at(0).at("lr_factor"), 0.5);
      EXPECT_DOUBLE_EQ(run.history.at(1).at("lr_factor"), 0);
    }
    return unchanged(*model, before);
  };
  EXPECT_TRUE(stop_after(3).contains("encoder.2"));
  EXPECT_FALSE(stop_after(4).contains("encoder.2"));
  EXPECT_TRUE(stop_after(8).contains("encoder.1"));
}

TEST(Freezing, ABatchNormOfAGroupThatTrainsMayStand) {
  for (const std::string norm : {"train", "statistics", "frozen"}) {
    auto model = small("cnn", kCnn);
    const Checksum before = checksum(*model);
    fit(model, {{.groups = "backbone", .norm = norm}}, 1);
    const Checksum after = checksum(*model);
    const auto same = [&](const std::string& name) { return before.tensors.at(name) == after.tensors.at(name); };
    EXPECT_FALSE(same("encoder.0.conv.weight")) << norm;
    EXPECT_EQ(same("encoder.0.norm.running_mean"), norm != "train") << norm;
    EXPECT_EQ(same("encoder.0.norm.num_batches_tracked"), norm != "train") << norm;
    EXPECT_EQ(same("encoder.0.norm.weight"), norm == "frozen") << norm;
    EXPECT_EQ(same("encoder.0.norm.bias"), norm == "frozen") << norm;
  }
}

TEST(Freezing, ALearningRateOfZeroForAGroupLeavesItsWeights) {
  auto model = small("cnn", {{"channels", {4, 8}}, {"dense", {16}}, {"classes", 4}});
  const Checksum before = checksum(*model);
  fit(model, {{.groups = "encoder.1", .lr_scale = 0}});
  EXPECT_EQ(unchanged(*model, before), (std::set<std::string>{"encoder.1"}));
}

TEST(Freezing, EverythingFrozenIsRefused) {
  expect_error<ConfigError>([] { fit(small("cnn", kCnn), {{.groups = "*", .train = false}}); },
                            {"step 0", "every layer group is frozen"});
}

TEST(Freezing, APatternThatMatchesNothingSuggestsTheNearest) {
  expect_error<ConfigError>([] { fit(small("cnn", kCnn), {{.groups = "encodr.0", .train = false}}); },
                            {"tuning[0].groups", "encodr.0", "encoder.0"});
}

TEST(Freezing, WhatBeginsAfterAllStepsNeverBegins) {
  const auto model = small("cnn", kCnn);
  for (const std::string unit : {"steps", "epochs"}) {
    const Tuning never = {{.groups = "*", .train = false, .from = 1e300, .unit = unit}};
    const Span span{.steps = 10, .steps_per_epoch = 5};
    EXPECT_TRUE(evaluate_tuning(never, *model, 10, span).at("head").train) << unit;
    EXPECT_EQ(tuning_steps(never, span), std::vector<std::int64_t>{0}) << unit;
  }
}

TEST(Freezing, AfterTrainingEveryParameterWantsGradientsAgain) {
  auto model = small("cnn", kCnn);
  fit(model, {{.groups = "backbone", .train = false}});
  for (const auto& parameter : model->parameters()) EXPECT_TRUE(parameter.requires_grad());
  EXPECT_FALSE(model->is_training());
}

// The backbone's features, computed once, give what running it at every step gives. Dropout sits in the head's input,
// so this model has none; both ways take the same batches. Convolutions over 500 and over 16 pictures may sum in
// another order: features differ by some ulp of float32 (6e-8), and 12 steps of AdamW at 0.01 move a weight by at most
// 0.12.
TEST(FrozenFeatures, EqualTheSlowWay) {
  const Json options = {{"channels", {4, 8}}, {"dense", {16}}, {"classes", 4}, {"batch_norm", true}};
  const Tuning probe = {{.groups = "backbone", .train = false}};
  // A thaw at the end keeps everything frozen and forbids the short cut.
  const Tuning slow_probe = {{.groups = "backbone", .train = false}, {.groups = "encoder.0", .from = 1}};
  auto fast = small("cnn", options), slow = small("cnn", options);
  fit(fast, probe);
  fit(slow, slow_probe);
  for (const auto& item : fast->named_parameters()) {
    EXPECT_LE((item.value() - slow->named_parameters()[item.key()]).abs().max().item<double>(), 1e-4) << item.key();
  }
}

struct Notices final : Callback {
  void on_notice(Progress& progress) override { lines.push_back(progress.notice); }
  void on_begin(Progress&) override {}
  std::vector<std::string> lines;
};

std::vector<std::string> notices(const Pipeline& data, const Tuning& tuning) {
  auto heard = std::make_shared<Notices>();
  Trainer({.epochs = 1, .batch_size = 16, .device = "cpu"}, {heard})
      .fit(small("cnn", kCnn), make<objectives::CrossEntropy>(), data, tuning);
  return heard->lines;
}

TEST(FrozenFeatures, SayThatTheyAreCachedOrWhyNot) {
  const Tuning probe = {{.groups = "backbone", .train = false}};
  EXPECT_EQ(notices(blobs(64), probe),
            (std::vector<std::string>{"the frozen part runs once: its features are cached"}));
  const Pipeline augmented({Stream{.data = blobs(64), .augment = {{"flip", Json::object()}}}});
  EXPECT_EQ(notices(augmented, probe),
            (std::vector<std::string>{"the frozen part runs at every step: stream \"train\" is augmented"}));
  EXPECT_TRUE(notices(blobs(64), {}).empty());
}

}  // namespace
}  // namespace vaetl::testing::freezing_test
