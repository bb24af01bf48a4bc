// Every layer group of every registered model that encodes can be tapped; heads of more layers than one.
#include "vaetl/nn/taps.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "models/reduced.hpp"
#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing::model_taps_test {
namespace {

constexpr std::int64_t tapped_examples = 3;

Fields tapped_batch(const Model& model) {
  Fields fields;
  for (const auto& [name, info] : model.signature().inputs) {
    std::vector<std::int64_t> shape = {tapped_examples};
    for (const std::int64_t size : info.shape) shape.push_back(size == -1 ? 5 : size);
    const bool ids = info.dtype == at::kLong;
    fields.set(name,
               ids ? at::randint(0, static_cast<std::int64_t>(info.high) + 1, shape, at::kLong) : at::rand(shape));
  }
  return fields;
}

// What encode() does not run: how a code becomes an example, and the prior.
bool after_features(const std::string& group) {
  return group.starts_with("decoder") || group.starts_with("inserted.decoder") || group == "prior" ||
         group.starts_with("head");
}

class TappedModel : public ::testing::TestWithParam<std::string> {};

TEST_P(TappedModel, ShowsEveryGroupBetweenInputAndFeatures) {
  seed(1);
  const auto model = build({GetParam(), reduced(GetParam())});
  if (!offers(*model, "Encoder")) GTEST_SKIP() << "it is no encoder";
  model->eval();
  const Fields fields = tapped_batch(*model);
  auto& encoder = require<Encoder>(*model);
  const at::Tensor plain = encoder.encode(fields);
  const nn::Taps taps(*model, {"*"});
  const at::Tensor features = encoder.encode(fields);
  EXPECT_TRUE(at::allclose(features, plain, 1e-4, 1e-5));
  std::string last;
  for (const LayerGroup& group : model->groups()) {
    if (after_features(group.name)) {
      EXPECT_FALSE(taps.has(group.name)) << group.name;
      expect_error<ConfigError>([&] { static_cast<void>(taps[group.name]); }, {"a layer group that the pass runs"});
      continue;
    }
    ASSERT_TRUE(taps.has(group.name)) << group.name;
    const at::Tensor& output = taps[group.name];
    EXPECT_EQ(output.size(0), tapped_examples) << group.name;
    EXPECT_TRUE(output.isfinite().all().item<bool>()) << group.name;
    const auto gradient = torch::autograd::grad({features.sum()}, {output}, {}, true);
    EXPECT_TRUE(gradient[0].defined()) << group.name << " is no part of the graph";
    last = group.name;
  }
  if (taps[last].dim() == 2) {
    EXPECT_TRUE(at::equal(taps[last], features)) << last;
  }
}

TEST_P(TappedModel, ShowsItsOtherHalves) {
  seed(1);
  const auto model = build({GetParam(), reduced(GetParam())});
  if (!offers(*model, "Decoder")) GTEST_SKIP() << "it is no decoder";
  auto& decoder = require<Decoder>(*model);
  const nn::Taps taps(*model, {"decoder*"});
  decoder.decode(at::randn({tapped_examples, decoder.latent_size()}))->mean();
  for (const std::string& group : taps.groups()) {
    EXPECT_EQ(taps.has(group), group != "decoder") << group;  // one of steps is no layer group with an output
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TappedModel, ::testing::ValuesIn(registry<Model>().names()),
                         [](const auto& each) { return each.param; });

TEST(ModelTaps, AStageEndsBehindItsPooling) {
  seed(1);
  const auto model = build({"lenet", {{"channels", {4, 6}}, {"dense", {5}}}});
  const nn::Taps taps(*model, {"conv1", "conv2", "fc1"});
  require<Encoder>(*model).encode(tapped_batch(*model));
  EXPECT_EQ(taps["conv1"].sizes(), at::IntArrayRef({3, 4, 12, 12}));
  EXPECT_EQ(taps["conv2"].sizes(), at::IntArrayRef({3, 6, 4, 4}));
  EXPECT_GE(taps["fc1"].min().item<float>(), 0) << "with its activation";
}

TEST(ModelTaps, StepsOfASequenceAreAllShown) {
  seed(1);
  const auto model = build({"lstm",
                            {{"input", {7, 3}},
                             {"hidden", 4},
                             {"bidirectional", true},
                             {"insert", {{{"after", "encoder.rnn"}, {"name", "feed_forward"}}}}}});
  auto& encoder = require<Encoder>(*model);
  const Fields fields = tapped_batch(*model);
  const at::Tensor plain = encoder.encode(fields);
  const nn::Taps taps(*model, {"encoder.rnn", "inserted*"});
  EXPECT_TRUE(at::allclose(encoder.encode(fields), plain, 1e-5, 1e-6));
  EXPECT_EQ(taps["encoder.rnn"].sizes(), at::IntArrayRef({3, 7, 8}));
  EXPECT_EQ(taps["inserted.encoder.rnn"].sizes(), at::IntArrayRef({3, 7, 8}));
}

class HiddenHead : public ::testing::TestWithParam<std::string> {};

TEST_P(HiddenHead, IsAnMlpBesideAnEncoderThatStaysAsItWas) {
  Json options = reduced(GetParam());
  if (!registry<Model>().schema(GetParam())["properties"].contains("head")) GTEST_SKIP() << "it has no head";
  options["head"] = {6, 5};
  options["classes"] = 4;
  seed(1);
  const auto model = build({GetParam(), options});
  const LayerGroup head = model->groups().back();
  ASSERT_EQ(head.name, "head");
  const Weights weights = state(*model);
  const std::string prefix = head.prefixes.front();
  for (const auto& [name, rows] : {std::pair{".0.weight", 6}, {".2.weight", 5}, {".4.weight", 4}}) {
    ASSERT_TRUE(weights.contains(prefix + name)) << prefix + name;
    EXPECT_EQ(weights.at(prefix + name).size(0), rows);
  }
  auto& classifier = require<Classifier>(*model);
  const at::Tensor features = at::randn({2, classifier.feature_size()});
  at::Tensor h = features;
  for (const char* layer : {".0", ".2", ".4"}) {
    h = h.matmul(weights.at(prefix + layer + ".weight").t()) + weights.at(prefix + layer + ".bias");
    if (std::string(layer) != ".4") h = h.relu();
  }
  model->eval();
  EXPECT_TRUE(at::allclose(classifier.classify(features), h, 1e-4, 1e-5));
  const ModelSpec linear = classifier.classifier(4);
  EXPECT_TRUE(linear.options.at("head").empty()) << "a new head is linear unless hidden says otherwise";
  options["classes"] = 0;
  expect_error<ConfigError>(
      [&] {
        build({GetParam(), options});
      },
      {"head: expected none where there are no classes, found (6, 5)"});
}

INSTANTIATE_TEST_SUITE_P(Models, HiddenHead, ::testing::ValuesIn(registry<Model>().names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace vaetl::testing::model_taps_test
