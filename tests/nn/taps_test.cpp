// Outputs of layer groups: whole, of the latest pass, part of the graph, in the order of the model, on this thread.
#include "vaetl/nn/taps.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <thread>

#include "nn/models.hpp"
#include "support/expect_error.hpp"
#include "vaetl/nn/blocks.hpp"

namespace vaetl::testing::taps_test {
namespace {

using nn::Taps;

// Three dense blocks that run as one, behind a function that overwrites: groups of one block each.
class Chain final : public Model {
 public:
  Chain() : Model({"chain", Json::object()}) {
    const nn::AfterOptions after{.activation = "relu"};
    blocks = register_module("blocks", std::make_shared<nn::Sequence>());
    blocks->add(std::make_shared<nn::Linear>(4, 6));
    blocks->add(nn::Activation("relu"));
    for (int i = 0; i < 3; ++i) blocks->add(std::make_shared<nn::DenseBlock>(6, 6, after));
  }
  std::vector<LayerGroup> layer_groups() const override {
    return {{"first", {"blocks.0"}}, {"b.2", {"blocks.2"}}, {"b.3", {"blocks.3"}}, {"b.4", {"blocks.4"}}};
  }
  Signature signature() const override { return {{{"input", {{4}, at::kFloat, 0, 1}}}}; }
  std::shared_ptr<nn::Sequence> blocks;
};

at::Tensor step(const Chain& chain, int index, const at::Tensor& x) {
  const auto module = chain.blocks->children().at(static_cast<std::size_t>(index));
  if (auto* block = dynamic_cast<nn::Block*>(module.get())) return block->forward(x);
  return dynamic_cast<nn::Linear&>(*module).forward(x);
}

TEST(Taps, SeeWhatEachStepMakes) {
  Chain chain;
  const at::Tensor x = at::rand({5, 4});
  const at::Tensor plain = chain.blocks->forward(x);
  const Taps taps(chain, {"*"});
  const at::Tensor out = chain.blocks->forward(x);
  EXPECT_TRUE(at::allclose(out, plain));  // fused or one by one
  at::Tensor h = step(chain, 0, x).relu();
  EXPECT_TRUE(at::allclose(taps["first"], h)) << "the activation belongs to the layer before it";
  for (int i = 1; i < 4; ++i) {
    h = step(chain, i, h);
    EXPECT_TRUE(at::allclose(taps["b." + std::to_string(i + 1)], h)) << i;
  }
  EXPECT_TRUE(at::equal(taps["b.4"], out));
  EXPECT_EQ(taps.groups(), (std::vector<std::string>{"first", "b.2", "b.3", "b.4"}));
}

// A group of two layers, either of which may be wanted.
class Pair final : public Model {
 public:
  Pair() : Model({"pair", Json::object()}) {
    blocks = register_module("blocks", std::make_shared<nn::Sequence>());
    for (int i = 0; i < 2; ++i) blocks->add(std::make_shared<nn::Linear>(4, 4));
  }
  std::vector<LayerGroup> layer_groups() const override { return {{"both", {"blocks.0", "blocks.1"}}}; }
  Signature signature() const override { return {{{"input", {{4}, at::kFloat, 0, 1}}}}; }
  std::shared_ptr<nn::Sequence> blocks;
};

TEST(Taps, ALayerIsTappedByItsPath) {
  Pair pair;
  const Taps taps(pair, {"both", "blocks.1", "blocks.0"});
  EXPECT_EQ(taps.groups(), (std::vector<std::string>{"blocks.0", "blocks.1", "both"}));
  const at::Tensor x = at::rand({2, 4}), out = pair.blocks->forward(x);
  const auto first = std::dynamic_pointer_cast<nn::Linear>(pair.blocks->children().front());
  EXPECT_TRUE(at::allclose(taps["blocks.0"], first->forward(x)));
  EXPECT_TRUE(at::equal(taps["blocks.1"], out));
  EXPECT_TRUE(at::equal(taps["both"], out));
  EXPECT_EQ(Taps(pair, {"blocks.*"}).groups().size(), 2U);
  expect_error<ConfigError>([&] { Taps(pair, {"blocks.2"}); }, {"groups: expected a layer group of", "\"blocks.2\""});
}

TEST(Taps, AreOnlyOfTheirGroupsAndTheirTime) {
  Chain chain;
  EXPECT_FALSE(Taps::active());
  {
    const Taps outer(chain, {"first"});
    {
      const Taps inner(chain, {"b.4", "b.2"});
      EXPECT_EQ(inner.groups(), (std::vector<std::string>{"b.2", "b.4"})) << "in the order of the model";
      chain.blocks->forward(at::rand({2, 4}));
      EXPECT_FALSE(inner.has("first"));
      EXPECT_TRUE(inner.has("b.4"));
    }
    EXPECT_TRUE(outer.has("first")) << "an inner one does not hide it";
    const at::Tensor before = outer["first"];
    chain.blocks->forward(at::rand({3, 4}));
    EXPECT_EQ(outer["first"].size(0), 3) << "the latest pass";
    EXPECT_EQ(before.size(0), 2);
    std::thread([&] { EXPECT_FALSE(Taps::active()); }).join();
  }
  EXPECT_FALSE(Taps::active());
}

TEST(Taps, ArePartOfTheGraph) {
  Chain chain;
  at::Tensor x = at::rand({2, 4}).requires_grad_();
  const Taps taps(chain, {"b.3"});
  const at::Tensor out = chain.blocks->forward(x);
  const auto gradient = torch::autograd::grad({out.sum()}, {taps["b.3"]}, {}, true);
  EXPECT_EQ(gradient[0].sizes(), at::IntArrayRef({2, 6}));
  EXPECT_TRUE(torch::autograd::grad({taps["b.3"].sum()}, {x})[0].defined());
}

TEST(Taps, SayWhatTheyCannot) {
  Chain chain;
  expect_error<ConfigError>([&] { Taps(chain, {"b.5"}); }, {"groups: expected a layer group of", "\"b.5\"", "\"b.4\""});
  const Taps taps(chain, {"*"}, "features.groups");
  chain.blocks->forward(at::rand({2, 4}));
  expect_error<ConfigError>(
      [&] { static_cast<void>(taps["decoder.0"]); },
      {"features.groups: expected a layer group that the pass runs (b.2, b.3, b.4, first)", "found \"decoder.0\""});
  const auto model = tiny();
  const Taps none(*model, {"stem"});
  expect_error<ConfigError>([&] { static_cast<void>(none["stem"]); },
                            {"a layer group that the pass runs", "between the model's input and its features"});
}

}  // namespace
}  // namespace vaetl::testing::taps_test
