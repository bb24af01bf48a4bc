// Several batches an update, and several evaluations of them: what comes out is what one batch, or one evaluation,
// gives.
#include <ATen/ops/arange.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/parameter_sets.hpp"

namespace vaetl::testing::accumulate_test {
namespace {

const Json plain = {{"channels", {4}}, {"dense", {8}}, {"classes", 4}};
const Json noisy = {{"channels", {4}}, {"dense", {8}}, {"classes", 4}, {"dropout", 0.3}, {"batch_norm", true}};

struct Fit {
  std::shared_ptr<Model> model;
  vaetl::Run run;
};

Fit fit(TrainerOptions options, const Pipeline& data, const Json& model = plain,
        std::vector<std::shared_ptr<Callback>> callbacks = {}) {
  options.device = "cpu";
  auto made = small("cnn", model);
  vaetl::Run run = Trainer(options, std::move(callbacks)).fit(made, make<objectives::CrossEntropy>(), data);
  return {made, std::move(run)};
}

Dataset weighted(const Dataset& data) {
  auto generator = make_generator(5);
  return data.with("weight", at::rand({data.size()}, generator) * 3);
}

double largest_difference(const Model& a, const Model& b) {
  double largest = 0;
  const auto others = state(b);
  for (const auto& [name, tensor] : state(a)) {
    largest = std::max(largest, (tensor - others.at(name)).abs().max().item<double>());
  }
  return largest;
}

// 74 examples in batches of 8: the last step of an epoch has 8 and 2, and 16 at a time is 16, …, 16, 10.
TEST(Accumulate, EqualsABatchOfAllOfThem) {
  const Dataset even = blobs(74);
  for (const Dataset& data : {even, weighted(even), even.weigh_classes({0, 1, 2, 5})}) {
    const bool with_weights = data.has("weight");
    const Spec<Optimizer> sgd = {"sgd", {{"lr", 0.1}}};
    const Fit one = fit({.epochs = 3, .batch_size = 16, .optimizer = sgd, .clip_norm = 0.5}, data);
    const Fit two = fit({.epochs = 3, .batch_size = 8, .optimizer = sgd, .accumulate = 2, .clip_norm = 0.5}, data);
    EXPECT_EQ(two.run.steps, 15);
    EXPECT_EQ(one.run.steps, 15);
    // 15 steps at most 0.05 long, whose gradients are sums of float32 in another order: each off by some 2⁻²⁰.
    EXPECT_LE(largest_difference(*one.model, *two.model), 15 * 0.05 * 8 * std::pow(2.0, -20)) << with_weights;
    const Fit halved = fit({.epochs = 3, .batch_size = 8, .optimizer = sgd, .clip_norm = 0.5}, data);
    EXPECT_GT(largest_difference(*one.model, *halved.model), 1e-3);
  }
}

TEST(Accumulate, TheLossIsThatOfAllBatchesTogether) {
  const Dataset data = weighted(blobs(64));
  const auto loss = [&](std::int64_t batch, std::int64_t accumulate) {
    return fit({.epochs = 1, .batch_size = batch, .accumulate = accumulate}, data).run.history.back().at("loss");
  };
  EXPECT_NEAR(loss(16, 4), loss(64, 1), 1e-6);
}

Batch batch_of(const std::vector<double>& weights, const std::vector<std::int64_t>& lengths) {
  Fields fields;
  fields.set("weight", at::tensor(weights, at::kFloat));
  fields.set("length", at::tensor(lengths, at::kLong));
  return {{"train", fields}};
}

// Means of batches of other sizes and weights average to the mean over all examples: Σ w x / Σ w, Σ w s / Σ w n.
TEST(Accumulate, MeansAreWeighedByTheirBatches) {
  const auto model = small("mlp", {{"widths", {4}}, {"classes", 2}});
  const std::vector<Batch> batches = {batch_of({1, 2, 3}, {4, 5, 6}), batch_of({0.5}, {2})};
  const std::vector<at::Tensor> values = {at::tensor({1.0F, 2.0F, 3.0F}), at::tensor({10.0F})};
  double mean = 0, counted = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const Pass pass(*model, batches[i], {.together = batches});
    mean += pass.mean(values[i]).item<double>() / 2;
    counted += pass.mean_counted(values[i], "length").item<double>() / 2;
  }
  EXPECT_NEAR(mean, (1 * 1 + 2 * 2 + 3 * 3 + 0.5 * 10) / (1 + 2 + 3 + 0.5), 1e-6);
  EXPECT_NEAR(counted, (1 * 1 + 2 * 2 + 3 * 3 + 0.5 * 10) / (4 + 2 * 5 + 3 * 6 + 0.5 * 2), 1e-6);
}

// No step along the gradient, so the second evaluation is the first again: same noise, same running statistics, same
// bits.
TEST(EvaluatingAgain, OfTheSameWeightsChangesNothing) {
  const Json sgd = {{"name", "sgd"}, {"lr", 0.05}};
  for (const std::int64_t accumulate : {1, 3}) {
    TrainerOptions options{
        .epochs = 2, .batch_size = 8, .optimizer = {"sgd", {{"lr", 0.05}}}, .accumulate = accumulate, .clip_norm = 1};
    const Fit once = fit(options, blobs(70), noisy);
    options.optimizer = {"sam", {{"rho", 0}, {"base", sgd}}};
    EXPECT_EQ(checksum(*fit(options, blobs(70), noisy).model), checksum(*once.model));
    options.optimizer = {"sam", {{"rho", 0.05}, {"base", sgd}}};
    EXPECT_NE(checksum(*fit(options, blobs(70), noisy).model), checksum(*once.model));
  }
}

TEST(EvaluatingAgain, LbfgsSolvesAFullBatch) {
  const Fit fitted =
      fit({.steps = 10, .batch_size = 64, .optimizer = {"lbfgs", Json::object()}, .validate_every = 1}, blobs(64));
  EXPECT_GT(fitted.run.history.front().at("loss"), 1);
  EXPECT_LT(fitted.run.history.back().at("loss"), 1e-3);
}

class ResumeOptimizer : public ::testing::TestWithParam<std::string> {};

TEST_P(ResumeOptimizer, InMidTrainingEqualsTheUninterruptedRun) {
  const auto options = [&](const std::string& directory) {
    return TrainerOptions{.epochs = 2,
                          .batch_size = 8,
                          .optimizer = {GetParam(), Json::object()},
                          .accumulate = 4,
                          .clip_adaptive = 0.1,
                          .directory = directory,
                          .resume = directory.empty() ? "never" : "auto",
                          .checkpoint_every = 100};
  };
  const Fit whole = fit(options(""), weighted(blobs(74)), noisy);
  EXPECT_EQ(whole.run.steps, 6);  // 10 batches an epoch: 4, 4, 2
  TemporaryFolder folder;
  const auto kept = options(folder.path());
  fit(kept, weighted(blobs(74)), noisy, {std::make_shared<StopAt>(4)});
  const Fit rest = fit(kept, weighted(blobs(74)), noisy);
  EXPECT_EQ(rest.run.resumed_from, 4);
  EXPECT_EQ(checksum(*rest.model), checksum(*whole.model));
}

INSTANTIATE_TEST_SUITE_P(All, ResumeOptimizer, ::testing::ValuesIn(registry<Optimizer>().names()),
                         [](const auto& test) { return test.param; });

// Without a gradient only the decay moves weights.
TEST(Decay, LeavesNormsAndBiasesAloneOnRequest) {
  const auto decayed = [](bool norms_and_biases) {
    auto model = small("cnn", noisy);
    Trainer({.steps = 1,
             .batch_size = 16,
             .optimizer = {"sgd", {{"lr", 0.5}, {"weight_decay", 0.5}, {"momentum", 0}}},
             .decay_norms_and_biases = norms_and_biases,
             .device = "cpu"})
        .fit(model, Schedule(0) * make<objectives::CrossEntropy>(), blobs(64));
    return model;
  };
  const auto before = small("cnn", noisy), some = decayed(false), all = decayed(true);
  for (const auto& item : before->named_parameters()) {
    const at::Tensor& start = item.value();
    EXPECT_TRUE(at::allclose(all->named_parameters()[item.key()], 0.75 * start)) << item.key();
    EXPECT_TRUE(at::allclose(some->named_parameters()[item.key()], (start.dim() < 2 ? 1 : 0.75) * start)) << item.key();
  }
}

// One step of plain SGD: what every weight moved, over the rate.
Weights moved(const TrainerOptions& limits) {
  TrainerOptions options = limits;
  options.steps = 1;
  options.batch_size = 16;
  options.optimizer = {"sgd", {{"lr", 0.5}, {"momentum", 0}}};
  const Fit fitted = fit(options, blobs(64));
  Weights result;
  for (const auto& [name, before] : state(*small("cnn", plain))) {
    result[name] = (state(*fitted.model).at(name) - before).detach() / 0.5;
  }
  return result;
}

TEST(Clipping, ByValueBoundsEveryWeightsStep) {
  double free = 0, bound = 0;
  for (const auto& [name, step] : moved({})) free = std::max(free, step.abs().max().item<double>());
  for (const auto& [name, step] : moved({.clip_value = 0.01})) bound = std::max(bound, step.abs().max().item<double>());
  EXPECT_GT(free, 0.02);
  EXPECT_NEAR(bound, 0.01, 1e-6);
}

TEST(Clipping, TheAdaptiveRuleBoundsUnitsAndLeavesHeadsAlone) {
  const auto model = small("cnn", plain);
  const auto heads = head_parameters(*model);
  EXPECT_EQ(heads, (std::set<std::string>{"head.bias", "head.weight"}));
  const Weights free = moved({}), bound = moved({.clip_adaptive = 0.01});
  for (const auto& item : model->named_parameters()) {
    const at::Tensor &step = bound.at(item.key()), weight = item.value().detach();
    if (heads.contains(item.key())) {
      EXPECT_TRUE(step.equal(free.at(item.key()))) << item.key();
    } else {
      const bool units = weight.dim() > 1;
      const at::Tensor rows = units ? weight.flatten(1) : weight.unsqueeze(0);
      const at::Tensor steps = units ? step.flatten(1) : step.unsqueeze(0);
      const at::Tensor share = steps.norm(2, {1}) / rows.norm(2, {1}).clamp_min(1e-3);
      EXPECT_LE(share.max().item<double>(), 0.01 * 1.01) << item.key();
      EXPECT_FALSE(step.equal(free.at(item.key()))) << item.key();
    }
  }
}

TEST(OptimizerState, OfWhatIsFrozenThereIsNone) {
  for (const auto& name : registry<Optimizer>().names()) {
    TemporaryFolder folder;
    Trainer({.steps = 2,
             .batch_size = 64,
             .optimizer = {name, Json::object()},
             .device = "cpu",
             .directory = folder.path()})
        .fit(small("cnn", plain), make<objectives::CrossEntropy>(), blobs(64),
             {{.groups = "encoder.0", .train = false}});
    const auto kept = read_safetensors(folder.path() + "/checkpoints/last/optimizer.train.safetensors").tensors;
    EXPECT_FALSE(kept.empty()) << name;
    for (const auto& [key, tensor] : kept) EXPECT_EQ(key.find("/encoder.0"), std::string::npos) << name << " " << key;
  }
}

}  // namespace
}  // namespace vaetl::testing::accumulate_test
