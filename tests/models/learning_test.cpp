// Every registered model, by what it can do and never by its name: it overfits one batch, it learns what generalises,
// and it fails where there is nothing to learn (shuffled labels) or no way to (a learning rate of 0).
#include <ATen/ops/arange.h>
#include <ATen/ops/floor_divide.h>
#include <gtest/gtest.h>

#include "train/fixture.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
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
    Json options = Json::object();
    const Json schema = registry<Model>().schema(GetParam()).at("properties");
    if (schema.contains("classes")) options["classes"] = kClasses;
    return small(GetParam(), options);
  }
  static bool classifies(const Model& model) { return offers(model, "Classifier"); }
  static std::shared_ptr<Objective> objective(const Model& model) {
    if (classifies(model)) return make<objectives::CrossEntropy>();
    return make<objectives::Elbo>();
  }
  // Every registered model must be trainable by one of the two, or this suite has to learn a third.
  void SetUp() override { ASSERT_TRUE(classifies(*fresh()) || offers(*fresh(), "Variational")); }

  static vaetl::Run fit(const std::shared_ptr<Model>& model, const Dataset& data, double lr, std::int64_t steps) {
    Trainer trainer(
        {.steps = steps, .batch_size = 32, .optimizer = {"adam", {{"lr", lr}}}, .device = "cpu", .validate_every = 1});
    return trainer.fit(model, objective(*model), data);
  }
};

TEST_P(EveryModel, OverfitsOneBatchAndNotAtRateZero) {
  const Dataset batch = blobs(16, kClasses);
  auto model = fresh();
  const vaetl::Run run = fit(model, batch, 2e-3, 120);
  const double first = run.history.front().at("loss"), last = run.history.back().at("loss");
  // Noise in the pictures has entropy that no decoder can take away.
  EXPECT_LT(last, (classifies(*model) ? 0.05 : 0.92) * first);
  const vaetl::Run none = fit(fresh(), batch, 0, 3);
  // Only a sampled latent varies between the steps of an untrained model.
  EXPECT_NEAR(none.history.back().at("loss"), none.history.front().at("loss"), 0.02 * first);
}

TEST_P(EveryModel, LearnsWhatGeneralises) {
  const Dataset train = blobs(200, kClasses), test = blobs(100, kClasses, 9);
  auto model = fresh(), untrained = fresh();
  fit(model, train, 2e-3, 80);
  if (classifies(*model)) {
    EXPECT_GT(evaluate(*model, test, {"accuracy"}).at("accuracy"), 0.95);
    EXPECT_LT(evaluate(*untrained, test, {"accuracy"}).at("accuracy"), 0.6);
  } else {
    EXPECT_GT(evaluate(*model, test, {"elbo"}).at("elbo"), evaluate(*untrained, test, {"elbo"}).at("elbo") + 5);
  }
}

TEST_P(EveryModel, LearnsNothingFromShuffledLabels) {
  if (!classifies(*fresh())) {
    // Without labels there is nothing to shuffle: training must not depend on them at all.
    auto with = fresh(), without = fresh();
    fit(with, blobs(64, kClasses), 1e-3, 5);
    fit(without, blobs(64, kClasses).without("target"), 1e-3, 5);
    EXPECT_EQ(checksum(*with), checksum(*without));
    return;
  }
  auto model = fresh();
  fit(model, shuffled_labels(blobs(200, kClasses)), 2e-3, 80);
  EXPECT_LT(evaluate(*model, blobs(100, kClasses, 9), {"accuracy"}).at("accuracy"), 0.6);
}

TEST_P(EveryModel, EachGroupFreezes) {
  for (const auto& group : fresh()->groups()) {
    auto model = fresh();
    const Checksum before = checksum(*model);
    Trainer({.steps = 2, .batch_size = 16, .device = "cpu"})
        .fit(model, objective(*model), blobs(32, kClasses), {{.groups = group.name, .train = false}});
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
