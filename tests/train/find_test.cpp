// The finders: what they suggest, and that they leave the model alone.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/find_batch.hpp"
#include "vaetl/train/find_rate.hpp"
#include "vaetl/train/find_threads.hpp"

namespace vaetl::testing::find_test {
namespace {

std::shared_ptr<Model> mlp() { return small("mlp", {{"widths", {16}}, {"classes", 4}}); }

RateSweep sweep_of(const Model& model, const Spec<Optimizer>& optimizer, const FindRateOptions& how = {}) {
  return find_rate({.batch_size = 32, .optimizer = optimizer, .device = "cpu"}, model, make<objectives::CrossEntropy>(),
                   blobs(256), {}, how);
}

TEST(FindRate, SweepsExponentiallyAndStopsWhereTheLossBlowsUp) {
  const auto model = mlp();
  const Checksum before = checksum(*model);
  const RateSweep sweep = sweep_of(*model, {"sgd", {{"lr", 0.3}}});
  EXPECT_EQ(checksum(*model), before);
  EXPECT_TRUE(model->preprocess().is_null());
  ASSERT_GT(sweep.points.size(), 20u);
  EXPECT_NEAR(sweep.points[0].rate, 1e-7, 1e-12);
  for (std::size_t i = 1; i < sweep.points.size(); ++i) {  // (10 / 1e-7)^(1/100) from step to step
    EXPECT_NEAR(sweep.points[i].rate / sweep.points[i - 1].rate, std::pow(1e8, 0.01), 1e-6);
  }
  // Batches of 32 of 4 classes: at first no rate matters.
  EXPECT_NEAR(sweep.points[0].smoothed, sweep.points[0].loss, 1e-9);
  ASSERT_TRUE(sweep.suggestion);
  EXPECT_GT(*sweep.suggestion, 1e-4);
  EXPECT_LT(*sweep.suggestion, 1);
}

// The rate that is suggested trains better in as many steps than one a thousand times smaller.
TEST(FindRate, TheSuggestionTrains) {
  const auto rate = sweep_of(*mlp(), {"adamw", Json::object()}).suggestion;
  ASSERT_TRUE(rate);
  const auto loss_at = [](double lr) {
    return Trainer({.steps = 60, .batch_size = 32, .optimizer = {"adamw", {{"lr", lr}}}, .device = "cpu"})
        .fit(mlp(), make<objectives::CrossEntropy>(), blobs(256))
        .metrics.at("loss");
  };
  EXPECT_LT(loss_at(*rate), 0.7 * loss_at(*rate / 1000));
}

TEST(FindRate, ALossThatIsNotFiniteEndsTheSweep) {
  const RateSweep sweep = sweep_of(*mlp(), {"sgd", {{"momentum", 0.99}}}, {.from = 1, .to = 1e12, .steps = 50});
  EXPECT_TRUE(sweep.blew_up);
  EXPECT_LT(sweep.points.size(), 50u);
}

// A curve whose slope is known: it falls along a logistic curve in ln(rate), steepest at 1e-3, then rises.
TEST(FindRate, TheSteepestDescentOfACurve) {
  std::vector<RateSweep::Point> points;
  for (int i = 0; i < 100; ++i) {
    const double rate = 1e-7 * std::pow(1e8, i / 100.0), x = std::log(rate / 1e-3);
    const double loss = 2 - 1 / (1 + std::exp(-x)) + (rate > 0.3 ? 5 * (rate - 0.3) : 0);
    points.push_back({rate, loss, loss});
  }
  EXPECT_NEAR(std::log10(steepest_rate(points).value()), -3, 0.1);
  std::reverse(points.begin(), points.end());
  for (std::size_t i = 0; i < points.size(); ++i) points[i].smoothed = static_cast<double>(i);  // it only rises
  EXPECT_FALSE(steepest_rate(points));
  EXPECT_FALSE(steepest_rate({}));
}

TEST(FindRate, TheRateOfAnOptimiserThatStandsOnAnother) {
  EXPECT_EQ(learning_rate({"sam", {{"base", {{"name", "sgd"}, {"lr", 0.25}}}}}), 0.25);
  const Spec<Optimizer> changed = with_learning_rate({"sam", {{"rho", 0.1}, {"base", "sgd"}}}, 3);
  EXPECT_EQ(learning_rate(changed), 3);
  EXPECT_EQ(changed.options["rho"], 0.1);
  EXPECT_EQ(learning_rate(with_learning_rate({"adamw", Json::object()}, 0.5)), 0.5);
}

TEST(FindRate, WhatItRefuses) {
  expect_error<ConfigError>(
      [] {
        sweep_of(*mlp(), {"sgd", Json::object()}, {.from = 1, .to = 0.1});
      },
      {"find_rate", "0 < from < to", "from 1, to 0.1"});
}

TEST(FindBatch, DoublesUpToTheSet) {
  const auto model = mlp();
  const Checksum before = checksum(*model);
  const BatchSizes sizes = find_batch({.device = "cpu"}, *model, [] { return make<objectives::CrossEntropy>(); },
                                      blobs(100), {}, {.seconds = 0.01, .growth = 0});
  EXPECT_EQ(checksum(*model), before);
  ASSERT_EQ(sizes.points.size(), 3u);
  EXPECT_EQ(sizes.points[0].batch_size, 16);
  EXPECT_EQ(sizes.points[2].batch_size, 64);
  EXPECT_EQ(sizes.ended, "the set has 100 examples");
  for (const auto& point : sizes.points) {
    EXPECT_NEAR(point.samples_per_second * point.seconds_a_step, static_cast<double>(point.batch_size), 1e-6);
    EXPECT_GT(point.peak_mb, 0);
  }
  EXPECT_LT(sizes.points[0].peak_mb, sizes.points[2].peak_mb);
  EXPECT_TRUE(sizes.suggestion == 16 || sizes.suggestion == 32 || sizes.suggestion == 64);
}

std::vector<BatchSizes::Point> speeds(const std::vector<double>& samples_per_second) {
  std::vector<BatchSizes::Point> points;
  std::int64_t batch = 16;
  for (const double speed : samples_per_second) {
    points.push_back({.batch_size = batch, .samples_per_second = speed});
    batch *= 2;
  }
  return points;
}

TEST(FindBatch, SuggestsTheSmallestThatIsNearlyAsFast) {
  EXPECT_EQ(suggested_batch(speeds({100, 200, 400, 800}), 0.9), 128);
  EXPECT_EQ(suggested_batch(speeds({100, 190, 205, 210}), 0.9), 32);
  EXPECT_EQ(suggested_batch(speeds({100, 300, 250}), 0.9), 32);
  EXPECT_EQ(suggested_batch({}, 0.9), 0);
}

TEST(FindBatch, EndsWhereTwoDoublingsBringLittle) {
  EXPECT_FALSE(stopped_growing(speeds({100, 90}), 1.05));
  EXPECT_FALSE(stopped_growing(speeds({100, 90, 120}), 1.05));  // a single slow size is a disturbance
  EXPECT_TRUE(stopped_growing(speeds({50, 100, 102, 104}), 1.05));
  EXPECT_FALSE(stopped_growing(speeds({50, 100, 102, 106}), 1.05));
}

TEST(FindBatch, ABatchThatDoesNotFitEndsTheSearch) {
  class Greedy final : public Objective {
   public:
    Needs needs() const override { return inner_->needs(); }
    Terms terms(std::size_t update, Pass& pass) override {
      if (pass.fields().size() > 32) throw std::bad_alloc();
      return inner_->terms(update, pass);
    }
    std::shared_ptr<Objective> inner_ = make<objectives::CrossEntropy>();
  };
  const BatchSizes sizes = find_batch({.device = "cpu"}, *mlp(), [] { return std::make_shared<Greedy>(); }, blobs(512),
                                      {}, {.seconds = 0.01, .growth = 0});
  ASSERT_EQ(sizes.points.size(), 2u);
  EXPECT_EQ(sizes.ended, "a batch of 64 does not fit in memory");
}

TEST(FindThreads, MeasuresPowersOfTwoAndLeavesAllAsItWas) {
  const auto model = mlp();
  const Checksum before = checksum(*model);
  const int threads = at::get_num_threads();
  const ThreadCounts counts = find_threads({.device = "cpu"}, *model, [] { return make<objectives::CrossEntropy>(); },
                                           blobs(256), {}, {.most = 3, .turns = 1, .seconds = 0.01});
  EXPECT_EQ(checksum(*model), before);
  EXPECT_EQ(at::get_num_threads(), threads);
  ASSERT_EQ(counts.points.size(), 3u);
  const std::array<int, 3> wanted = {1, 2, 3};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(counts.points[i].threads, wanted[i]);
    EXPECT_GT(counts.points[i].seconds_a_step, 0);
    EXPECT_LT(counts.points[i].seconds_a_step, 10);
  }
  EXPECT_EQ(counts.suggestion, suggested_threads(counts.points, 0.97));
}

TEST(FindThreads, SuggestsTheFewestThatAreNearlyAsFast) {
  EXPECT_EQ(suggested_threads({{1, 1.0}, {2, 0.99}, {4, 0.985}}, 0.97), 1);
  EXPECT_EQ(suggested_threads({{1, 1.0}, {2, 0.6}, {4, 0.59}}, 0.97), 2);
  EXPECT_EQ(suggested_threads({{1, 1.0}, {2, 0.6}, {4, 0.4}}, 0.97), 4);
  EXPECT_EQ(suggested_threads({{1, 1.0}, {2, 3.0}}, 0.97), 1);
}

}  // namespace
}  // namespace vaetl::testing::find_test
