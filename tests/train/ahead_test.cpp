// Updates of a step that share what the first one computes: the generated examples of a GAN.
#include "train/fixture.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/adversarial.hpp"

namespace vaetl::testing::ahead_test {
namespace {

struct Seen {
  std::size_t update;
  bool ahead, first_wanted, second_wanted;  // do the parameters of either update record a graph?
  bool operator==(const Seen&) const = default;
};

bool wanted(const Model& model, const std::string& group) {
  return model.named_parameters()[group + ".0.dense.weight"].requires_grad();
}

// Two updates, which note how they are called.
class Noting final : public Objective {
 public:
  explicit Noting(std::int64_t every) : every_(every) {}
  Needs needs() const override { return {.capabilities = {"Generator", "Critic"}}; }
  std::vector<Update> updates() const override {
    return {{.name = "first", .groups = {"critic*"}, .ahead = true},
            {.name = "second", .groups = {"generator*"}, .every = every_}};
  }
  Terms terms(std::size_t update, Pass& pass) override {
    const Model& model = pass.model();
    seen.push_back({update, pass.ahead(), wanted(model, "critic"), wanted(model, "generator")});
    const auto squared = [&](const std::string& group) {
      return model.named_parameters()[group + ".0.dense.weight"].square().sum();
    };
    if (update == 1) return Terms{}.add("second", squared("generator"));
    return Terms{}.add("first", squared("critic") + squared("generator"));  // of which it trains one
  }
  std::vector<Seen> seen;

 private:
  std::int64_t every_;
};

std::shared_ptr<Model> gan() { return small("gan", {{"widths", {8}}, {"noise", 4}}); }

std::vector<Seen> seen(std::int64_t every, TrainerOptions options) {
  const auto objective = std::make_shared<Noting>(every);
  options.batch_size = 8;
  options.checks = false;
  Trainer(options).fit(gan(), objective, blobs(64).without("target"));
  return objective->seen;
}

TEST(Ahead, WhereTheNextUpdateFollowsItRecordsItsGraph) {
  EXPECT_EQ(seen(1, {.steps = 2}),
            (std::vector<Seen>{
                {0, true, true, true}, {1, false, false, true}, {0, true, true, true}, {1, false, false, true}}));
  EXPECT_EQ(seen(2, {.steps = 2}),
            (std::vector<Seen>{{0, false, true, false}, {0, true, true, true}, {1, false, false, true}}));
}

TEST(Ahead, NotOverSeveralBatchesNorWhereOneIsEvaluatedAgain) {
  for (const TrainerOptions& options : {TrainerOptions{.steps = 1, .accumulate = 2},
                                        TrainerOptions{.steps = 1, .optimizer = {"sam", Json::object()}}}) {
    for (const Seen& call : seen(1, options)) {
      EXPECT_FALSE(call.ahead);
      EXPECT_EQ(call.first_wanted, call.update == 0);
      EXPECT_EQ(call.second_wanted, call.update == 1);
    }
  }
}

TEST(Ahead, WhatTheFirstUpdateLeadsToTheOthersParametersIsDropped) {
  const auto model = gan();
  const at::Tensor before = state(*model).at("generator.0.dense.weight").clone();
  Trainer({.steps = 1, .batch_size = 8, .optimizer = {"sgd", {{"lr", 0.1}}}, .checks = false})
      .fit(model, std::make_shared<Noting>(1), blobs(64).without("target"));
  EXPECT_TRUE(at::allclose(state(*model).at("generator.0.dense.weight"), before - 0.1 * 2 * before));
}

// With the loss of Wasserstein the generator minimises minus the score that the critic logs, where nothing moved
// between.
TEST(Ahead, BothUpdatesOfAGameSeeTheSameExamples) {
  const auto model = small("gan", {{"widths", {8}}, {"noise", 4}, {"batch_norm", true}});
  const vaetl::Run run =
      Trainer({.epochs = 1, .batch_size = 16, .optimizer = {"sgd", {{"lr", 0}}}})
          .fit(model, make<objectives::Adversarial>({.loss = "wasserstein"}), blobs(64).without("target"));
  EXPECT_FLOAT_EQ(static_cast<float>(run.history.back().at("generator")),
                  static_cast<float>(-run.history.back().at("score_generated")));
  EXPECT_EQ(state(*model).at("generator.0.norm.num_batches_tracked").item<std::int64_t>(), 4);  // once a step
}

}  // namespace
}  // namespace vaetl::testing::ahead_test
