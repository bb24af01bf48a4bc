#include "vaetl/recipe/recipe.hpp"

#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/recipe/overrides.hpp"
#include "vaetl/recipe/sweep.hpp"

namespace vaetl::recipe {
namespace {

using testing::expect_error;
using testing::toy_recipe;

// The toy recipe with one value changed; null removes it.
Json changed(const std::string& path, const Json& value) {
  Json json = toy_recipe();
  set_at(json, path, value);
  return json;
}

void expect_bad(const Json& json, std::initializer_list<std::string_view> parts) {
  expect_error<ConfigError>([&] { parse(json); }, parts);
}

TEST(Recipe, FieldsCoverMembers) {
  testing::expect_fields_cover<DataOptions>();
  testing::expect_fields_cover<ScoreOptions>();
  testing::expect_fields_cover<SearchOptions>();
  EXPECT_EQ(testing::member_count<Recipe>(), std::tuple_size_v<decltype(Recipe::fields())> + 1);  // unexpanded
  EXPECT_EQ(testing::member_count<SweepOptions>(), std::tuple_size_v<decltype(SweepOptions::fields())>);
}

TEST(Recipe, UnknownKeysSuggestTheNearest) {
  expect_bad(changed("objectiv", "elbo"), {"the unknown key \"objectiv\"", "\"objective\""});
  expect_bad(changed("data.take_per_clas", 3), {"data", "\"take_per_clas\"", "\"take_per_class\""});
  expect_bad(changed("trainer.epoch", 3), {"trainer", "\"epoch\"", "\"epochs\""});
  expect_bad(changed("model.width", 3), {"model", "\"width\"", "\"widths\""});
  expect_bad(changed("trainer.optimizer.Lr", 3), {"trainer.optimizer", "\"Lr\"", "\"lr\""});
  expect_bad(changed("transfer", Json{{"form", "none"}}), {"transfer", "\"form\"", "\"from\""});
  expect_bad(changed("transfer", Json{{"from", "none"}, {"head", 1}}), {"transfer", "\"head\"", "\"heads\""});
  expect_bad(changed("sweep.way", Json::object()), {"sweep", "\"way\"", "\"ways\""});
}

TEST(Recipe, UnknownNamesSuggestTheNearest) {
  expect_bad(changed("model.name", "mpl"), {"model", "the name of a known model", "\"mpl\"", "\"mlp\""});
  expect_bad(changed("objective", "cross_entrop"), {"objective", "\"cross_entropy\""});
  expect_bad(changed("evaluate", {"acuracy"}), {"evaluate[0]", "\"accuracy\""});
  expect_bad(changed("trainer.monitor", "acuracy"), {"trainer.monitor", "\"accuracy\""});
  expect_bad(changed("trainer.optimizer.name", "adanw"), {"trainer.optimizer", "\"adamw\""});
  expect_bad(changed("data.augment", {"flipp"}), {"data.augment[0]", "\"flip\""});
  expect_bad(changed("data.preprocess", {"standardize"}), {"data.preprocess[0]", "\"standardise\""});
  expect_bad(changed("sweep.metric", "acuracy"), {"sweep.metric", "\"accuracy\""});
}

TEST(Recipe, WrongTypesNameTheirPath) {
  expect_bad(Json::array(), {"an object", "an array"});
  expect_bad(changed("trainer.optimizer.lr", "fast"), {"trainer.optimizer.lr", "a number", "\"fast\""});
  expect_bad(changed("trainer.steps", -1), {"trainer.steps", "between 0 and", "-1"});
  expect_bad(changed("data", "fashion-mnist"), {"data", "an object", "\"fashion-mnist\""});
  expect_bad(changed("seed", -1), {"seed", "-1"});
  expect_bad(changed("data.order", "random"), {"data.order", "\"shuffle\"", "\"random\""});
  expect_bad(changed("name", "a/b"), {"name", "\"a/b\""});
  expect_bad(changed("data.preprocess", "standardise"), {"data.preprocess", "\"inherit\""});
}

TEST(Recipe, SectionsMustFitTogether) {
  expect_bad(changed("objective", nullptr), {"objective", "cross_entropy", "none"});
  expect_bad(changed("model", nullptr), {"model", "none"});
  expect_bad(changed("transfer", Json::object()), {"transfer.from", "zoo:NAME", "nothing"});
  Json json = changed("model", nullptr);
  json["transfer"] = {{"from", "none"}};
  expect_bad(json, {"transfer.from", "a source", "neither"});
  json["transfer"] = {{"from", "runs/vae"}};
  EXPECT_NO_THROW(parse(json));
}

TEST(Recipe, WhatTheRunOwnsIsNotTheTrainers) {
  expect_bad(changed("trainer.seed", 1), {"trainer", "\"seed\"", "the recipe's own \"seed\""});
  expect_bad(changed("trainer.device", "cpu"), {"trainer", "\"device\"", "--device"});
  expect_bad(changed("trainer.directory", "x"), {"trainer", "\"directory\"", "--out"});
  expect_bad(changed("trainer.resume", "auto"), {"trainer", "\"resume\"", "--resume"});
}

TEST(Recipe, DataInShortForm) {
  const auto section = read_data(changed("data.test", {{"open", "other"}, {"split", "train"}})["data"]);
  EXPECT_TRUE(section.short_form);
  ASSERT_EQ(section.streams.size(), 1u);
  EXPECT_EQ(section.streams[0].first, "train");
  EXPECT_EQ(section.test->open.text(), "other");
  expect_bad(changed("data", Json::object()), {"data.open", "NAME or KIND:PATH", "none"});
  expect_bad(changed("data", {{"opne", "toy"}}), {"data", "\"opne\"", "\"open\""});
  expect_bad(changed("data.fold", {2, 2}), {"data.fold", "0 ≤ i < k", "[2,2]"});
  Json both = changed("data.fold", {0, 2});
  both["data"]["validation"] = 0.1;
  expect_bad(both, {"data", "validation or fold", "both"});
  Json unlabelled = changed("data.labels", false);
  unlabelled["data"]["take_per_class"] = 2;
  expect_bad(unlabelled, {"data", "take_per_class", "labels: false"});
}

TEST(Recipe, DataInLongForm) {
  Json data{{"unlabelled", {{"open", "toy"}, {"labels", false}}}, {"train", {{"open", "toy"}}}};
  data["test"] = {{"open", "toy"}};
  const auto section = read_data(data);
  EXPECT_FALSE(section.short_form);
  ASSERT_EQ(section.streams.size(), 2u);
  EXPECT_EQ(section.streams[0].first, "train");
  EXPECT_EQ(section.streams[1].first, "unlabelled");
  data["unlabelled"]["validation"] = 0.5;
  expect_error<ConfigError>([&] { read_data(data); }, {"data.unlabelled", "\"train\" alone"});
  data["unlabelled"].erase("validation");
  data["train"]["validation"] = 0.5;
  data["validation"] = {{"open", "other"}};
  expect_error<ConfigError>([&] { read_data(data); }, {"data.train", "one source of validation data", "two"});
}

TEST(Recipe, ReadsAFileWithOverrides) {
  const testing::TemporaryFolder folder;
  Json json = toy_recipe();
  json["trainer"].erase("optimizer");
  const std::string file = folder.file("r.json", json.dump());
  const Recipe recipe = read(file, {"trainer.optimizer.lr=0.5", "seed=9", "objective.label_smoothing=0.1"});
  EXPECT_EQ(recipe.seed, 9u);
  const TrainerOptions trainer = read_trainer(recipe.trainer);
  EXPECT_EQ(trainer.optimizer.name, "adamw");
  EXPECT_EQ(trainer.optimizer.options["lr"], 0.5);
  expect_error<ConfigError>([&] { read(file, {"trainer.stepz=1"}); }, {"trainer", "\"stepz\"", "\"steps\""});
  expect_error<ConfigError>([&] { read(file, {"trainer"}); }, {"override \"trainer\"", "section.key=value"});
  expect_error<ConfigError>([&] { read(folder.path() + "/none.json"); }, {"none.json"});
}

TEST(Recipe, ResolvedIsCompleteAndStable) {
  Json json = testing::toy_vae_recipe();
  json["objective"] = {{{"name", "elbo"}, {"weight", 0.5}}};
  const Json resolved = resolve(parse(json));
  EXPECT_EQ(resolved["trainer"]["optimizer"]["beta1"], 0.9);
  EXPECT_EQ(resolved["objective"][0]["weight"], 0.5);
  EXPECT_EQ(resolved["data"]["preprocess"], "inherit");
  EXPECT_FALSE(resolved["trainer"].contains("seed"));
  EXPECT_EQ(resolve(parse(resolved)), resolved);
  expect_error<DeviceError>([&] { resolve(parse(json), "cuda:97"); }, {"cuda:97"});
}

TEST(Recipe, CommittedRecipesAreValid) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("recipes")) {
    if (entry.path().extension() != ".json") continue;
    SCOPED_TRACE(entry.path().string());
    const Recipe recipe = read(entry.path());
    EXPECT_EQ(recipe.name, entry.path().stem().string());
    if (recipe.sweep) {
      EXPECT_FALSE(expand(recipe, read_sweep(*recipe.sweep)).empty());
    }
    ++count;
  }
  EXPECT_GE(count, 6u);
}

TEST(Overrides, NullRemoves) {
  Json json = toy_recipe();
  set_at(json, "trainer.optimizer.lr", nullptr);
  EXPECT_FALSE(json["trainer"]["optimizer"].contains("lr"));
  set_at(json, "nothing.here", nullptr);
  EXPECT_FALSE(json.contains("nothing"));
  set_at(json, "model", {{"name", "cnn"}});
  EXPECT_EQ(json["model"], (Json{{"name", "cnn"}}));
}

}  // namespace
}  // namespace vaetl::recipe
