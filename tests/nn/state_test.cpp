#include "vaetl/nn/state.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <chrono>

#include "nn/models.hpp"
#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/nn/load_rules.hpp"

namespace vaetl::testing::state_test {
namespace {

using Names = std::vector<std::string>;

Names names(const std::vector<LoadReport::Row>& rows) {
  Names result;
  for (const auto& row : rows) result.push_back(row.name);
  return result;
}

Weights copied(const torch::nn::Module& module, const std::string& prefix = {}) {
  Weights weights;
  for (const auto& [name, tensor] : state(module)) weights[prefix + name] = tensor.detach().clone();
  return weights;
}

// `load` throws and leaves the module as it was.
template <class ErrorType>
void expect_refused(torch::nn::Module& module, const Weights& weights, const std::vector<LoadRule>& rules,
                    std::initializer_list<std::string_view> parts) {
  const Weights before = copied(module);
  expect_error<ErrorType>([&] { load(module, weights, rules); }, parts);
  for (const auto& [name, tensor] : state(module)) EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
}

TEST(State, IsSharedAndHoldsBuffers) {
  const auto model = tiny();
  const Weights weights = state(*model);
  Names keys;
  for (const auto& [name, tensor] : weights) keys.push_back(name);
  EXPECT_EQ(keys, (Names{"down.bias", "down.weight", "head.bias", "head.weight", "norm.bias",
                         "norm.num_batches_tracked", "norm.running_mean", "norm.running_var", "norm.weight"}));
  EXPECT_TRUE(weights.at("down.weight").is_same(model->named_parameters()["down.weight"]));
}

TEST(LoadRule, FieldsCover) {
  expect_fields_cover<LoadRule>();
  expect_fields_cover<RowNames>();
  expect_fields_cover<MapShapes>();
  expect_defaults_round_trip<LoadRule>();
}

TEST(State, NamesAreInTheOrderOfAStateDict) {
  EXPECT_EQ(names_in_order(*tiny()),
            (Names{"down.weight", "down.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
                   "norm.num_batches_tracked", "head.weight", "head.bias"}));
}

TEST(Load, CopiesWhatFits) {
  auto from = tiny(), to = tiny();
  from->encode(inputs(5));
  const LoadReport report = load(*to, state(*from));
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.loaded.size(), 9u);
  EXPECT_TRUE(equal_states(*from, *to));
  EXPECT_TRUE(state(*to).at("head.weight").requires_grad());
}

TEST(Load, ReportsWhatIsMissingAndLeftOver) {
  auto from = tiny(), to = tiny();
  Weights weights = copied(*from);
  weights.erase("head.bias");
  weights["tail.bias"] = at::zeros({7, 2});
  const at::Tensor fresh = state(*to).at("head.bias").clone();
  const LoadReport report = load(*to, weights);
  EXPECT_FALSE(report.complete());
  EXPECT_EQ(names(report.initialised), Names{"head.bias"});
  EXPECT_EQ(report.initialised.front().note, "(2)");
  EXPECT_EQ(names(report.unused), Names{"tail.bias"});
  EXPECT_EQ(report.unused.front().note, "(7, 2)");
  EXPECT_EQ(report.unused.front().elements, 14);
  EXPECT_TRUE(at::equal(state(*to).at("head.bias"), fresh));
}

TEST(Load, RenamesByRulesInOrder) {
  auto from = tiny(), to = tiny();
  Weights weights = copied(*from, "module.");
  weights["module.optimizer.step"] = at::zeros({1});
  const LoadReport report =
      load(*to, weights, {{.from = "module.optimizer.*", .to = ""}, {.from = "module.*", .to = "*"}});
  EXPECT_TRUE(equal_states(*from, *to));
  EXPECT_EQ(names(report.unused), Names{"module.optimizer.step"});
  EXPECT_EQ(report.unused.front().note, "dropped by a rule");
  EXPECT_EQ(report.loaded.front().name, "down.bias");
  EXPECT_EQ(report.loaded.front().note, "from module.down.bias");
}

TEST(Load, CarriesSeveralStarsOver) {
  auto from = tiny(), to = tiny();
  Weights weights;
  for (const auto& [name, tensor] : copied(*from)) {
    const auto dot = name.find('.');
    weights["net." + name.substr(0, dot) + ".layer." + name.substr(dot + 1)] = tensor;
  }
  EXPECT_TRUE(load(*to, weights, {{.from = "net.*.layer.*", .to = "*.*"}}).complete());
  EXPECT_TRUE(equal_states(*from, *to));
}

TEST(Load, OfSeveralWaysToMatchTheFirstStarIsShortest) {
  using Stars = std::vector<std::string>;
  EXPECT_EQ(match_stars("*.*", "a.b.c"), (Stars{"a", "b.c"}));
  EXPECT_EQ(match_stars("*.*.w", "a.b.c.w"), (Stars{"a", "b.c"}));
  EXPECT_EQ(match_stars("a*a*a", "aaaaa"), (Stars{"", "aa"}));
  EXPECT_EQ(match_stars("**", "ab"), (Stars{"", "ab"}));
  EXPECT_EQ(match_stars("x*", "x"), Stars{""});
  EXPECT_EQ(match_stars("ab*ba", "aba"), std::nullopt) << "what is matched is not matched again";
  EXPECT_EQ(match_stars("*b*b", "ab"), std::nullopt);
  EXPECT_EQ(match_stars("ab", "abc"), std::nullopt);
}

// There are 40 over 7 = 2e7 ways to lay the pieces out.
TEST(Load, ManyStarsTakeNoTime) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(match_stars("*a*a*a*a*a*a*a*b", std::string(40, 'a')), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(500));
}

TEST(Load, ANameThatNoRuleMatchesIsKept) {
  auto from = tiny(), to = tiny();
  EXPECT_TRUE(load(*to, state(*from), {{.from = "module.*", .to = "*"}}).complete());
}

TEST(Load, RefusesAnotherShapeAndCopiesNothing) {
  auto from = tiny(5), to = tiny(2);
  expect_refused<FileError>(*to, state(*from), {},
                            {"weights \"head.bias\": expected shape (2), found shape (5) in the file (and 1 more like "
                             "it); change the model's "
                             "description, or leave it fresh by the rule "
                             "{\"from\":\"head.bias\",\"to\":\"head.bias\",\"on_mismatch\":\"skip\"}"});
}

TEST(Load, SkipsAnotherShapeWhereTheRuleSaysSo) {
  auto from = tiny(5), to = tiny(2);
  const at::Tensor fresh = state(*to).at("head.weight").clone();
  const LoadReport report = load(*to, state(*from), {{.from = "head.*", .to = "head.*", .on_mismatch = "skip"}});
  EXPECT_EQ(names(report.mismatched), (Names{"head.bias", "head.weight"}));
  EXPECT_EQ(report.mismatched.back().note, "shape (5, 3) in the file, (2, 3) in the model");
  EXPECT_EQ(report.loaded.size(), 7u);
  EXPECT_TRUE(report.initialised.empty());
  EXPECT_TRUE(at::equal(state(*to).at("head.weight"), fresh));
}

TEST(Load, SumsInputChannels) {
  nn::Conv2d colour({.in = 3, .out = 2, .kernel = 3}), grey({.in = 1, .out = 2, .kernel = 3});
  const std::vector<LoadRule> rules = {{.from = "*", .to = "*", .on_mismatch = "sum_channels"}};
  const LoadReport report = load(grey, state(colour), rules);
  EXPECT_EQ(names(report.reshaped), Names{"weight"});
  EXPECT_EQ(report.reshaped.front().note, "sum of 3 input channels");
  EXPECT_FALSE(report.complete());
  const at::Tensor x = at::randn({2, 1, 5, 5});
  EXPECT_TRUE(at::allclose(grey.forward(x), colour.forward(x.expand({2, 3, 5, 5})), 1e-5, 1e-6));
  nn::Conv2d other({.in = 1, .out = 4, .kernel = 3});
  expect_refused<FileError>(other, state(colour), rules, {"\"bias\"", "shape (4)", "shape (2)", "1 more"});
}

TEST(Load, ConvertsFloatingPointTypesAndSaysSo) {
  for (auto [dtype, text] : {std::pair{at::kHalf, "float16"}, {at::kBFloat16, "bfloat16"}, {at::kDouble, "float64"}}) {
    auto from = tiny(), to = tiny();
    Weights weights = copied(*from);
    weights["down.weight"] = weights.at("down.weight").to(dtype);
    const LoadReport report = load(*to, weights);
    EXPECT_TRUE(report.complete());
    EXPECT_EQ(report.loaded[1].name, "down.weight");
    EXPECT_EQ(report.loaded[1].note, std::string("converted from ") + text);
    EXPECT_EQ(report.loaded[0].note, "");
    EXPECT_TRUE(at::equal(state(*to).at("down.weight"), weights.at("down.weight").to(at::kFloat)));
  }
}

TEST(Load, RefusesWholeNumbersForWeights) {
  auto model = tiny();
  Weights weights = copied(*model);
  weights["down.weight"] = at::ones({3, 4}, at::kLong);
  expect_refused<FileError>(*model, weights, {},
                            {"weights \"down.weight\": expected float32, found int64 in the file; change"});
  weights = copied(*model);
  weights["norm.num_batches_tracked"] = at::ones({});
  const LoadReport report = load(*model, weights, {{.from = "*", .to = "*", .on_mismatch = "skip"}});
  EXPECT_EQ(report.mismatched.front().note, "float32 in the file, int64 in the model");
}

TEST(Load, RefusesTwoTensorsOfOneName) {
  auto model = tiny();
  Weights weights = copied(*model);
  weights["old.bias"] = at::zeros({3});
  expect_refused<FileError>(*model, weights, {{.from = "old.*", .to = "down.*"}},
                            {"weights \"down.bias\": expected one tensor of the file, found \"down.bias\" and "
                             "\"old.bias\"; change the rules"});
}

TEST(Load, RefusesRulesThatMakeNoSense) {
  auto model = tiny();
  const Weights weights = copied(*model);
  expect_refused<ConfigError>(
      *model, weights, {{.from = "a", .to = "*"}},
      {"load rule \"a\" to \"*\": expected at most as many * in \"to\" as in \"from\", found 1"});
  expect_refused<ConfigError>(*model, weights, {{.from = "*", .to = "*", .on_mismatch = "skipp"}},
                              {"on_mismatch", "\"skipp\"", "did you mean \"skip\"?"});
  expect_refused<ConfigError>(*model, weights, {{.from = "*********", .to = ""}}, {"at most 8 *", "found 9"});
  expect_refused<ConfigError>(*model, weights, {{.on_mismatch = "skip", .names = RowNames{{"a"}, {"b"}}}},
                              {"names beside on_mismatch \"rows\" alone, found it beside \"skip\""});
  expect_refused<ConfigError>(*model, weights, {{.on_mismatch = "rows", .names = RowNames{{"a", "a"}, {"b"}}}},
                              {"names.from: expected a name for each row, found \"a\" twice"});
}

TEST(Load, TakesRowsByName) {
  auto from = tiny(3), to = tiny(2);
  const at::Tensor fresh = state(*to).at("head.weight").clone();
  LoadRule rows{
      .from = "head.*", .to = "head.*", .on_mismatch = "rows", .names = RowNames{{"a", "b", "c"}, {"c", "d"}}};
  const LoadReport report = load(*to, state(*from), {rows});
  EXPECT_EQ(names(report.reshaped), (Names{"head.bias", "head.weight"}));
  EXPECT_EQ(report.reshaped[1].note, "1 of 2 rows by name (c), the others fresh");
  EXPECT_EQ(report.reshaped[1].taken, 3);
  EXPECT_EQ(report.reshaped[1].elements, 6);
  EXPECT_TRUE(at::equal(state(*to).at("head.weight")[0], state(*from).at("head.weight")[2]));
  EXPECT_TRUE(at::equal(state(*to).at("head.weight")[1], fresh[1]));
  rows.names.reset();
  expect_refused<FileError>(*to, state(*from), {rows},
                            {"weights \"head.bias\": expected shape (2), or for the rule rows the names of its rows on "
                             "both sides",
                             "found shape (3) in the file (and 1 more like it)"});
}

// Two heads of one shape that list their classes in another order are not the same.
TEST(Load, RowsGoByNameWhateverTheShapes) {
  auto from = tiny(2), to = tiny(2);
  LoadRule rows{.from = "head.*", .to = "head.*", .on_mismatch = "rows", .names = RowNames{{"a", "b"}, {"b", "a"}}};
  load(*to, state(*from), {rows});
  EXPECT_TRUE(at::equal(state(*to).at("head.weight"), state(*from).at("head.weight").flip(0)));
  rows.names = RowNames{{"a", "b"}, {"a", "b"}};
  EXPECT_TRUE(load(*to, state(*from), {rows}).complete());
}

TEST(Load, TakesTheFirstRowsOnRequest) {
  auto from = tiny(3), to = tiny(2);
  const LoadReport report = load(*to, state(*from), {{.from = "head.*", .to = "head.*", .on_mismatch = "first_rows"}});
  EXPECT_EQ(report.reshaped[0].note, "the first 2 of 3 rows");
  EXPECT_TRUE(at::equal(state(*to).at("head.weight"), state(*from).at("head.weight").narrow(0, 0, 2)));
}

TEST(Load, ScalesValues) {
  auto from = tiny(), to = tiny();
  const LoadReport report = load(*to, state(*from), {{.from = "down.*", .to = "down.*", .scale = 0.5}});
  EXPECT_EQ(report.loaded[0].note, "times 0.5");
  EXPECT_TRUE(at::equal(state(*to).at("down.weight"), state(*from).at("down.weight") * 0.5));
  EXPECT_TRUE(at::equal(state(*to).at("head.weight"), state(*from).at("head.weight")));
}

TEST(Load, SuggestsARuleThatFits) {
  nn::Conv2d colour({.in = 3, .out = 2, .kernel = 3}), grey({.in = 1, .out = 2, .kernel = 3});
  expect_refused<FileError>(
      grey, state(colour), {},
      {"weights \"weight\": expected shape (2, 1, 3, 3), found shape (2, 3, 3, 3) in the file; "
       "fit it by the rule {\"from\":\"weight\",\"to\":\"weight\",\"on_mismatch\":\"channels\"}, or "
       "leave it fresh with \"skip\""});
}

TEST(Load, ATransposedConvolutionHasNoInputChannelsToChange) {
  nn::ConvTranspose2d colour({.in = 2, .out = 3, .kernel = 3, .bias = false});
  nn::ConvTranspose2d grey({.in = 2, .out = 1, .kernel = 3, .bias = false});
  expect_refused<FileError>(grey, state(colour), {{.on_mismatch = "channels"}},
                            {"weights \"weight\": expected shape (2, 1, 3, 3), or for the rule channels a convolution "
                             "that is not transposed, as this one's second dimension is its outputs, found shape (2, "
                             "3, 3, 3) in the file; change the model's description, or leave it fresh by the rule"});
  expect_refused<FileError>(grey, state(colour), {}, {"found shape (2, 3, 3, 3) in the file; change the model's"});
}

// The tensors of `tiny` under names that say nothing.
struct Unnamed {
  Weights weights;
  Names order;
  explicit Unnamed(const Model& model) {
    const Weights own = copied(model);
    for (const auto& name : names_in_order(model)) {
      const bool counter = name.ends_with("num_batches_tracked");
      order.push_back(counter ? "c.num_batches_tracked" : fmt::format("t{}", order.size()));
      weights[order.back()] = own.at(name);
    }
  }
};

TEST(LoadByOrder, PairsByOrderAndShape) {
  auto from = tiny(), to = tiny();
  const Unnamed file(*from);
  const LoadReport report = load(*to, file.weights, {}, {.by_order = true, .order = file.order});
  EXPECT_TRUE(report.complete());
  EXPECT_TRUE(equal_states(*from, *to));
  EXPECT_EQ(report.loaded.front().name, "down.weight");
  EXPECT_EQ(report.loaded.front().note, "from t0, by order");
  EXPECT_EQ(report.loaded.front().source, "t0");
}

TEST(LoadByOrder, OldFilesLackCounters) {
  auto from = tiny(), to = tiny();
  Unnamed file(*from);
  file.weights.erase("c.num_batches_tracked");
  std::erase(file.order, "c.num_batches_tracked");
  const LoadReport report = load(*to, file.weights, {}, {.by_order = true, .order = file.order});
  EXPECT_EQ(names(report.initialised), Names{"norm.num_batches_tracked"});
  EXPECT_TRUE(at::equal(state(*to).at("head.bias"), state(*from).at("head.bias")));
}

TEST(LoadByOrder, RulesComeFirst) {
  auto from = tiny(), to = tiny();
  Unnamed file(*from);
  file.weights["extra"] = at::zeros({9});
  file.order.insert(file.order.begin(), "extra");
  const std::vector<LoadRule> rules = {{.from = "extra", .to = ""}, {.from = "t7", .to = "head.weight"}};
  const LoadReport report = load(*to, file.weights, rules, {.by_order = true, .order = file.order});
  EXPECT_EQ(names(report.unused), Names{"extra"});
  EXPECT_TRUE(report.initialised.empty());
  EXPECT_TRUE(equal_states(*from, *to));
}

TEST(LoadByOrder, WhatIsFreshIsPassedOverAndTheRestToldOf) {
  auto from = tiny(5), to = tiny();
  const Unnamed file(*from);
  const LoadContext context{.by_order = true, .order = file.order, .fresh = {"head.weight", "head.bias"}};
  const LoadReport report = load(*to, file.weights, {}, context);
  EXPECT_EQ(names(report.initialised), (Names{"head.bias", "head.weight"}));
  EXPECT_EQ(names(report.unused), (Names{"t7", "t8"}));
}

TEST(LoadByOrder, NamesTheFirstPairThatDoesNotFit) {
  auto from = tiny(5), to = tiny();
  const Unnamed file(*from);
  expect_error<FileError>(
      [&] { load(*to, file.weights, {}, {.by_order = true, .order = file.order}); },
      {"weights by order, tensor 7: expected shape (2, 3) for \"head.weight\", found \"t7\" of shape "
       "(5, 3); name this pair, or what is too many (\"to\": \"\"), by a rule of load"});
  expect_error<ConfigError>([&] { load(*to, file.weights, {}, {.by_order = true}); },
                            {"match: expected weights that keep the order", "found none"});
}

TEST(LoadStrict, TakesExactlyTheState) {
  auto from = tiny(), to = tiny();
  load_strict(*to, state(*from), "a.safetensors");
  EXPECT_TRUE(equal_states(*from, *to));
}

TEST(LoadStrict, NamesTheFirstDifferences) {
  auto model = tiny();
  const Weights before = copied(*model);
  Weights weights = copied(*tiny(5));
  weights.erase("down.bias");
  weights["extra"] = at::zeros({1});
  expect_error<FileError>([&] { load_strict(*model, weights, "a.safetensors"); },
                          {"a.safetensors: expected the weights of this model and nothing else, found head.bias: shape "
                           "(5) in the file, (2) in "
                           "the model, head.weight: shape (5, 3) in the file, (2, 3) in the model, no down.bias and 1 "
                           "more differences; use"});
  for (const auto& [name, tensor] : state(*model)) EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
  weights = copied(*model);
  weights["extra"] = at::zeros({1});
  expect_error<FileError>([&] { load_strict(*model, weights, "b"); }, {"b: ", "found extra besides; use"});
}

}  // namespace
}  // namespace vaetl::testing::state_test
