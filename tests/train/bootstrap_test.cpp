// Intervals by resampling, beside what is known of a mean.
#include "vaetl/train/bootstrap.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::testing::bootstrap_test {
namespace {

// Its logits are its input.
class Told final : public Model, public Classifier {
 public:
  Told() : Model({"told", Json::object()}) { set_preprocess(Json::array()); }
  std::vector<LayerGroup> layer_groups() const override { return {}; }
  Signature signature() const override { return {{{"input", {{2}, at::kFloat, 0, 1}}}}; }
  at::Tensor encode(const Fields& fields) override { return fields.input(); }
  std::int64_t feature_size() const override { return 2; }
  ModelSpec classifier(std::int64_t) const override { return spec(); }
  at::Tensor classify(const at::Tensor& features) override { return features; }
  std::int64_t classes() const override { return 2; }
};

// 1,200 examples, over two batches and a part of one; each fifth is taken for the other class.
Dataset mostly_right() {
  const at::Tensor labels = at::arange(1200, at::kLong).remainder(2);
  const at::Tensor wrong = at::arange(1200, at::kLong).remainder(5).eq(0).to(at::kLong);
  Fields fields;
  fields.set("input", at::eye(2).index_select(0, (labels + wrong).remainder(2)));
  fields.set("target", labels);
  return Dataset::from_tensors(fields, {.name = "mostly right"});
}

TEST(Bootstrap, OfAShareIsAsWideAsItsStandardError) {
  const auto told = std::make_shared<Told>();
  const auto found = bootstrap(*told, mostly_right(), {"accuracy", "cross_entropy"}, {.count = 2000});
  const double half = 1.95996 * std::sqrt(0.8 * 0.2 / 1200);
  EXPECT_NEAR(found.at("accuracy").low, 0.8 - half, 0.1 * half);
  EXPECT_NEAR(found.at("accuracy").high, 0.8 + half, 0.1 * half);
  // Of two values a and b alone, the mean is linear in the share.
  const double a = std::log1p(std::exp(-1.0)), b = a + 1;
  EXPECT_NEAR(found.at("cross_entropy").low, a + (b - a) * (1 - found.at("accuracy").high), 1e-6);
}

TEST(Bootstrap, IsAFunctionOfItsSeed) {
  const auto told = std::make_shared<Told>();
  const auto low = [&](std::uint64_t seed) {
    return bootstrap(*told, mostly_right(), {"accuracy"}, {.count = 50, .seed = seed}).at("accuracy").low;
  };
  EXPECT_EQ(low(1), low(1));
  EXPECT_NE(low(1), low(2));
}

TEST(Bootstrap, CountsTheDatasOwnWeights) {
  const auto told = std::make_shared<Told>();
  const Dataset data = mostly_right();
  const at::Tensor right = at::arange(1200, at::kLong).remainder(5).ne(0).to(at::kFloat);
  const auto found = bootstrap(*told, data.with("weight", right), {"accuracy"}, {.count = 50}).at("accuracy");
  EXPECT_EQ(found.low, 1);
  EXPECT_EQ(found.high, 1);
}

TEST(Bootstrap, WhatIsRebuiltIsRebuiltOnce) {
  const auto model = small("autoencoder", {{"widths", {8}}, {"latent", 4}});
  const auto found = bootstrap(*model, blobs(40), {"reconstruction_mse", "psnr"}, {.count = 100});
  const auto value = evaluate(*model, blobs(40), {"reconstruction_mse", "psnr"});
  for (const auto& [name, ends] : found) {
    EXPECT_LT(ends.low, value.at(name)) << name;
    EXPECT_GT(ends.high, value.at(name)) << name;
  }
}

TEST(Bootstrap, Refusals) {
  const auto told = std::make_shared<Told>();
  expect_error<ConfigError>([&] { bootstrap(*told, mostly_right(), {"accuracy"}, {.count = 1}); }, {"bootstrap.count"});
  DatasetInfo info = mostly_right().info();
  info.overlap = 3;
  expect_error<DataError>([&] { bootstrap(*told, mostly_right().described(info), {"accuracy"}); },
                          {"bootstrap: expected examples that stand for themselves"});
}

}  // namespace
}  // namespace vaetl::testing::bootstrap_test
