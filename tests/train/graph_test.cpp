// Steps that are captured and replayed end where steps that run as they are do, to the bit. On graphs for the CPU
// (recorded_graphs.hpp); the same on CUDA, where there is a device (cuda_test.cpp).
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "train/recorded_graphs.hpp"

namespace vaetl::testing::graph_test {
namespace {

// A rate that a float holds exactly, as the graph's does.
const Spec<Optimizer> adam = {"adam", {{"lr", 0.001953125}}};

struct Case {
  std::string name, model;
  Json options, objective;
  TrainerOptions trainer = {};
  std::int64_t views = 1;
  Tuning tuning = {};
};

TrainerOptions with(TrainerOptions options) {
  options.epochs = 8;  // of 4 steps, the last of 12 examples: three kinds of steps, each captured at its fourth
  options.batch_size = 20;
  options.device = "cpu";
  options.checks = false;
  return options;
}

Schedule halves() {
  curves::Step step;
  step.every = 0.25;
  step.factor = 0.5;
  return step;
}

const std::vector<Case>& cases() {
  const Json image = {{"channels", {4}}, {"dense", {8}}};
  const auto described = [&](Json more) {
    more.update(image);
    return more;
  };
  static const std::vector<Case> all = {
      {"classifier",
       "cnn",
       described({{"classes", 4}, {"dropout", 0.3}, {"batch_norm", true}}),
       "cross_entropy",
       {.optimizer = adam, .lr_curve = halves(), .clip_norm = 1, .ema_decay = 0.9}},
      {"several_batches_an_update",
       "mlp",
       {{"widths", {8}}, {"classes", 4}, {"dropout", 0.2}},
       "cross_entropy",
       {.optimizer = {"sgd", {{"lr", 0.125}, {"momentum", 0.9}}}, .accumulate = 3, .clip_value = 0.5}},
      {"optimiser_outside",
       "mlp",
       {{"widths", {8}}, {"classes", 4}},
       {{"name", "cross_entropy"}, {"label_smoothing", 0.1}},
       {.optimizer = {"rmsprop", {{"lr", 0.001}}}, .lr_curve = Schedule::cosine(0.1)}},
      {"vae_whose_beta_climbs",
       "conv_vae",
       described({{"latent", 3}}),
       {{"name", "elbo"}, {"beta", {{"linear", {0, 1}}}}},
       {.optimizer = {"adamw", {{"lr", 0.001953125}, {"weight_decay", 0.5}}}}},
      {"denoising_in_bfloat16",
       "autoencoder",
       {{"widths", {16}}, {"latent", 4}},
       {{"name", "reconstruction"}, {"corrupt", {{"name", "masking"}, {"share", 0.3}}}},
       {.optimizer = adam, .precision = "bfloat16"}},
      {"gan", "gan", {{"widths", {8}}, {"noise", 4}}, "adversarial", {.optimizer = adam, .ema_decay = 0.99}},
      {"critic_twice_with_penalty",
       "gan",
       {{"widths", {8}}, {"noise", 4}},
       {{"name", "adversarial"}, {"loss", "wasserstein"}, {"critic_steps", 2}, {"gradient_penalty", 10}},
       {.optimizer = adam}},
      {"contrastive_views",
       "cnn",
       described({{"classes", 0}}),
       {{"name", "simclr"}, {"projection", {8, 4}}},
       {.optimizer = adam},
       2},
      {"thawing",
       "cnn",
       {{"channels", {4, 4}}, {"dense", {8}}, {"classes", 4}, {"batch_norm", true}},
       "cross_entropy",
       {.optimizer = adam},
       1,
       {{.groups = "backbone", .train = false}, {.groups = "encoder.2", .lr_scale = 0.5, .from = 0.5}}},
      {"recurrent_rows",
       "lstm",
       {{"hidden", 8}, {"classes", 4}},
       {{"name", "cross_entropy"}, {"weight", {{"linear", {0.5, 1}}}}},
       {.optimizer = adam}},
  };
  return all;
}

Pipeline data_for(const Case& c) {
  Stream stream{.data = blobs(72), .views = c.views};
  if (c.views > 1) stream.augment = {{"shift", {{"pixels", 2}}}, {"flip", Json::object()}};
  return Pipeline({stream});
}

struct Trained {
  Checksum weights;
  std::vector<double> losses;
};

Trained train(const Case& c, const std::string& graph, std::vector<std::shared_ptr<Callback>> callbacks = {},
              const TrainerOptions& changed = {}) {
  TrainerOptions options = with(c.trainer);
  options.graph = graph;
  options.directory = changed.directory;
  options.resume = changed.resume;
  const auto model = small(c.model, c.options);
  const Run run = Trainer(options, std::move(callbacks)).fit(model, make_objective(c.objective), data_for(c), c.tuning);
  Trained result{checksum(*model), {}};
  for (const auto& entry : run.history) result.losses.push_back(entry.at("loss"));
  return result;
}

class Graph : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Graph, ReplayedStepsEqualThoseThatRun) {
  const GraphsOnTheCpu graphs;
  const Case& c = cases()[GetParam()];
  const Trained plain = train(c, "off");
  const int captured = GraphsOnTheCpu::captured(), replayed = GraphsOnTheCpu::replayed();
  const Trained graphed = train(c, "auto");
  EXPECT_GE(GraphsOnTheCpu::captured() - captured, 2);
  EXPECT_GE(GraphsOnTheCpu::replayed() - replayed, 2 * (GraphsOnTheCpu::captured() - captured));
  EXPECT_EQ(graphed.weights, plain.weights);
  EXPECT_EQ(graphed.losses, plain.losses);
}

TEST_P(Graph, AResumedRunEqualsThem) {
  const GraphsOnTheCpu graphs;
  const Case& c = cases()[GetParam()];
  TemporaryFolder folder;
  const TrainerOptions kept{.directory = folder.path(), .resume = "auto"};
  train(c, "auto", {std::make_shared<StopAt>(15)}, kept);
  const Trained rest = train(c, "auto", {}, kept);
  EXPECT_EQ(rest.weights, train(c, "off").weights);
}

INSTANTIATE_TEST_SUITE_P(Cases, Graph, ::testing::Range<std::size_t>(0, cases().size()),
                         [](const auto& test) { return cases()[test.param].name; });

// The state of an epoch's first step begins at 0: a kind of its own.
TEST(GraphState, IsCarriedFromWindowToWindow) {
  const GraphsOnTheCpu graphs;
  Fields fields;
  const at::Tensor tokens = at::arange(24 * 6 + 1).mul(7).remainder(11);
  fields.set("input", tokens.slice(0, 0, 144).view({24, 6}).to(at::kInt));
  fields.set("target", tokens.slice(0, 1, 145).view({24, 6}));
  const auto data = Dataset::from_tensors(fields, {.name = "tokens"});
  std::map<std::string, Checksum> weights;
  for (const std::string graph : {"off", "auto"}) {
    seed(1);
    const auto model = build(
        {"lstm",
         {{"input", {-1}}, {"vocabulary", 11}, {"embedding", 4}, {"hidden", 8}, {"classes", 11}, {"per_step", true}}});
    const auto notices = std::make_shared<Notices>();
    Trainer({.epochs = 6, .batch_size = 4, .optimizer = adam, .device = "cpu", .graph = graph, .checks = false},
            {notices})
        .fit(model, make_objective("language_model"), Pipeline({{.data = data, .order = "lanes"}}));
    EXPECT_EQ(notices->lines, "");
    weights[graph] = checksum(*model);
  }
  EXPECT_EQ(weights["auto"], weights["off"]);
  EXPECT_GT(GraphsOnTheCpu::replayed(), 0);
}

// Minimises the distance of the weights to 1, and does as it is told besides.
class Reading final : public Objective {
 public:
  enum class What { nothing, progress, value, value_late };
  explicit Reading(What what) : what_(what) {}
  Needs needs() const override { return {}; }
  Terms terms(std::size_t /*update*/, Pass& pass) override {
    const at::Tensor loss = (pass.model().parameters()[0] - 1).square().sum();
    ++calls;
    if (what_ == What::progress) return Terms{}.add("loss", loss * (1 + pass.progress()));
    if (what_ == What::value || (what_ == What::value_late && calls > 4)) loss.item<float>();
    return Terms{}.add("loss", loss);
  }
  int calls = 0;

 private:
  What what_;
};

struct Told {
  std::string notices;
  int calls;
};

Told fit(Reading::What what, const TrainerOptions& options) {
  const auto objective = std::make_shared<Reading>(what);
  const auto notices = std::make_shared<Notices>();
  Trainer(options, {notices}).fit(small("mlp", {{"widths", {8}}, {"classes", 4}}), objective, blobs(80));
  return {notices->lines, objective->calls};
}

const TrainerOptions ten_steps = {
    .steps = 10, .batch_size = 8, .optimizer = adam, .device = "cpu", .graph = "auto", .checks = false};

TEST(GraphOrNot, AReplayAsksNothingOfTheHost) {
  const GraphsOnTheCpu graphs;
  const Told told = fit(Reading::What::nothing, ten_steps);
  EXPECT_EQ(told.notices, "");
  EXPECT_EQ(told.calls, 5);  // the epoch's first step, three of another kind, and the capture
}

TEST(GraphOrNot, WhatReadsOfTheDeviceRunsAsItIsAndANoticeSaysWhy) {
  const GraphsOnTheCpu graphs;
  Told told = fit(Reading::What::value, ten_steps);
  EXPECT_NE(told.notices.find("no graph of the step: it calls _local_scalar_dense, which waits for the device"),
            std::string::npos)
      << told.notices;
  EXPECT_EQ(told.calls, 10);
  told = fit(Reading::What::progress, ten_steps);
  EXPECT_NE(told.notices.find("Pass::progress"), std::string::npos) << told.notices;
  EXPECT_EQ(told.calls, 10);
  TrainerOptions again = ten_steps;
  again.optimizer = {"sam", Json::object()};
  EXPECT_NE(fit(Reading::What::nothing, again).notices.find("evaluates a batch again"), std::string::npos);
}

TEST(GraphOrNot, WhatReadsOnlyLaterIsRefused) {
  const GraphsOnTheCpu graphs;
  TrainerOptions steps = ten_steps;
  steps.batch_size = 4;
  expect_error<DeviceError>([&] { fit(Reading::What::value_late, steps); },
                            {"trainer.graph", "can be captured", "not permitted", "set trainer.graph to off"});
}

TEST(GraphOrNot, ADeviceWithoutGraphsRunsItsStepsAsTheyAre) {
  const Told told = fit(Reading::What::nothing, ten_steps);
  EXPECT_EQ(told.notices, "");
  EXPECT_EQ(told.calls, 10);
}

}  // namespace
}  // namespace vaetl::testing::graph_test
