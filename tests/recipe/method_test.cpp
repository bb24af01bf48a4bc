// Methods as parts of recipes, and what each of them trains in the end.
#include "vaetl/transfer/method.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/recipe/run.hpp"
#include "vaetl/recipe/sweep_parts.hpp"
#include "vaetl/report/folder.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::recipe::method_test {
namespace {

using testing::expect_error;

namespace fs = std::filesystem;

Json with_method(const Json& method, const Json& more = Json::object()) {
  Json json = testing::toy_recipe();
  json["transfer"] = {{"from", "none"}, {"method", method}};
  json["transfer"].update(more);
  json["trainer"].erase("optimizer");
  return json;
}

Json resolved(const Json& json) { return resolve(parse(json)); }

TEST(Method, IsExpandedIntoTheResolvedRecipe) {
  const Json recipe = resolved(with_method({{"name", "gradual"}, {"every", 2}}));
  const Json& transfer = recipe["transfer"];
  EXPECT_FALSE(transfer.contains("method"));
  EXPECT_EQ(transfer["gradual"], (Json{{"every", 2.0}, {"over", 0.5}}));
  EXPECT_NEAR(transfer["layer_decay"].get<double>(), 1 / 2.6, 1e-12);
  EXPECT_EQ(transfer["expanded_from"]["name"], "gradual");
  EXPECT_EQ(transfer["expanded_from"]["every"], 2.0);
  EXPECT_EQ(resolved(recipe), recipe);  // nothing is left to expand
}

TEST(Method, TheRecipesOwnKeysWin) {
  EXPECT_EQ(resolved(with_method("probe"))["trainer"]["optimizer"]["lr"], 0.01);
  EXPECT_EQ(resolved(with_method("probe", {{"freeze", {"encoder.0"}}}))["transfer"]["freeze"],
            Json::array({"encoder.0"}));
  Json named = with_method("probe");
  named["trainer"]["optimizer"] = {{"name", "adamw"}, {"weight_decay", 0.5}};
  EXPECT_EQ(resolved(named)["trainer"]["optimizer"]["lr"], 0.01);  // what it leaves out of the same thing
  EXPECT_EQ(resolved(named)["trainer"]["optimizer"]["weight_decay"], 0.5);
  named["trainer"]["optimizer"] = {{"name", "sgd"}, {"lr", 0.3}};
  EXPECT_EQ(resolved(named)["trainer"]["optimizer"]["lr"], 0.3);
}

TEST(Method, TermsAreAddedToTheObjective) {
  const Json objective = resolved(with_method({{"name", "l2_sp"}, {"alpha", 0.5}}))["objective"];
  ASSERT_EQ(objective.size(), 2U);
  EXPECT_EQ(objective[0]["name"], "cross_entropy");
  EXPECT_EQ(objective[1]["name"], "l2_sp");
  EXPECT_EQ(objective[1]["alpha"], 0.5);
  Json own = with_method("l2_sp");
  own["objective"] = Json::array({"cross_entropy", {{"name", "l2_sp"}, {"alpha", 2}}});
  EXPECT_EQ(resolved(own)["objective"].size(), 2U);
  EXPECT_EQ(resolved(own)["objective"][1]["alpha"], 2.0);
}

TEST(Method, WhatIsWrongIsSaid) {
  expect_error<ConfigError>([] { parse(with_method("lorra")); }, {"transfer.method", "\"lorra\"", "\"lora\""});
  expect_error<ConfigError>(
      [] {
        parse(with_method({{"name", "lora"}, {"rnk", 4}}));
      },
      {"transfer.method", "the unknown key \"rnk\"", "\"rank\""});
  expect_error<ConfigError>(
      [] {
        parse(with_method({{"name", "lora"}, {"rank", 0}}));
      },
      {"transfer.method.rank", "between 1 and 65536", "0"});
  expect_error<ConfigError>([] { parse(with_method(3)); }, {"transfer.method"});
}

// A point of a sweep that names another method finds nothing of the recipe's own.
TEST(Method, ASweepVariesIt) {
  Json json = with_method("probe");
  json["sweep"] = {{"vary", {{"transfer.method", {"probe", "lp_ft", "l2_sp"}}}}};
  const Recipe recipe = parse(json);
  const auto points = expand(recipe, read_sweep(*recipe.sweep));
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[0].recipe["transfer"]["freeze"], Json::array({"backbone"}));
  for (int i : {1, 2}) EXPECT_EQ(points[i].recipe["transfer"]["freeze"], Json::array());
  EXPECT_EQ(points[1].recipe["trainer"]["optimizer"]["lr"], 1e-3);
  EXPECT_TRUE(points[1].recipe["transfer"].contains("solve_head"));
  EXPECT_EQ(points[2].recipe["objective"].size(), 2U);
}

TEST(Method, ASearchVariesItsOptions) {
  Json json = with_method({{"name", "gradual"}, {"every", 2}});
  json["sweep"] = {
      {"search",
       {{"grid", {{"transfer.method.layer_decay", {0.5, 0.9}}, {"trainer.optimizer.lr", {0.02}}}}, {"folds", 2}}}};
  const Recipe recipe = parse(json);
  const SweepOptions options = read_sweep(*recipe.sweep);
  const SweepPoint point = expand(recipe, options).at(0);
  std::vector<double> decays;
  for (const Json& settings : combinations(options.search->grid)) {
    const Json tried = resolved(with_settings(point, settings));
    decays.push_back(tried["transfer"]["layer_decay"].get<double>());
    EXPECT_EQ(tried["transfer"]["gradual"]["every"], 2.0);
    EXPECT_EQ(tried["trainer"]["optimizer"]["lr"], 0.02);
  }
  EXPECT_EQ(decays, (std::vector<double>{0.5, 0.9}));
}

// What is written out once leaves no room for another: it would train something else under this name.
TEST(Method, IsRefusedWhereItCanSayNothing) {
  Json again = resolved(with_method("full"));
  again["transfer"]["method"] = "lora";
  expect_error<ConfigError>([&] { parse(again); }, {"transfer.method", "\"lora\" beside what \"full\" stands for"});
  Json plain = with_method("full");
  plain["transfer"].erase("method");
  Json complete = resolve(parse(plain));
  complete["transfer"]["method"] = "lora";
  expect_error<ConfigError>([&] { parse(complete); }, {"transfer.method", "leaves open some of what \"lora\" says"});
}

// Methods say nothing that would overrule what freezes, decays or holds batch norm.
TEST(Method, LeaveOtherKeysTheirWork) {
  for (const Json& method : {Json("l2_sp"), Json({{"name", "partial"}, {"groups", {"encoder.1"}}})}) {
    EXPECT_EQ(resolved(with_method(method))["transfer"]["tuning"], Json::array()) << method;
  }
  EXPECT_EQ(resolved(with_method("l2_sp"))["trainer"]["optimizer"]["weight_decay"], 0);
}

class Methods : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    Json json = testing::toy_recipe();
    json["model"] = {{"name", "cnn"}, {"input", {1, 8, 8}}, {"channels", {4, 6}},
                     {"dense", {8}},  {"classes", 4},       {"batch_norm", true}};
    run(parse(json), settings("source"));
  }
  static void TearDownTestSuite() { delete std::exchange(folder_, nullptr); }
  static RunSettings settings(const std::string& name) {
    return {.out = fs::path(folder_->path()) / name, .device = "cpu", .data = testing::toy_cache()};
  }
  static std::string source() { return folder_->path() + "/source"; }

  static testing::TemporaryFolder* folder_;
};

testing::TemporaryFolder* Methods::folder_ = nullptr;

TEST_P(Methods, SaysWhatItIsAndKeepsToTheSections) {
  const auto method = registry<transfer::Method>().make({GetParam()});
  EXPECT_FALSE(method->about().text.empty());
  EXPECT_FALSE(method->about().more.empty());
  const Json patch = method->patch();
  for (const auto& [section, keys] : patch.items()) {
    EXPECT_TRUE(section == "transfer" || section == "objective" || section == "trainer" || section == "data");
  }
  const std::string help = transfer::method_help(GetParam());
  EXPECT_NE(help.find("method \"" + GetParam() + "\": "), std::string::npos);
  const Json options = registry<transfer::Method>().schema(GetParam())["properties"];
  for (const auto& [key, schema] : options.items()) EXPECT_NE(help.find("  " + key + " "), std::string::npos) << key;
}

// Whatever the run's summary says does not train has the source's bits, statistics of batch norm included.
TEST_P(Methods, WhatIsFrozenIsTheSourcesToTheBit) {
  Json json = with_method(GetParam(), {{"from", source()}, {"heads", {{{"classes", 4}}}}});
  json.erase("model");
  const Outcome outcome = run(parse(json), settings(GetParam()));
  EXPECT_EQ(outcome.summary["transfer"]["method"]["name"], GetParam());
  const Weights before = state(*zoo::load(source()).model), after = state(*outcome.model);
  std::size_t frozen = 0, changed = 0;
  for (const Json& group : outcome.summary["model"]["groups"]) {
    for (const auto& [name, tensor] : before) {
      if (group_of(*outcome.model, name) != group["name"] || group["name"] == "head") continue;
      const bool same = at::equal(tensor, after.at(name));
      if (!group["trained"].get<bool>()) {
        EXPECT_TRUE(same) << name;
        ++frozen;
      }
      changed += same ? 0 : 1;
    }
  }
  const std::set<std::string> still = {"probe", "linear_probe", "partial", "lora", "ia3", "bottleneck"};
  EXPECT_EQ(frozen > 0, still.contains(GetParam()));
  const std::set<std::string> all_still = {"probe", "linear_probe", "lora", "ia3", "bottleneck"};
  EXPECT_EQ(changed > 0, !all_still.contains(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Registry, Methods, ::testing::ValuesIn(registry<transfer::Method>().names()),
                         [](const auto& test) { return test.param; });

TEST_F(Methods, FrozenBatchNormStandsWhileItsGroupTrains) {
  for (const char* norm : {"statistics", "frozen"}) {
    Json json =
        with_method({{"name", "bn_frozen"}, {"norm", norm}}, {{"from", source()}, {"heads", {{{"classes", 4}}}}});
    json.erase("model");
    const auto model = run(parse(json), {.device = "cpu", .data = testing::toy_cache()}).model;
    const Weights before = state(*zoo::load(source()).model), after = state(*model);
    const auto same = [&](const std::string& name) { return at::equal(before.at(name), after.at(name)); };
    for (const char* name : {"running_mean", "running_var", "num_batches_tracked"}) {
      EXPECT_TRUE(same(std::string("encoder.0.norm.") + name)) << name;
    }
    EXPECT_FALSE(same("encoder.0.conv.weight"));
    EXPECT_EQ(same("encoder.0.norm.weight"), norm == std::string("frozen"));
    EXPECT_EQ(same("encoder.1.norm.bias"), norm == std::string("frozen"));
  }
}

TEST_F(Methods, ThePageTellsWhichMethodWasAskedFor) {
  Json json = with_method({{"name", "partial"}, {"last", 2}}, {{"from", source()}, {"heads", {{{"classes", 4}}}}});
  json.erase("model");
  run(parse(json), settings("told"));
  const std::string page = testing::file_bytes(folder_->path() + "/told/report.html");
  EXPECT_NE(page.find("by partial (last 2, groups [])"), std::string::npos);
}

// A program's own method.
struct Mine final : transfer::Method {
  static constexpr std::string_view name = "mine";
  struct Options {
    double share = 0.25;
    static constexpr auto fields() { return std::tuple{field("share", &Options::share, "of the head alone")}; }
  };
  explicit Mine(const Options& options) : options_(options) {}
  About about() const override { return {.text = "mine", .paper = {}, .more = "lines"}; }
  Json patch() const override { return {{"transfer", {{"head_first", options_.share}}}, {"data", {{"strict", true}}}}; }
  Options options_;
};

TEST(Method, OfAProgramJoins) {
  auto& table = registry<transfer::Method>();
  const auto before = table;
  table.add<Mine>();
  const Json recipe = resolved(with_method({{"name", "mine"}, {"share", 0.5}}));
  table = before;
  EXPECT_EQ(recipe["transfer"]["head_first"], 0.5);
  EXPECT_EQ(recipe["data"]["strict"], true);
}

}  // namespace
}  // namespace vaetl::recipe::method_test
