// Scores of transferability against tests/parity/features.py, which computes them from their papers' formulas.
#include "vaetl/transfer/ranking.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "transfer/fixture.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::testing::ranking_test {
namespace {

const TensorFile& scores_file() {
  static const TensorFile file = read_safetensors("tests/parity/features.safetensors");
  return file;
}

ScoreInput input_of(const std::string& name) {
  const auto part = [&](const char* key) { return scores_file().tensors.at(name + "." + key); };
  return {part("features"), part("labels"), 3, part("probabilities")};
}

class Scores : public ::testing::TestWithParam<std::string> {};

// All in float64; LogME's directions below 1e-13 of the largest are left out.
TEST_P(Scores, AreThoseOfTheirPapers) {
  for (const char* name : {"logme", "leep", "nce", "h_score"}) {
    const double expected = scores_file().tensors.at(GetParam() + "." + name).item<double>();
    EXPECT_NEAR(*score(transfer_score(name), input_of(GetParam())), expected, 1e-7 * std::abs(expected)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Scores, ::testing::Values("tall", "flat"),
                         [](const auto& each) { return each.param; });

// The agreement of neighbours is tested where it is counted (tests/metrics/neighbours_test.cpp).
TEST(ScoreTable, BetterFeaturesScoreHigher) {
  at::manual_seed(0);
  const at::Tensor labels = at::arange(120, at::kLong).remainder(3);
  const at::Tensor centres = at::randn({3, 8}), noise = at::randn({120, 8});
  const auto at_noise = [&](double much) {
    const at::Tensor features = centres.index_select(0, labels) + much * noise;
    return ScoreInput{features, labels, 3, at::softmax(features.narrow(1, 0, 4), 1)};
  };
  for (const TransferScore& each : transfer_scores()) {
    EXPECT_GT(*score(each, at_noise(0.3)), *score(each, at_noise(1.5))) << each.name;
  }
}

TEST(ScoreTable, WithoutClassesOfTheSourceTwoSayNothing) {
  ScoreInput input = input_of("tall");
  input.probabilities = at::Tensor();
  for (const TransferScore& each : transfer_scores()) {
    EXPECT_EQ(score(each, input).has_value(), each.name != "leep" && each.name != "nce") << each.name;
  }
}

TEST(ScoreTable, AClassThatDoesNotOccurChangesNothing) {
  ScoreInput input = input_of("tall");
  const double three = *score(transfer_score("logme"), input);
  input.classes = 5;
  EXPECT_DOUBLE_EQ(*score(transfer_score("logme"), input), three);
}

TEST(ScoreTable, RefusesWhatItCannotScore) {
  expect_error<ConfigError>([] { transfer_score("logm", "--scores"); },
                            {"--scores: expected one of logme, h_score, knn, leep, nce, found \"logm\"", "logme"});
  ScoreInput input = input_of("tall");
  input.classes = 1;
  expect_error<DataError>([&] { score(transfer_score("nce"), input); }, {"scores: expected labels of at least two"});
  input = input_of("tall");
  input.features = input.features.narrow(0, 0, 10);
  expect_error<DataError>([&] { score(transfer_score("nce"), input); }, {"scores: expected 10 labels, found 50"});
  input.labels = input.labels.narrow(0, 0, 10);
  input.features = input.features.clone().fill_(INFINITY);
  expect_error<DataError>([&] { score(transfer_score("logme"), input); }, {"scores: expected finite features"});
}

TEST(Kendall, IsThatOfSciPy) {
  const auto values = [](const char* name) {
    const at::Tensor found = scores_file().tensors.at(std::string("kendall.") + name).contiguous();
    return std::vector<double>(found.const_data_ptr<double>(), found.const_data_ptr<double>() + found.numel());
  };
  EXPECT_NEAR(kendall(values("a"), values("b")), values("tau").front(), 1e-12);
  EXPECT_DOUBLE_EQ(kendall({1, 2, 3}, {5, 6, 9}), 1);
  EXPECT_DOUBLE_EQ(kendall({1, 2, 3}, {9, 6, 5}), -1);
  EXPECT_TRUE(std::isnan(kendall({1, 1}, {1, 2})));
}

Dataset told_apart() {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(4);
  const at::Tensor target = at::arange(60, at::kLong).remainder(3);
  at::Tensor input = at::randint(0, 60, {60, 1, 8, 8}, generator, at::TensorOptions(at::kByte));
  for (std::int64_t i = 0; i < 60; ++i) input[i][0].narrow(0, 2 * (i % 3), 2).add_(180);
  Fields fields;
  fields.set("input", input);
  fields.set("target", target);
  return Dataset::from_tensors(fields, {.name = "told apart"});
}

TEST(Ranking, ReadsWhatANewHeadWouldSee) {
  const auto vae = small_vae(), cnn = small_cnn(5);
  const RankedSource features = rank_source(*vae, told_apart(), {"logme", "leep"});
  EXPECT_EQ(features.features, 16) << "the encoder's, not the latent's 3";
  EXPECT_TRUE(features.scores.at("logme"));
  EXPECT_FALSE(features.scores.at("leep"));
  const RankedSource classes = rank_source(*cnn, told_apart(), {"leep", "nce", "knn"});
  EXPECT_LT(*classes.scores.at("leep"), 0);
  EXPECT_GT(*classes.scores.at("leep"), -std::log(3.0) - 1e-9) << "no worse than to know nothing";
  EXPECT_GT(*classes.scores.at("knn"), 0.9);
  Fields coloured;
  coloured.set("input", at::zeros({4, 3, 8, 8}, at::kByte));
  coloured.set("target", at::arange(4, at::kLong).remainder(2));
  expect_error<DataError>([&] { rank_source(*cnn, Dataset::from_tensors(coloured), {"logme"}); }, {"(N, 1, 8, 8)"});
}

}  // namespace
}  // namespace vaetl::testing::ranking_test
