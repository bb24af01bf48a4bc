#include "vaetl/nn/model.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "nn/models.hpp"
#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"

namespace vaetl::testing::model_test {
namespace {

using Names = std::vector<std::string>;

TEST(Build, FillsInDefaultsAndIsRepeatable) {
  seed(3);
  const auto first = build({"tiny", {{"size", 5}}});
  seed(3);
  const auto second = build({"tiny", {{"size", 5}}});
  EXPECT_TRUE(equal_states(*first, *second));
  EXPECT_EQ(first->spec().name, "tiny");
  EXPECT_EQ(first->spec().options, Json({{"size", 5}, {"classes", 2}}));
  EXPECT_TRUE(first->preprocess().is_null());
}

TEST(Build, NamesWhatIsWrongWithADescription) {
  expect_error<ConfigError>([] { build({"tyni"}, "recipe.model"); }, {"recipe.model", "\"tyni\"", "\"tiny\""});
  expect_error<ConfigError>([] { build({"tiny", {{"sizes", 5}}}, "m"); }, {"m", "\"sizes\"", "\"size\""});
  expect_error<ConfigError>(
      [] {
        build({"tiny", {{"size", 9e15}}}, "m");
      },
      {"layer: expected between 1 and", "found a shape (3, 9000000000000000)"});
}

TEST(Build, WantsEveryTensorInExactlyOneGroup) {
  const auto thrown = [](const char* how) {
    try {
      build({"misgrouped", {{"how", how}}});
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code, Exit::internal);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(thrown("none"),
            "model \"misgrouped\": expected \"firstborn.bias\" in one layer group, found it in none; mend the model's "
            "layer_groups()");
  EXPECT_EQ(thrown("twice"),
            "model \"misgrouped\": expected \"firstborn.bias\" in one layer group, found it in a, b; mend the model's "
            "layer_groups()");
}

TEST(Clone, CopiesEverythingAndDrawsNothing) {
  auto model = tiny();
  model->encode(inputs(8));  // moves the running statistics
  model->set_preprocess(Json::array({"standardise"}));
  model->eval();
  seed(1);
  const at::Tensor expected = at::rand({4});
  seed(1);
  const auto copy = clone(*model);
  EXPECT_TRUE(at::equal(at::rand({4}), expected)) << "cloning moved the default generator";
  EXPECT_TRUE(equal_states(*model, *copy));
  EXPECT_EQ(copy->preprocess(), model->preprocess());
  EXPECT_EQ(copy->spec().options, model->spec().options);
  EXPECT_FALSE(copy->is_training());
  {
    const at::NoGradGuard no_grad;
    state(*copy).at("head.bias").add_(1);
  }
  EXPECT_FALSE(equal_states(*model, *copy)) << "the copy shares memory with its source";
}

TEST(Groups, ArePathsNotStrings) {
  const auto model = tiny();
  EXPECT_EQ(group_of(*model, "down.weight"), "stem");
  EXPECT_EQ(group_of(*model, "norm.running_mean"), "stem");
  EXPECT_EQ(group_of(*model, "head"), "head");
  expect_error<Error>([&] { group_of(*model, "header.weight"); }, {"\"header.weight\" in one layer group", "in none"});
}

TEST(Groups, MatchPatterns) {
  const auto model = tiny();
  EXPECT_EQ(match_groups(*model, "*", "freeze"), (Names{"stem", "head"}));
  EXPECT_EQ(match_groups(*model, "backbone", "freeze"), Names{"stem"});
  EXPECT_EQ(match_groups(*model, "h*d", "freeze"), Names{"head"});
  expect_error<ConfigError>(
      [&] { match_groups(*model, "steam", "transfer.freeze[0]"); },
      {"transfer.freeze[0]: expected a layer group of \"tiny\" (stem, head), found \"steam\"; did "
       "you mean \"stem\"?"});
  expect_error<ConfigError>([&] { match_groups(*model, "backbones", "freeze"); }, {"did you mean \"backbone\"?"});
}

TEST(Groups, KnowTheirModules) {
  const auto model = tiny();
  const auto modules = group_modules(*model, model->groups().front());
  ASSERT_EQ(modules.size(), 2u);
  for (const auto& module : modules) module->eval();
  const auto named = model->named_modules({}, false);
  EXPECT_FALSE(named["norm"]->is_training());
  EXPECT_TRUE(named["head"]->is_training());
}

TEST(CheckedInput, SaysWhatTheModelExpects) {
  auto model = tiny();
  Fields fields = inputs(2);
  EXPECT_TRUE(checked_input(*model, fields).is_same(fields.input()));
  fields.set("input", at::zeros({2, 5}));
  expect_error<DataError>(
      [&] { model->encode(fields); },
      {"model \"tiny\": expected input of shape (N, 4), float32, found (2, 5), float32; convert the "
       "data, or describe the model with \"input\": [5]"});
  fields.set("input", at::zeros({2, 4}, at::kByte));
  expect_error<DataError>([&] { model->encode(fields); }, {"(2, 4), uint8", "apply the model's preprocessing first"});
  fields.set("input", at::zeros({4}));
  expect_error<DataError>([&] { model->encode(fields); }, {"found (4), float32", "stack examples"});
  expect_error<DataError>([&] { model->encode(Fields()); }, {"\"input\""});
}

TEST(ParameterCount, LeavesBuffersOut) { EXPECT_EQ(parameter_count(*tiny()), 4 * 3 + 3 + 2 * 3 + 3 * 2 + 2); }

}  // namespace
}  // namespace vaetl::testing::model_test
