#include "vaetl/nn/reshape.hpp"

#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "vaetl/core/random.hpp"

namespace vaetl::testing::reshape_test {
namespace {

at::Tensor numbers(std::initializer_list<double> values, std::vector<std::int64_t> shape) {
  return at::tensor(std::vector<double>(values), at::kFloat).reshape(shape);
}

TEST(Reshape, ChannelsAreSummedOrShared) {
  const at::Tensor colour = numbers({1, 2, 4, 8, 16, 32}, {2, 3, 1, 1});
  EXPECT_TRUE(at::equal(with_channels(colour, 1), numbers({7, 56}, {2, 1, 1, 1})));
  EXPECT_TRUE(at::equal(with_channels(colour, 2), numbers({5, 2, 40, 16}, {2, 2, 1, 1})));
  EXPECT_TRUE(at::equal(with_channels(colour, 4), numbers({0.5, 2, 4, 0.5, 4, 16, 32, 4}, {2, 4, 1, 1})));
  EXPECT_TRUE(at::equal(with_channels(colour, 3), colour));
  const at::Tensor grey = numbers({3, 6}, {2, 1, 1, 1});
  EXPECT_TRUE(at::equal(with_channels(grey, 3), numbers({1, 1, 1, 2, 2, 2}, {2, 3, 1, 1})));
}

// Equal channels give the same output whatever their number: 5 × 9 products of values below 4, each rounded.
TEST(Reshape, EqualChannelsGiveTheSame) {
  seed(1);
  const at::Tensor x = at::rand({2, 1, 6, 6});
  for (std::int64_t from : {1, 2, 3, 5}) {
    const at::Tensor weight = at::randn({4, from, 3, 3});
    const at::Tensor before = at::conv2d(x.expand({2, from, 6, 6}), weight);
    for (std::int64_t to : {1, 2, 3, 4, 5}) {
      const at::Tensor after = at::conv2d(x.expand({2, to, 6, 6}), with_channels(weight, to));
      EXPECT_TRUE(at::allclose(after, before, 0, 45 * 4 * 1.2e-7)) << from << " to " << to;
    }
  }
}

TEST(Reshape, RowsByNameOrTheFirst) {
  const at::Tensor from = numbers({1, 1, 2, 2, 3, 3}, {3, 2}), fresh = numbers({7, 7, 8, 8}, {2, 2});
  EXPECT_TRUE(at::equal(with_named_rows(from, fresh, {.from = {"a", "b", "c"}, .to = {"c", "d"}}),
                        numbers({3, 3, 8, 8}, {2, 2})));
  EXPECT_TRUE(at::equal(with_first_rows(from, fresh), numbers({1, 1, 2, 2}, {2, 2})));
  EXPECT_TRUE(at::equal(with_first_rows(fresh, from), numbers({7, 7, 8, 8, 3, 3}, {3, 2})));
  EXPECT_TRUE(at::equal(fresh, numbers({7, 7, 8, 8}, {2, 2}))) << "what is given stays";
}

// By hand: a line of 4 pixels becomes 2, of which the first weighs pixels 0 to 2 by 3, 3, 1 sevenths (a triangle of
// radius 2 around the edge between 0 and 1), the second is its mirror.
TEST(Reshape, AWiderPictureSpreadsTheWeights) {
  const at::Tensor weight = numbers({7, 14}, {1, 2});
  const at::Tensor wide = with_maps(weight, {.from = {1, 1, 2}, .to = {1, 1, 4}});
  EXPECT_TRUE(at::allclose(wide, numbers({3, 5, 7, 6}, {1, 4}), 0, 1e-5)) << wide;
}

// What the layer does with a picture it did with the picture resized to the old size: 800 products below 4.
TEST(Reshape, ADenseLayerSeesTheResizedPicture) {
  seed(2);
  const std::vector<std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>> cases = {
      {{1, 28, 28}, {1, 32, 32}}, {{2, 8, 6}, {2, 5, 9}}, {{3, 4, 4}, {3, 16, 16}}};
  for (const auto& [from, to] : cases) {
    const at::Tensor weight = at::randn({5, from[0] * from[1] * from[2]});
    const at::Tensor x = at::rand({3, to[0], to[1], to[2]});
    const at::Tensor resized = at::_upsample_bilinear2d_aa(x, {from[1], from[2]}, false);
    const at::Tensor before = at::linear(resized.flatten(1), weight);
    const at::Tensor after = at::linear(x.flatten(1), with_maps(weight, {.from = from, .to = to}));
    EXPECT_TRUE(at::allclose(after, before, 0, 800 * 4 * 1.2e-7));
  }
}

TEST(Reshape, MapsMayChangeChannelsToo) {
  const at::Tensor colour = at::arange(12, at::kFloat).reshape({1, 12});
  EXPECT_TRUE(at::allclose(with_maps(colour, {.from = {3, 2, 2}, .to = {1, 2, 2}}), numbers({12, 15, 18, 21}, {1, 4})));
}

TEST(Reshape, PositionsAreInterpolated) {
  const at::Tensor table = numbers({0, 10, 4, 18}, {2, 2});
  const at::Tensor longer = numbers({0, 10, 1, 12, 3, 16, 4, 18}, {4, 2});
  EXPECT_TRUE(at::allclose(with_positions(table, 4), longer));
  EXPECT_TRUE(at::allclose(with_positions(table.unsqueeze(0), 4), longer.unsqueeze(0)));
}

struct Case {
  std::string name = "layer.weight";
  at::Tensor from, to;
  LoadRule rule = {};
  LoadContext context = {};
  std::int64_t maps_before = 0;
  bool transposed = false;
  Reshaped result() const { return reshape({name, from, to, rule, context, maps_before, transposed}); }
};

LoadRule rule(const std::string& how) { return {.on_mismatch = how}; }

TEST(Reshape, MapsAreThoseOfTheInputOrOfTheConvolutionBefore) {
  const Case input{.from = at::zeros({2, 64}),
                   .to = at::zeros({2, 144}),
                   .rule = rule("resize"),
                   .context = {.from_input = {1, 8, 8}, .to_input = {1, 12, 12}}};
  EXPECT_EQ(input.result().note, "weights for maps of 1 × 8 × 8 resized to 1 × 12 × 12");
  const Case maps{.from = at::zeros({2, 64}), .to = at::zeros({2, 144}), .rule = rule("resize"), .maps_before = 16};
  EXPECT_EQ(maps.result().note, "weights for maps of 16 × 2 × 2 resized to 16 × 3 × 3");
  Case both = input;  // as many values as the input
  both.maps_before = 16;
  EXPECT_EQ(both.result().note, maps.result().note);
  LoadRule told = rule("resize");
  told.maps = MapShapes{{4, 2, 8}, {4, 4, 9}};
  const Case said{.from = at::zeros({2, 64}), .to = at::zeros({2, 144}), .rule = told, .maps_before = 16};
  EXPECT_EQ(said.result().note, "weights for maps of 4 × 2 × 8 resized to 4 × 4 × 9");
  const Case unknown{.from = at::zeros({2, 64}), .to = at::zeros({2, 144}), .rule = rule("resize")};
  EXPECT_FALSE(unknown.result().value.defined());
  EXPECT_NE(unknown.result().note.find("\"maps\""), std::string::npos);
}

TEST(Reshape, ADenseFirstLayerOfPicturesHasChannelsToo) {
  const Case grey{.from = at::arange(12, at::kFloat).reshape({1, 12}),
                  .to = at::zeros({1, 4}),
                  .rule = rule("channels"),
                  .context = {.from_input = {3, 2, 2}, .to_input = {1, 2, 2}}};
  EXPECT_EQ(grey.result().note, "sum of 3 input channels");
  EXPECT_TRUE(at::allclose(grey.result().value, numbers({12, 15, 18, 21}, {1, 4})));
  Case maps = grey;
  maps.maps_before = 2;
  EXPECT_FALSE(maps.result().value.defined()) << "it sees maps of a convolution, not the input";
}

TEST(Reshape, ATransposedConvolutionHasItsOutputsThere) {
  const at::Tensor colour = at::zeros({4, 3, 3, 3}), grey = at::zeros({4, 1, 3, 3});
  for (const char* how : {"channels", "sum_channels"}) {
    const Case c{.from = colour, .to = grey, .rule = rule(how), .transposed = true};
    EXPECT_FALSE(c.result().value.defined());
    EXPECT_EQ(c.result().note, "a convolution that is not transposed, as this one's second dimension is its outputs");
  }
  EXPECT_EQ(rule_that_fits({"weight", colour, grey, {}, {}, 0, true}), "");
}

TEST(Reshape, WhatHasNoMeaningIsRefused) {
  const std::vector<Case> cases = {
      {.from = at::zeros({4, 3, 3, 3}), .to = at::zeros({5, 1, 3, 3}), .rule = rule("channels")},
      {.from = at::zeros({4, 3, 3, 3}), .to = at::zeros({4, 3, 5, 5}), .rule = rule("channels")},
      {.from = at::zeros({4, 3, 3, 3}), .to = at::zeros({4, 2, 3, 3}), .rule = rule("sum_channels")},
      {.from = at::zeros({4, 0, 3, 3}), .to = at::zeros({4, 2, 3, 3}), .rule = rule("channels")},
      {.from = at::zeros({4, 8}), .to = at::zeros({5, 8}), .rule = rule("resize")},
      {.from = at::zeros({4, 8}), .to = at::zeros({5, 8}), .rule = rule("rows")},
      {.from = at::zeros({4, 8}), .to = at::zeros({5, 9}), .rule = rule("first_rows")},
      {.from = at::zeros({4}), .to = at::zeros({}), .rule = rule("first_rows")}};
  for (const Case& c : cases) {
    EXPECT_FALSE(c.result().value.defined()) << c.rule.on_mismatch;
    EXPECT_FALSE(c.result().note.empty());
  }
  LoadRule names = rule("rows");
  names.names = RowNames{{"a", "b"}, {"c", "d", "e"}};
  EXPECT_NE((Case{.from = at::zeros({2, 8}), .to = at::zeros({3, 8}), .rule = names}).result().note.find("in common"),
            std::string::npos);
  EXPECT_EQ((Case{.from = at::zeros({3, 8}), .to = at::zeros({3, 8}), .rule = names}).result().note,
            "3 names for the file and 3 for the model, not 2 and 3");
}

TEST(Reshape, PositionsAreToldByTheirName) {
  const at::Tensor from = at::zeros({4, 8}), to = at::zeros({6, 8});
  EXPECT_EQ((Case{.name = "pos_embed", .from = from, .to = to, .rule = rule("resize")}).result().note,
            "4 positions interpolated to 6");
  EXPECT_FALSE(
      (Case{.name = "tokens.weight", .from = from, .to = to, .rule = rule("resize")}).result().value.defined());
}

TEST(Reshape, ARuleThatWouldDoIsFound) {
  const at::Tensor colour = at::zeros({4, 3, 3, 3}), grey = at::zeros({4, 1, 3, 3});
  const LoadRule none;
  const LoadContext context;
  const std::string name = "conv1.weight";
  EXPECT_EQ(rule_that_fits({name, colour, grey, none, context}), "channels");
  EXPECT_EQ(rule_that_fits({name, at::zeros({2, 64}), at::zeros({2, 144}), none, context, 16}), "resize");
  EXPECT_EQ(rule_that_fits({name, at::zeros({2, 64}), at::zeros({3, 64}), none, context, 16}), "");
}

}  // namespace
}  // namespace vaetl::testing::reshape_test
