// The short forms of what trains, as rules for a model's own layer groups.
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "transfer/fixture.hpp"

namespace vaetl::testing::what_trains_test {
namespace {

using Rows = std::vector<std::string>;

// Group, start (unit), rate; frozen rules are "group still".
Rows rows(const Tuning& tuning) {
  Rows result;
  for (const TuningRule& rule : tuning) {
    const std::string from = rule.from > 0 ? fmt::format(" from {:g} {}", rule.from, rule.unit) : "";
    result.push_back(rule.groups + (rule.train ? fmt::format(" × {:g}", rule.lr_scale) : " still") + from);
  }
  return result;
}

Rows expand(const AdaptOptions& options, const Json& more = Json::object()) {
  return rows(tuning_of(*small_cnn(3, more), options));
}

TEST(WhatTrains, NothingIsAskedForNoRules) { EXPECT_EQ(expand({}), Rows{}); }

TEST(WhatTrains, RatesFallFromTheHeadDown) {
  EXPECT_EQ(expand({.layer_decay = 0.5}), (Rows{"encoder.2 × 0.5", "encoder.1 × 0.25", "encoder.0 × 0.125"}));
}

TEST(WhatTrains, TheHeadTrainsAloneAtFirst) {
  EXPECT_EQ(expand({.layer_decay = 0.5, .head_first = 0.2}),
            (Rows{"encoder.2 still", "encoder.2 × 0.5 from 0.2 training", "encoder.1 still",
                  "encoder.1 × 0.25 from 0.2 training", "encoder.0 still", "encoder.0 × 0.125 from 0.2 training"}));
}

TEST(WhatTrains, GroupsThawByEpochsOrEvenly) {
  EXPECT_EQ(expand({.gradual = Gradual{.every = 2}}),
            (Rows{"encoder.2 still", "encoder.2 × 1 from 2 epochs", "encoder.1 still", "encoder.1 × 1 from 4 epochs",
                  "encoder.0 still", "encoder.0 × 1 from 6 epochs"}));
  EXPECT_EQ(expand({.gradual = Gradual{.over = 0.75}}),
            (Rows{"encoder.2 still", "encoder.2 × 1 from 0.25 training", "encoder.1 still",
                  "encoder.1 × 1 from 0.5 training", "encoder.0 still", "encoder.0 × 1 from 0.75 training"}));
}

// The groups that are frozen for good neither thaw nor count; what tuning says comes last.
TEST(WhatTrains, FreezeStandsAndTuningWins) {
  const AdaptOptions options{
      .freeze = {"encoder.1"}, .tuning = {{.groups = "encoder.0", .lr_scale = 7}}, .layer_decay = 0.5};
  EXPECT_EQ(expand(options), (Rows{"encoder.1 still", "encoder.2 × 0.5", "encoder.0 × 0.25", "encoder.0 × 7"}));
}

// Those that are taken out of what is frozen have the rates, starts and norms of all that train.
TEST(WhatTrains, SomeOfWhatIsFrozenTrains) {
  EXPECT_EQ(expand({.freeze = {"backbone", "!encoder.1"}, .layer_decay = 0.5}),
            (Rows{"backbone still", "encoder.1 × 1", "encoder.1 × 0.5"}));
  expect_error<ConfigError>(
      [] {
        expand({.freeze = {"backbone", "!encodr.1"}});
      },
      {"transfer.freeze[1]", "\"encodr.1\"", "did you mean \"encoder.1\"?"});
  expect_error<ConfigError>([] { expand({.freeze = {"backbone[:-99]"}}); }, {"the backbone has 3 layer groups"});
}

TEST(WhatTrains, WithoutAHeadNothingCanTrainFirst) {
  const auto vae = small_vae();
  expect_error<ConfigError>([&] { tuning_of(*vae, {.head_first = 0.2}); },
                            {"transfer.head_first", "a target with a head", "none in \"conv_vae\""});
  expect_error<ConfigError>([&] { tuning_of(*vae, {.gradual = Gradual{}}); }, {"transfer.gradual"});
}

TEST(WhatTrains, BatchNormStandsInEveryRuleOfTheBackbone) {
  const auto tuning = tuning_of(*small_cnn(3, {{"batch_norm", true}}), {.layer_decay = 0.5, .norm = "frozen"});
  ASSERT_EQ(tuning.size(), 3U);
  for (const TuningRule& rule : tuning) EXPECT_EQ(rule.norm, "frozen");
}

TEST(WhatTrains, AdaptersAreFresh) {
  const auto model = make_model("cnn", small_images({{"classes", 3}, {"adapters", {"lora"}}}));
  const Tuning tuning = tuning_of(*model, {.freeze = {"backbone"}, .layer_decay = 0.5});
  EXPECT_EQ(rows(tuning), Rows{"backbone still"});
  EXPECT_EQ(trained_groups(tuning, *model),
            (std::set<std::string>{"head", "adapter.encoder.0", "adapter.encoder.1", "adapter.encoder.2"}));
}

TEST(WhatTrains, AreasOfTheBackboneAreCountedAsInPython) {
  const auto model = small_cnn(3);
  const auto part = [&](const std::string& pattern) { return match_groups(*model, pattern, "freeze"); };
  EXPECT_EQ(part("backbone"), (Rows{"encoder.0", "encoder.1", "encoder.2"}));
  EXPECT_EQ(part("backbone[:-1]"), (Rows{"encoder.0", "encoder.1"}));
  EXPECT_EQ(part("backbone[-1:]"), Rows{"encoder.2"});
  EXPECT_EQ(part("backbone[1:2]"), Rows{"encoder.1"});
  for (const char* wrong : {"backbone[:-3]", "backbone[x:]", "backbone[1]"}) {
    expect_error<ConfigError>([&] { part(wrong); }, {"freeze", "encoder.0, encoder.1, encoder.2, head", wrong});
  }
}

TEST(WhatTrains, WhatMakesNoSenseIsRefused) {
  expect_error<ConfigError>([] { expand({.head_first = 0.1, .gradual = Gradual{}}); },
                            {"transfer: expected head_first or gradual, found both"});
  expect_error<ConfigError>([] { expand({.gradual = Gradual{.over = 0}}); },
                            {"transfer.gradual: expected every or over above 0"});
  expect_error<ConfigError>([] { expand({.norm = "frozen"}); },
                            {"transfer.norm: expected a model with batch norm, found none in \"cnn\""});
  expect_error<ConfigError>([] { expand({.freeze = {"encodr.1"}}); }, {"transfer.freeze[0]", "encoder.1"});
  expect_error<ConfigError>(
      [] {
        from_json<TuningRule>({{"groups", "*"}, {"from", 2}}, "transfer.tuning[0]");
      },
      {"a share of training, between 0 and 1, found 2", "\"unit\": \"epochs\""});
}

// What a rule of the epoch, the step and the share says, by step; without a span, at the start.
TEST(WhatTrains, RulesAreReadFromTheirStepOn) {
  const auto model = small_cnn(3);
  const Tuning tuning = {{.groups = "*", .train = false},
                         {.groups = "encoder.0", .from = 0.3},
                         {.groups = "encoder.1", .from = 1, .unit = "epochs"},
                         {.groups = "encoder.2", .from = 4, .unit = "steps"}};
  const Span span{.steps = 10, .steps_per_epoch = 2};
  EXPECT_EQ(tuning_steps(tuning, span), (std::vector<std::int64_t>{0, 2, 3, 4}));
  const auto trains = [&](const std::string& group, std::int64_t step) {
    return evaluate_tuning(tuning, *model, step, span).at(group).train;
  };
  EXPECT_FALSE(trains("encoder.0", 2));
  EXPECT_TRUE(trains("encoder.0", 3));
  EXPECT_FALSE(trains("encoder.1", 1));
  EXPECT_TRUE(trains("encoder.1", 2));
  EXPECT_FALSE(trains("encoder.2", 3));
  EXPECT_TRUE(trains("encoder.2", 4));
  for (const auto& [group, now] : evaluate_tuning(tuning, *model)) EXPECT_FALSE(now.train) << group;
}

}  // namespace
}  // namespace vaetl::testing::what_trains_test
