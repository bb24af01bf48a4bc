// Nearest neighbours against votes that tests/parity/features.py counts by hand and with scikit-learn.
#include "vaetl/metrics/neighbours.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/toy_model.hpp"
#include "vaetl/core/memory.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::testing::neighbours_test {
namespace {

using metrics::Neighbours;

at::Tensor of_file(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/features.safetensors");
  return file.tensors.at("neighbours." + name);
}

// Features of float32 precision, votes of exp(s / 0.07) up to e^14: 1e-6 of a similarity is 1.4e-5 of its vote.
constexpr double vote_tolerance = 1e-4;

TEST(Neighbours, VotesOfTheCosineAreThoseOfThePaper) {
  const Neighbours bank(of_file("features"), of_file("labels"), 3, {.k = 7});
  const at::Tensor votes = bank.votes(of_file("others")), expected = of_file("cosine");
  EXPECT_TRUE(at::allclose(votes.to(at::kDouble), expected, vote_tolerance, 1e-3));
  EXPECT_NEAR(bank.k(), 7, 0);
}

TEST(Neighbours, VotesByDistanceAreThoseOfScikitLearn) {
  const Neighbours bank(of_file("features"), of_file("labels"), 3, {.k = 7, .distance = "euclidean"});
  const at::Tensor votes = bank.votes(of_file("others")).to(at::kDouble);
  EXPECT_TRUE(at::allclose(votes / votes.sum(1, true), of_file("euclidean"), vote_tolerance, 1e-6));
}

TEST(Neighbours, AgreementLeavesEachOut) {
  const Neighbours bank(of_file("features"), of_file("labels"), 3, {.k = 5});
  EXPECT_NEAR(bank.agreement(), of_file("agreement").item<double>(), 1e-9);
  const at::Tensor own = of_file("features");
  const Neighbours nearest(own, of_file("labels"), 3, {.k = 1});
  EXPECT_TRUE(at::equal(nearest.votes(own).argmax(1), of_file("labels"))) << "its own nearest is itself";
  EXPECT_LT(nearest.agreement(), 1) << "which does not vote when it is left out";
}

TEST(Neighbours, ChoosesWhatDoesBestLeftOut) {
  const at::Tensor features = of_file("features"), labels = of_file("labels");
  const Neighbours chosen(features, labels, 3, {});
  for (const std::int64_t k : {1, 2, 5, 10, 20}) {
    EXPECT_GE(chosen.agreement(), Neighbours(features, labels, 3, {.k = k}).agreement()) << k;
  }
}

TEST(Neighbours, BlocksMakeNoDifference) {
  at::manual_seed(0);
  const at::Tensor features = at::randn({5000, 3}), labels = at::arange(5000, at::kLong).remainder(4);
  const Neighbours bank(features, labels, 4, {.k = 3});
  const at::Tensor queries = at::randn({3400, 3}), whole = bank.votes(queries);  // 17 million pairs: two blocks
  EXPECT_TRUE(at::equal(bank.votes(queries.narrow(0, 3350, 10)).argmax(1), whole.narrow(0, 3350, 10).argmax(1)));
}

// 700 queries times 200 nearest of 512 values are 290 MB, and their differences as much again.
TEST(Neighbours, DistancesTakeLittleMemory) {
  if (peak_memory_mb() == 0) GTEST_SKIP() << "this system does not tell";
  at::manual_seed(0);
  const at::Tensor features = at::randn({700, 512}), labels = at::arange(700, at::kLong).remainder(4);
  const Neighbours bank(features, labels, 4, {.k = 200, .distance = "euclidean"});
  const double before = peak_memory_mb();
  const at::Tensor votes = bank.votes(features);
  EXPECT_LT(peak_memory_mb() - before, 250);
  EXPECT_TRUE(at::equal(votes.argmax(1), labels)) << "its own nearest is itself";
  bank.agreement();
  EXPECT_LT(peak_memory_mb() - before, 250);
}

TEST(Neighbours, MetricComparesWithWhatItLearnt) {
  ToyModel model(5, 2);  // its features are the input
  const auto metric = make_metric("knn?k=7");
  EXPECT_TRUE(metric->compares_with_training());
  EXPECT_TRUE(metric->on_request());
  Fields fields;
  fields.set("input", of_file("others"));
  const at::Tensor expected = of_file("cosine").argmax(1);
  fields.set("target", expected);
  const Batch batch{{"train", fields}};
  Pass pass(model, batch);
  expect_error<ConfigError>([&] { metric->update(pass); },
                            {"metric knn: expected labelled training data", "found none"});
  metric->learn(of_file("features"), of_file("labels"), 3);
  metric->update(pass);
  EXPECT_EQ(metric->result(), 1);
}

TEST(Neighbours, RefusesWhatCannotVote) {
  expect_error<DataError>(
      [] {
        Neighbours(at::zeros({1, 2}), at::zeros({1}, at::kLong), 2, {});
      },
      {"nearest neighbours: expected at least two examples, found fewer"});
  expect_error<DataError>(
      [] {
        Neighbours(at::full({2, 2}, NAN), at::zeros({2}, at::kLong), 2, {});
      },
      {"expected finite features"});
  expect_error<DataError>(
      [] {
        Neighbours(at::zeros({2, 2}), at::full({2}, 5, at::kLong), 2, {});
      },
      {"nearest neighbours"});
  expect_error<ConfigError>([] { make_metric("knn?distance=manhattan"); }, {"distance", "cosine", "euclidean"});
}

}  // namespace
}  // namespace vaetl::testing::neighbours_test
