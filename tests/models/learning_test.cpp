// Every registered model, by what it can do and never by its name: it overfits one batch, it learns what generalises,
// and it fails where there is nothing to learn (shuffled labels) or no way to (a learning rate of 0).
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/floor_divide.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "models/reduced.hpp"
#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/restorer.hpp"
#include "vaetl/objectives/adversarial.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/picture_corruption.hpp"
#include "vaetl/objectives/reconstruction.hpp"
#include "vaetl/objectives/restoration.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::learning_test {
namespace {

constexpr std::int64_t kClasses = 4;

// Labels that say nothing of the picture: each class of pictures has every label equally often.
Dataset shuffled_labels(const Dataset& data) {
  return data.with("target", at::floor_divide(at::arange(data.size()), kClasses) % kClasses);
}

class EveryModel : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<Model> fresh() const {
    Json options = reduced(GetParam());
    const Json schema = registry<Model>().schema(GetParam()).at("properties");
    if (schema.contains("classes")) options["classes"] = kClasses;
    if (schema.contains("dropout")) options["dropout"] = 0;  // it takes longer to learn with
    return small(GetParam(), options, 1, side_);
  }
  Dataset pictures(std::int64_t count, std::uint64_t seed = 0) const { return blobs(count, kClasses, seed, side_); }
  static bool classifies(const Model& model) { return offers(model, "Classifier"); }
  static bool rebuilds(const Model& model) {
    return offers(model, "Encoder") && offers(model, "Decoder") && !offers(model, "Variational");
  }
  static bool repairs(const Model& model) { return offers(model, "Restorer"); }
  static bool plays(const Model& model) { return offers(model, "Generator") && offers(model, "Critic"); }
  static std::shared_ptr<Objective> objective(const Model& model) {
    if (plays(model)) return make<objectives::Adversarial>({.r1 = 1});
    if (classifies(model)) return make<objectives::CrossEntropy>();
    if (rebuilds(model)) return make<objectives::Reconstruction>();
    if (repairs(model)) return make<objectives::Restoration>({.corrupt = spec<corruptions::Halve>()});
    return make<objectives::Elbo>();
  }
  // Every registered model must be trainable by one of these, or this suite has to learn another.
  void SetUp() override {
    try {
      fresh();
    } catch (const ConfigError&) {  // it halves pictures too often for the smallest
      side_ = 32;
    }
    ASSERT_TRUE(classifies(*fresh()) || rebuilds(*fresh()) || repairs(*fresh()) || plays(*fresh()) ||
                offers(*fresh(), "Variational"));
  }

  static vaetl::Run fit(const std::shared_ptr<Model>& model, const Dataset& data, double lr, std::int64_t steps) {
    const Json adam = {{"lr", lr}, {"beta1", plays(*model) ? 0 : 0.9}};  // a game has no use for momentum
    Trainer trainer(
        {.steps = steps, .batch_size = 32, .optimizer = {"adam", adam}, .device = "cpu", .validate_every = 1});
    return trainer.fit(model, objective(*model), data);
  }

  // Deep and narrow classifiers with batch norm bear a larger rate.
  static double rate_of(const Model& model) { return classifies(model) && !model.buffers().empty() ? 1e-2 : 2e-3; }

  // Rounds of 20 steps until that is reached, at most so many: deep models take long, most are soon done.
  static void fit_until(const std::shared_ptr<Model>& model, const Dataset& data, double lr, std::int64_t most,
                        const std::function<bool(const vaetl::Run&)>& reached) {
    constexpr std::int64_t round = 20;
    for (std::int64_t steps = 0; steps < most; steps += round) {
      if (reached(fit(model, data, lr, round))) return;
    }
  }

  // Of a game no loss tells who learns. How far the brightest quarter of rows stands out, of data 0.35 of the range: as
  // a share of that.
  static double contrast(Model& model) {
    auto& generator = require<Generator>(model);
    const FieldInfo range = model.signature().inputs.at("input");
    seed(6);
    model.eval();
    const at::NoGradGuard no_grad;
    const at::Tensor made = generator.generate(at::randn({200, generator.noise_size()}));
    const at::Tensor rows = made.reshape({200, kClasses, -1}).mean(2);
    return (rows.amax(1) - rows.mean(1)).mean().item<double>() / (range.high - range.low) / 0.35;
  }

  // How far restored pictures are from the clean ones, as a share of how far the halved ones are.
  static double damage_left(Model& model, const Dataset& data) {
    model.eval();
    const at::NoGradGuard no_grad;
    const at::Tensor clean = data.all().input().to(at::kFloat) / 255;
    Fields fields;
    fields.set("input", corruptions::Halve().apply(clean, {}, {}));
    const at::Tensor left = restored(model, fields, "test") - clean;
    return (left.square().mean() / (fields.input() - clean).square().mean()).item<double>();
  }

  std::int64_t side_ = 12;
};

TEST_P(EveryModel, OverfitsOneBatchAndNotAtRateZero) {
  const Dataset batch = pictures(16);
  auto model = fresh();
  if (plays(*model)) {
    fit(model, batch, 2e-3, 120);
    EXPECT_GT(contrast(*model), 0.5);
    auto still = fresh();
    fit(still, batch, 0, 3);
    for (const auto& item : still->named_parameters()) {
      EXPECT_TRUE(at::equal(item.value(), fresh()->named_parameters()[item.key()])) << item.key();
    }
    return;
  }
  const vaetl::Run none = fit(fresh(), batch, 0, 3);
  // Noise in the pictures has entropy that no decoder can take away.
  const double first = none.history.front().at("loss"), wanted = (classifies(*model) ? 0.05 : 0.92) * first;
  double last = first;
  fit_until(model, batch, rate_of(*model), 120, [&](const vaetl::Run& run) {
    last = run.history.back().at("loss");
    return last < wanted;
  });
  EXPECT_LT(last, wanted);
  // Only a sampled latent varies between the steps of an untrained model.
  EXPECT_NEAR(none.history.back().at("loss"), none.history.front().at("loss"), 0.02 * first);
}

TEST_P(EveryModel, LearnsWhatGeneralises) {
  const Dataset train = pictures(200), test = pictures(100, 9);
  auto model = fresh(), untrained = fresh();
  if (classifies(*model)) {
    const auto knows = [&](const vaetl::Run&) { return evaluate(*model, train, {"accuracy"}).at("accuracy") > 0.99; };
    fit_until(model, train, rate_of(*model), 320, knows);
    EXPECT_GT(evaluate(*model, test, {"accuracy"}).at("accuracy"), 0.95);
    EXPECT_LT(evaluate(*untrained, test, {"accuracy"}).at("accuracy"), 0.6);
    return;
  }
  fit(model, train, 2e-3, 80);
  if (plays(*model)) {
    EXPECT_GT(contrast(*model), 0.5);
    EXPECT_LT(contrast(*untrained), 0.25);
  } else if (repairs(*model)) {
    EXPECT_LT(damage_left(*model, test), 0.9);
    EXPECT_GT(damage_left(*untrained, test), 0.99);
  } else if (rebuilds(*model)) {
    const at::Tensor seen = test.all().input().to(at::kFloat) / 255;
    const double constant = (seen - seen.mean(0)).square().mean().item<double>();  // of the best picture for all
    const auto error = [&](Model& m) { return evaluate(m, test, {"reconstruction_mse"}).at("reconstruction_mse"); };
    EXPECT_LT(error(*model), 0.85 * constant);
    EXPECT_GT(error(*untrained), constant);
  } else {
    EXPECT_GT(evaluate(*model, test, {"elbo"}).at("elbo"), evaluate(*untrained, test, {"elbo"}).at("elbo") + 5);
  }
}

TEST_P(EveryModel, LearnsNothingFromShuffledLabels) {
  if (!classifies(*fresh())) {
    // Without labels there is nothing to shuffle: training must not depend on them at all.
    auto with = fresh(), without = fresh();
    fit(with, pictures(64), 1e-3, 5);
    fit(without, pictures(64).without("target"), 1e-3, 5);
    EXPECT_EQ(checksum(*with), checksum(*without));
    return;
  }
  auto model = fresh();
  fit(model, shuffled_labels(pictures(200)), rate_of(*model), 80);
  EXPECT_LT(evaluate(*model, pictures(100, 9), {"accuracy"}).at("accuracy"), 0.6);
}

TEST_P(EveryModel, EachGroupFreezes) {
  for (const auto& group : fresh()->groups()) {
    auto model = fresh();
    const Checksum before = checksum(*model);
    Trainer({.steps = 2, .batch_size = 16, .device = "cpu"})
        .fit(model, objective(*model), pictures(32), {{.groups = group.name, .train = false}});
    const Checksum after = checksum(*model);
    for (const auto& [name, sum] : before.tensors) {
      const bool same = after.tensors.at(name) == sum;
      EXPECT_EQ(same, group_of(*model, name) == group.name) << name << ", frozen " << group.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registered, EveryModel, ::testing::ValuesIn(registry<Model>().names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace vaetl::testing::learning_test
