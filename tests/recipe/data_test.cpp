#include "vaetl/recipe/data.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"

namespace vaetl::recipe {
namespace {

using testing::expect_error;

Data open_toy(const char* section, std::uint64_t seed = 0) {
  return open_data(read_data(parse_json(section, "data")), seed, *testing::toy_cache());
}

TEST(RecipeData, ShortFormTakesTrainAndTestOfOneSet) {
  const Data data = open_toy(R"({"open": "toy", "batch_size": 5, "views": 2, "augment": ["flip"]})");
  EXPECT_EQ(data.train().size(), 48);
  ASSERT_TRUE(data.test);
  EXPECT_EQ(data.test->size(), 40);
  EXPECT_FALSE(data.pipeline.validation);
  const Stream& stream = data.pipeline.streams[0];
  EXPECT_EQ(stream.name, "train");
  EXPECT_EQ(stream.batch_size, 5);
  EXPECT_EQ(stream.views, 2);
  EXPECT_EQ(stream.augment[0].name, "flip");
}

TEST(RecipeData, LabelsAreDrawnByTheRecipesSeed) {
  const Data one = open_toy(R"({"open": "toy", "take_per_class": 2})", 1);
  EXPECT_EQ(one.train().size(), 8);
  EXPECT_TRUE(at::equal(at::bincount(one.train().labels()), at::full({4}, 2, at::kLong)));
  const Data again = open_toy(R"({"open": "toy", "take_per_class": 2})", 1);
  const Data other = open_toy(R"({"open": "toy", "take_per_class": 2})", 2);
  EXPECT_TRUE(at::equal(one.train().all().input(), again.train().all().input()));
  EXPECT_FALSE(at::equal(one.train().all().input(), other.train().all().input()));
}

TEST(RecipeData, ValidationComesFromTheLabelsAtHand) {
  const Data data = open_toy(R"({"open": "toy", "take_per_class": 4, "fold": [1, 2]})");
  EXPECT_EQ(data.train().size(), 8);
  ASSERT_TRUE(data.pipeline.validation);
  EXPECT_EQ(data.pipeline.validation->size(), 8);
  const Data drawn = open_toy(R"({"open": "toy", "take_per_class": 4})");
  const at::Tensor both = at::cat({data.train().all().input(), data.pipeline.validation->all().input()}).flatten(1);
  const at::Tensor hand = drawn.train().all().input().flatten(1);
  const auto sorted_sums = [](const at::Tensor& x) { return std::get<0>(x.to(at::kLong).sum(1).sort()); };
  EXPECT_TRUE(at::equal(sorted_sums(both), sorted_sums(hand)));
  const Data share = open_toy(R"({"open": "toy", "validation": 0.25})");
  EXPECT_EQ(share.train().size(), 36);
  EXPECT_EQ(share.pipeline.validation->size(), 12);
}

TEST(RecipeData, DroppedLabelsAreGoneFromTrainAndValidationAlone) {
  const Data data = open_toy(R"({"open": "toy", "labels": false, "validation": 0.25})");
  EXPECT_FALSE(data.train().has("target"));
  EXPECT_FALSE(data.pipeline.validation->has("target"));
  EXPECT_TRUE(data.test->has("target"));
}

TEST(RecipeData, NamedStreams) {
  const Data data = open_toy(R"({"unlabelled": {"open": "toy", "labels": false},
                                 "train": {"open": "toy", "take_per_class": 1},
                                 "test": {"open": "toy", "split": "train"}})");
  EXPECT_EQ(data.train().size(), 4);
  EXPECT_EQ(data.pipeline.stream("unlabelled").data.size(), 48);
  EXPECT_EQ(data.test->size(), 48);
}

TEST(RecipeData, WhatChoosesIsApartFromWhatTrainsAndWhatReports) {
  expect_error<ConfigError>([] { open_toy(R"({"train": {"open": "toy"}, "validation": {"open": "toy"}})"); },
                            {"data.validation", "data apart from those for training and test", "the training data"});
  expect_error<ConfigError>(
      [] { open_toy(R"({"train": {"open": "toy"}, "validation": {"open": "toy", "split": "test"}})"); },
      {"data.validation", "the test data"});
}

TEST(RecipeData, AnEmptySplitIsSaid) {
  auto cache = testing::toy_cache();
  Splits splits = testing::toy_splits();
  const Dataset none = splits.validation;
  cache->put("train-only", {splits.train, none, none});
  cache->put("test-only", {none, none, splits.test});
  const auto open = [&](const char* json) { return open_data(read_data(parse_json(json, "data")), 0, *cache); };
  EXPECT_FALSE(open(R"({"open": "train-only"})").test);
  expect_error<DataError>([&] { open(R"({"open": "test-only"})"); }, {"data.open", "a train split", "\"test-only\""});
  expect_error<DataError>([&] { open(R"({"open": "toy", "test": {"open": "train-only"}})"); },
                          {"data.test", "a test split in \"train-only\"", "set split to train"});
}

}  // namespace
}  // namespace vaetl::recipe
