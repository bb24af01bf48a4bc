#include "vaetl/data/transforms/binarise.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/feed.hpp"

namespace vaetl::binarise_test {
namespace {

using transforms::Binarise;

at::Tensor pictures(std::int64_t count, std::uint64_t seed = 5) {
  return at::rand({count, 1, 6, 7}, make_generator(seed), at::kFloat);
}

Fields binarised(const at::Tensor& x, Binarise::Options options, std::uint64_t seed = 0) {
  Fields fields;
  fields.set("input", x);
  at::Generator generator = make_generator(seed);
  Binarise(std::move(options)).apply(fields, generator);
  return fields;
}

bool is_binary(const at::Tensor& x) { return (x.eq(0) | x.eq(1)).all().item<bool>(); }

TEST(Binarise, OptionsAreDescribed) { testing::expect_fields_cover<Binarise::Options>(); }

TEST(Binarise, ByAThreshold) {
  const at::Tensor x = at::tensor({0.0f, 0.25f, 0.26f, 1.0f}).view({2, 2});
  const at::Tensor found = binarised(x, {.how = "threshold", .threshold = 0.25}).input();
  EXPECT_TRUE(at::equal(found, at::tensor({0.0f, 0.0f, 1.0f, 1.0f}).view({2, 2})));
  EXPECT_EQ(found.scalar_type(), at::kFloat);
}

// The same picture gives the same values whatever stands beside it; another picture, other draws.
TEST(Binarise, StaticIsAFunctionOfThePicture) {
  const at::Tensor x = pictures(20), found = binarised(x, {}).input();
  EXPECT_TRUE(is_binary(found));
  EXPECT_TRUE(at::equal(binarised(x.slice(0, 7, 9), {}, 3).input(), found.slice(0, 7, 9)));
  at::Tensor other = x.clone();
  other[0][0][0][0] = 1 - other[0][0][0][0];
  const at::Tensor changed = binarised(other, {}).input().ne(found).flatten(1).sum(1);
  EXPECT_GT(changed[0].item<std::int64_t>(), 3);
  EXPECT_EQ(changed.slice(0, 1).sum().item<std::int64_t>(), 0);
}

// 4000 pictures that differ in one value alone: every position's share of ones, and of both of two positions, is off
// by less than 4.5 · 0.5 / √4000 (42 positions and their neighbours).
TEST(Binarise, StaticDrawsWithTheProbabilities) {
  at::Tensor x = at::full({4000, 42}, 0.4f);
  x.select(1, 0) = at::rand({4000}, make_generator(1), at::kFloat);
  x.select(1, 1) = at::rand({4000}, make_generator(2), at::kFloat);
  const at::Tensor ones = binarised(x, {}).input().slice(1, 2).to(at::kDouble);
  const double bound = 4.5 * 0.5 / std::sqrt(4000.0);
  EXPECT_LE((ones.mean(0) - 0.4).abs().max().item<double>(), bound);
  EXPECT_LE((ones.mean(1) - 0.4).abs().mean().item<double>(), 0.1);
  const at::Tensor both = (ones.slice(1, 1) * ones.slice(1, 0, 39)).mean(0);
  EXPECT_LE((both - 0.16).abs().max().item<double>(), bound);
}

TEST(Binarise, SureValuesStay) {
  const at::Tensor x = at::tensor({0.0f, 1.0f, 1.0f, 0.0f, -0.5f, 1.5f}).view({2, 3});
  for (const std::string how : {"static", "dynamic"}) {
    EXPECT_TRUE(at::equal(binarised(x, {.how = how}).input(), x.clamp(0, 1))) << how;
  }
}

TEST(Binarise, DynamicDrawsAfresh) {
  const at::Tensor x = at::full({50, 400}, 0.3f);
  const at::Tensor first = binarised(x, {.how = "dynamic"}, 1).input();
  EXPECT_TRUE(is_binary(first));
  EXPECT_TRUE(at::equal(binarised(x, {.how = "dynamic"}, 1).input(), first));
  EXPECT_FALSE(at::equal(binarised(x, {.how = "dynamic"}, 2).input(), first));
  EXPECT_NEAR(first.mean().item<double>(), 0.3, 4 * 0.46 / std::sqrt(20000.0));
}

Pipeline grey(std::vector<Spec<Transform>> augment) {
  Fields fields;
  fields.set("input", (pictures(12) * 255).to(at::kByte));
  Pipeline pipeline({{.data = Dataset::from_tensors(std::move(fields), {.name = "grey"})}});
  pipeline.streams[0].augment = std::move(augment);
  pipeline.streams[0].order = "sequential";
  return pipeline;
}

// Training draws from the grey picture, scoring keeps to the preprocessing's draw.
TEST(Binarise, DynamicBehindStatic) {
  const std::vector<Spec<Transform>> preprocess = {{"scale"}, {"binarise"}};
  const Pipeline scored = grey({}), trained = grey({{"binarise", {{"how", "dynamic"}}}});
  const auto fitted = Preprocess::fit(preprocess, scored.streams[0].data);
  const Feed evaluation(scored, fitted, {.batch_size = 12}), training(trained, fitted, {.batch_size = 12});
  const auto input = [](const Feed& feed, std::int64_t epoch) { return feed.at(epoch, 0).at("train").input(); };
  EXPECT_TRUE(at::equal(input(evaluation, 0), input(evaluation, 1)));
  std::vector<at::Tensor> draws;
  for (std::int64_t epoch = 0; epoch < 60; ++epoch) draws.push_back(input(training, epoch));
  EXPECT_FALSE(at::equal(draws[0], draws[1]));
  // The mean of 60 draws is the grey value, off by less than 4.5 · 0.5 / √60 at each of 504 pixels.
  const at::Tensor off = at::stack(draws).mean(0) - (pictures(12) * 255).to(at::kByte).to(at::kFloat) / 255;
  EXPECT_LE(off.abs().max().item<double>(), 4.5 * 0.5 / std::sqrt(60.0));
}

TEST(Binarise, Mistakes) {
  using testing::expect_error;
  expect_error<ConfigError>(
      [] {
        Preprocess::fit({{"binarise", {{"how", "dynamic"}}}}, grey({}).streams[0].data);
      },
      {"a transform that is not random", "write it under a stream's `augment`"});
  expect_error<ConfigError>(
      [] {
        registry<Transform>().make({"binarise", {{"threshold", 0.2}}});
      },
      {"binarise.threshold", "no threshold where values are drawn"});
  expect_error<ConfigError>(
      [] {
        registry<Transform>().make({"binarise", {{"how", "statc"}}});
      },
      {"how", "did you mean \"static\""});
}

}  // namespace
}  // namespace vaetl::binarise_test
