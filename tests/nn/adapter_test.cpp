// Values against PyTorch's are in tests/models/parity_adapters_test.cpp, every registered model's in registered_test.
#include "vaetl/nn/adapter.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <gtest/gtest.h>

#include "nn/models.hpp"
#include "nn/numeric_gradient.hpp"
#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/adapters.hpp"
#include "vaetl/nn/blocks.hpp"
#include "vaetl/nn/recurrent.hpp"

namespace vaetl::testing::adapter_test {
namespace {

using Names = std::vector<std::string>;

template <class Layer>
std::shared_ptr<nn::Adapter> adapted_by(Layer& layer, const Spec<nn::Adapter>& described) {
  const auto adapter = registry<nn::Adapter>().make(described);
  adapter->bind(layer.maps());
  layer.set_adapter(adapter);
  return adapter;
}

// Away from the start, where every value of an adapter counts.
template <class Layer>
std::shared_ptr<nn::Adapter> moved_adapter(Layer& layer, const Spec<nn::Adapter>& described) {
  const auto adapter = adapted_by(layer, described);
  const at::NoGradGuard no_grad;
  for (auto& parameter : adapter->parameters()) parameter.add_(0.3 * at::randn_like(parameter));
  return adapter;
}

const std::vector<Spec<nn::Adapter>> kinds = {
    {"lora", {{"rank", 2}, {"alpha", 3}}}, {"ia3"}, {"bottleneck", {{"hidden", 2}}}};

template <class Make>
void check_adapter_gradients(const Make& make, at::IntArrayRef shape) {
  for (const auto& kind : kinds) {
    SCOPED_TRACE(kind.name);
    auto layer = make();
    const auto adapter = moved_adapter(layer, kind);
    layer.to(at::kDouble);
    layer.eval();  // spectral norm stands still
    adapter->to(at::kDouble);
    const at::Tensor x = at::randn(shape, at::kDouble).requires_grad_();
    std::vector<at::Tensor> variables = {x};
    for (const auto& parameter : layer.parameters()) variables.push_back(parameter);
    for (const auto& parameter : adapter->parameters()) variables.push_back(parameter);
    expect_gradients([&] { return layer.forward(x); }, variables);
  }
}

TEST(Adapter, GradientsAreTheirDifferences) {
  seed(0);
  check_adapter_gradients([] { return nn::Linear(4, 3); }, {5, 4});
  check_adapter_gradients([] { return nn::Linear(3, 2, /*spectral_norm=*/true); }, {2, 3});
  check_adapter_gradients([] { return nn::Conv2d({.in = 4, .out = 2, .kernel = 3, .padding = 1, .groups = 2}); },
                          {1, 4, 3, 2});
  check_adapter_gradients(
      [] {
        return nn::ConvTranspose2d({.in = 2, .out = 2, .kernel = 2, .stride = 2}, {0, 1});
      },
      {1, 2, 2, 2});
}

TEST(Adapter, GradientsThroughRecurrentLayersAreTheirDifferences) {
  seed(0);
  check_adapter_gradients([] { return nn::Recurrent({.in = 2, .hidden = 2, .bidirectional = true}); }, {2, 2, 2});
}

TEST(Adapter, OptionsAreDescribed) {
  expect_fields_cover<nn::Lora::Options>();
  expect_fields_cover<nn::Bottleneck::Options>();
}

template <class Layer>
void check_same_start(Layer layer, at::IntArrayRef shape) {
  const at::Tensor x = at::randn(shape), before = layer.forward(x);
  for (const auto& kind : kinds) {
    SCOPED_TRACE(kind.name);
    adapted_by(layer, kind);
    EXPECT_TRUE(at::equal(layer.forward(x), before));
  }
}

TEST(Adapter, StartsAsTheIdentityToTheBit) {
  seed(0);
  check_same_start(nn::Linear(40, 30), {17, 40});
  check_same_start(nn::Conv2d({.in = 3, .out = 16, .kernel = 5, .stride = 2}), {2, 3, 20, 20});
  check_same_start(nn::Conv2d({.in = 8, .out = 8, .kernel = 3, .groups = 8}), {2, 8, 9, 9});
  check_same_start(nn::ConvTranspose2d({.in = 8, .out = 4, .kernel = 4, .stride = 2}), {2, 8, 5, 5});
  check_same_start(nn::Recurrent({.in = 6, .hidden = 10, .layers = 2}), {3, 7, 6});
  check_same_start(nn::Recurrent({.cell = "gru", .in = 6, .hidden = 10, .bidirectional = true}), {3, 7, 6});
}

TEST(Adapter, FusedBlocksComputeWithIt) {
  seed(0);
  for (const auto& kind : kinds) {
    SCOPED_TRACE(kind.name);
    nn::Sequence blocks;
    for (int i = 0; i < 2; ++i) blocks.add(std::make_shared<nn::DenseBlock>(6, 6, nn::AfterOptions{"tanh"}));
    const auto layer = std::dynamic_pointer_cast<nn::Linear>(blocks.children()[0]->children()[0]);
    const at::Tensor x = at::randn({5, 6}), plain = blocks.forward(x);
    const auto adapter = moved_adapter(*layer, kind);
    const at::Tensor first = at::tanh(layer->forward(x)), found = blocks.forward(x);
    const auto second = std::dynamic_pointer_cast<nn::Linear>(blocks.children()[1]->children()[0]);
    EXPECT_TRUE(at::allclose(found, at::tanh(second->forward(first)), 0, 1e-6));
    EXPECT_FALSE(at::allclose(found, plain, 0, 1e-3)) << "the adapter counts";
  }
}

TEST(Adapter, PooledConvolutionsComputeWithIt) {
  seed(0);
  for (const auto& kind : kinds) {
    SCOPED_TRACE(kind.name);
    nn::Conv2d conv({.in = 1, .out = 4, .kernel = 3, .padding = 1});
    moved_adapter(conv, kind);
    const at::Tensor x = at::randn({2, 1, 8, 8});
    EXPECT_TRUE(at::allclose(conv.relu_pool(x), at::relu(at::max_pool2d(conv.forward(x), {2, 2})), 0, 1e-6));
  }
}

TEST(Adapter, ASmallWeightHasASmallerRank) {
  nn::Conv2d conv({.in = 8, .out = 8, .kernel = 1, .groups = 8});
  EXPECT_EQ(adapted_by(conv, {"lora", {{"rank", 16}}})->named_parameters()["lora_a"].sizes(), at::IntArrayRef({1, 1}));
}

ModelSpec described(Json adapters) { return {"tiny", {{"adapters", std::move(adapters)}}}; }

Names group_names(const Model& model) {
  Names result;
  for (const auto& group : model.groups()) result.push_back(group.name);
  return result;
}

Names tensor_names(const Model& model) {
  Names result;
  for (const auto& [name, tensor] : state(model)) result.push_back(name);
  return result;
}

TEST(Adapters, TheModelKeepsItsNamesAndGainsGroups) {
  seed(1);
  const auto plain = build({"tiny"});
  seed(1);
  const auto model = build(described({"lora", {{"to", "head"}, {"name", "ia3"}}}));
  EXPECT_EQ(group_names(*model), (Names{"stem", "head", "adapter.stem", "adapter.head"}));
  EXPECT_EQ(tensor_names(*model),
            (Names{"adapter.down.lora_a", "adapter.down.lora_b", "adapter.head.scale", "down.bias", "down.weight",
                   "head.bias", "head.weight", "norm.bias", "norm.num_batches_tracked", "norm.running_mean",
                   "norm.running_var", "norm.weight"}));
  for (const auto& [name, tensor] : state(*plain)) {
    EXPECT_TRUE(at::equal(state(*model).at(name), tensor)) << name << " is drawn first";
  }
  EXPECT_EQ(group_of(*model, "adapter.down.lora_a"), "adapter.stem");
  EXPECT_TRUE(offers(*model, "Classifier"));
}

TEST(Adapters, TheDescriptionHoldsThem) {
  const auto model = build(described({"lora"}));
  const Json expected = {{{"to", "backbone"}, {"name", "lora"}, {"rank", 8}, {"alpha", 0.0}}};
  EXPECT_EQ(model->spec().options.at("adapters"), expected);
  EXPECT_EQ(complete(described({"lora"})).options, model->spec().options);
  EXPECT_FALSE(build(described(Json::array()))->spec().options.contains("adapters"));
  EXPECT_FALSE(complete({"tiny"}).options.contains("adapters"));
  EXPECT_TRUE(model_schema("tiny").at("properties").contains("adapters"));
}

TEST(Adapters, BackboneMeansNeitherHeadsNorAdapters) {
  const auto model = build(described({{{"to", "*"}, {"name", "lora"}}}));
  EXPECT_EQ(match_groups(*model, "backbone", "freeze"), (Names{"stem"}));
  EXPECT_EQ(match_groups(*model, "adapter.*", "freeze"), (Names{"adapter.stem", "adapter.head"}));
  EXPECT_EQ(adapted_group("adapter.stem"), "stem");
  EXPECT_EQ(adapted_group("stem"), "stem");
}

TEST(Adapters, ThePatternIsOverGroupsAndPathsAndTheLastThatMatchesALayerDecides) {
  const auto path = build(described({{{"to", "d*"}, {"name", "ia3"}}}));
  EXPECT_EQ(group_names(*path), (Names{"stem", "head", "adapter.stem"}));
  const auto last = build(described({{{"to", "*"}, {"name", "ia3"}}, {{"to", "stem"}, {"name", "lora"}}}));
  EXPECT_EQ(state(*last).count("adapter.down.scale"), 0u);
  EXPECT_EQ(state(*last).count("adapter.down.lora_a"), 1u);
  EXPECT_EQ(state(*last).count("adapter.head.scale"), 1u);
}

TEST(Adapters, ClonesAndLoads) {
  seed(2);
  const auto model = build(described({"lora", {{"to", "head"}, {"name", "bottleneck"}}}));
  {
    const at::NoGradGuard no_grad;
    for (auto& parameter : model->parameters()) parameter.add_(1);
  }
  const auto copy = clone(*model);
  EXPECT_TRUE(equal_states(*model, *copy));
  const auto plain = build({"tiny"});
  const LoadReport report = load(*model, state(*plain));
  EXPECT_EQ(report.loaded.size(), state(*plain).size()) << "weights without adapters load as ever";
  EXPECT_EQ(report.initialised.size(), 6u);
}

TEST(Adapters, AreMergedIntoPlainWeights) {
  seed(3);
  const auto model =
      build(described({{{"to", "stem"}, {"name", "lora"}, {"rank", 2}}, {{"to", "head"}, {"name", "ia3"}}}));
  {
    const at::NoGradGuard no_grad;
    for (auto& item : model->named_parameters()) {
      if (is_adapter(item.key())) item.value().add_(at::randn_like(item.value()));
    }
  }
  model->eval();
  const auto merged = nn::merge_adapters(*model);
  EXPECT_EQ(merged->spec().options, build({"tiny"})->spec().options);
  EXPECT_EQ(group_names(*merged), (Names{"stem", "head"}));
  EXPECT_FALSE(merged->is_training());
  const Fields x = inputs(5);
  auto logits = [&](Model& of) {
    auto& classifier = require<Classifier>(of);
    return classifier.classify(classifier.encode(x));
  };
  EXPECT_TRUE(at::allclose(logits(*merged), logits(*model), 0, 1e-5));
}

TEST(Adapters, WhatCannotBeMergedIsSaid) {
  const auto bottleneck = build(described({"bottleneck"}));
  expect_error<ConfigError>([&] { nn::merge_adapters(*bottleneck); },
                            {"adapters: expected adapters that can be merged into plain weights",
                             "one of the output of \"down\"", "keep the adapters"});
  expect_error<ConfigError>([] { nn::merge_adapters(*build({"tiny"})); },
                            {"model \"tiny\": expected a model with adapters", "none"});
}

TEST(Adapters, WhatMeansNothingIsRefused) {
  expect_error<ConfigError>(
      [] {
        build(described({{{"to", "stam"}, {"name", "lora"}}}));
      },
      {"model.adapters[0].to: expected a layer, or a layer group (stem, head)", "\"stam\"", "did you mean \"stem\"?"});
  expect_error<ConfigError>(
      [] {
        build(described({"lora", {{"to", "norm"}, {"name", "ia3"}}}));
      },
      {"model.adapters[1].to", "\"norm\""});
  expect_error<ConfigError>([] { build(described({"lorra"})); }, {"model.adapters[0]", "did you mean \"lora\"?"});
  expect_error<ConfigError>([] { build(described({{{"name", "lora"}, {"rank", 0}}})); }, {"model.adapters[0].rank"});
  expect_error<ConfigError>([] { build(described("lora")); }, {"model.adapters", "an array"});
  expect_error<ConfigError>([] { build(described({{{"to", 3}, {"name", "lora"}}})); }, {"model.adapters[0].to"});
}

}  // namespace
}  // namespace vaetl::testing::adapter_test
