// Which classes are taken for which, counted by hand.
#include "vaetl/train/confusion.hpp"

#include <ATen/ATen.h>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::testing::confusion_test {
namespace {

// Calls an example what its input says.
class Parrot final : public Model, public Classifier {
 public:
  Parrot() : Model({"parrot", Json::object()}) {
    set_preprocess(Json::array());
    train();
  }
  std::vector<LayerGroup> layer_groups() const override { return {}; }
  Signature signature() const override { return {{{"input", {{3}, at::kFloat, 0, 1}}}}; }
  at::Tensor encode(const Fields& fields) override { return fields.input(); }
  std::int64_t feature_size() const override { return 3; }
  ModelSpec classifier(std::int64_t) const override { return spec(); }
  at::Tensor classify(const at::Tensor& features) override { return features; }
  std::int64_t classes() const override { return 3; }
};

Dataset called(const std::vector<std::int64_t>& labels, const std::vector<std::int64_t>& calls) {
  Fields fields;
  fields.set("input", at::eye(3).index_select(0, at::tensor(calls, at::kLong)));
  fields.set("target", at::tensor(labels, at::kLong));
  return Dataset::from_tensors(fields, {.name = "called"});
}

TEST(Confusion, CountsLabelsByCalls) {
  const auto parrot = std::make_shared<Parrot>();
  const Confusion found = confusion(*parrot, called({0, 0, 0, 1, 1, 0}, {0, 1, 1, 1, 0, 0}));
  EXPECT_TRUE(at::equal(found.counts, at::tensor({2, 2, 0, 1, 1, 0, 0, 0, 0}, at::kLong).view({3, 3})));
  const ClassScore first = found.of_class(0), second = found.of_class(1), absent = found.of_class(2);
  EXPECT_EQ(first.examples, 4);
  EXPECT_DOUBLE_EQ(first.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(first.recall, 0.5);
  EXPECT_DOUBLE_EQ(first.f1, 4.0 / 7);
  EXPECT_DOUBLE_EQ(second.precision, 1.0 / 3);
  EXPECT_DOUBLE_EQ(second.recall, 0.5);
  EXPECT_EQ(absent.examples, 0);
  EXPECT_TRUE(std::isnan(absent.precision) && std::isnan(absent.recall) && std::isnan(absent.f1));
  EXPECT_TRUE(parrot->is_training()) << "the mode is restored";
}

TEST(Confusion, WhatHasNone) {
  const auto parrot = std::make_shared<Parrot>();
  expect_error<DataError>([&] { confusion(*parrot, called({0, 3}, {0, 1})); }, {"the confusion matrix"});
  expect_error<DataError>([&] { confusion(*parrot, called({0, 1}, {0, 1}).without("target")); }, {"target"});
  expect_error<ConfigError>(
      [&] {
        confusion(*small("vae", {{"widths", {4}}}), blobs(4));
      },
      {"the confusion matrix", "Classifier"});
}

}  // namespace
}  // namespace vaetl::testing::confusion_test
