#include "vaetl/recipe/sweep.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <csignal>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/recipe/sweep_parts.hpp"

namespace vaetl::recipe {
namespace {

using testing::expect_error;

namespace fs = std::filesystem;

// The toy recipe in two ways, at one and at four labels a class.
Json toy_sweep() {
  Json json = testing::toy_recipe();
  json["trainer"]["steps"] = 4;
  json["sweep"] = parse_json(R"({"ways": {"wide": {"model.widths": [16]}, "flat": {"model.widths": []}},
                                 "vary": {"data.take_per_class": [1, 4]}, "seeds": 2, "baseline": "flat"})",
                             "sweep");
  return json;
}

SweepReport run_sweep(const Json& json, const SweepSettings& settings) {
  const Recipe recipe = parse(json);
  return sweep(recipe, read_sweep(*recipe.sweep), settings);
}

SweepSettings into(const fs::path& out, int jobs = 2) {
  return {.out = out, .jobs = jobs, .device = "cpu", .data = testing::toy_cache()};
}

TEST(SweepOptions, TellsWhatIsWrong) {
  const auto read = [](const char* text) { return read_sweep(parse_json(text, "sweep")); };
  expect_error<ConfigError>([&] { read(R"({"ways": {"a": {}}, "baseline": "b"})"); },
                            {"sweep.baseline", "\"b\"", "\"a\""});
  expect_error<ConfigError>([&] { read(R"({"vary": {"seed": []}})"); }, {"sweep.vary.seed", "at least one value"});
  expect_error<ConfigError>([&] { read(R"({"ways": {"a": 3}})"); }, {"sweep.ways.a", "an object", "an integer"});
  expect_error<ConfigError>([&] { read(R"({"random": {"count": 3}})"); }, {"sweep.random", "keys to draw values for"});
  expect_error<ConfigError>(
      [&] { read(R"({"vary": {"seed": [1]}, "random": {"ranges": {"seed": {"low": 1, "high": 2}}}})"); },
      {"sweep.random.ranges.seed", "a list of values or a range", "both"});
  expect_error<ConfigError>([&] { read(R"({"random": {"ranges": {"a": {"low": 1, "high": 1e300, "whole": true}}}})"); },
                            {"sweep.random.ranges.a", "whole ends, up to 2^53"});
  expect_error<ConfigError>([&] { read(R"({"on": "train"})"); }, {"sweep.on", "\"train\""});
  expect_error<ConfigError>([&] { read(R"({"search": {"fold": 2}})"); }, {"sweep.search", "\"fold\"", "\"folds\""});
}

TEST(SweepOptions, VaryOnACommandLine) {
  SweepOptions options;
  add_vary(options, "data.take_per_class=1,10");
  add_vary(options, "model.widths=[1,2],[]");
  add_vary(options, "objective=elbo");
  EXPECT_EQ(options.vary["data.take_per_class"], (std::vector<Json>{1, 10}));
  EXPECT_EQ(options.vary["model.widths"], (std::vector<Json>{Json::array({1, 2}), Json::array()}));
  EXPECT_EQ(options.vary["objective"], (std::vector<Json>{"elbo"}));
  expect_error<ConfigError>([&] { add_vary(options, "seed"); }, {"--vary \"seed\"", "key=value"});
  expect_error<ConfigError>([&] { add_vary(options, "seed=1,,2"); }, {"an empty value"});
}

TEST(SweepOptions, RangesOnACommandLine) {
  SweepOptions options;
  add_vary(options, "trainer.optimizer.lr=1,2");
  add_vary(options, "trainer.optimizer.lr=log:1e-4..0.1");
  add_vary(options, "trainer.steps=5..9");
  add_vary(options, "data.open=csv:a..b");  // no numbers: a value
  EXPECT_EQ(options.vary.size(), 1u);
  ASSERT_TRUE(options.random);
  const RangeOptions& rate = options.random->ranges.at("trainer.optimizer.lr");
  EXPECT_TRUE(rate.low == 1e-4 && rate.high == 0.1 && rate.log);
  EXPECT_FALSE(options.random->ranges.at("trainer.steps").log);
  EXPECT_TRUE(options.random->ranges.at("trainer.steps").whole);
  add_vary(options, "model.dropout=0.0..1.0");
  EXPECT_FALSE(options.random->ranges.at("model.dropout").whole);
  expect_error<ConfigError>([&] { add_vary(options, "x=log:0..1"); },
                            {"--vary \"x=log:0..1\": expected 0 < low < high, found 0 and 1"});
  expect_error<ConfigError>([&] { add_vary(options, "y=3..3"); }, {"low < high, found 3 and 3"});
}

std::vector<Json> drawn(std::int64_t count, std::uint64_t seed = 0) {
  RandomOptions random{.count = count, .ranges = {}};
  random.ranges["rate"] = {.low = 1e-4, .high = 0.1, .log = true};
  random.ranges["width"] = {.low = 3, .high = 7, .whole = true};
  return settings_of({{"model", {"a", "b"}}}, random, seed);
}

TEST(SweepDraws, AreSpreadOverListsAndRanges) {
  std::map<std::string, int> counts;
  double above = 0;
  for (const Json& setting : drawn(1000)) {
    const double rate = setting["rate"];
    EXPECT_TRUE(rate >= 1e-4 && rate <= 0.1) << rate;
    above += rate > std::sqrt(1e-4 * 0.1);  // half of them, by the logarithm
    ++counts[setting["model"].get<std::string>()];
    ++counts[std::to_string(setting["width"].get<int>())];
    EXPECT_TRUE(setting["width"].is_number_integer());
  }
  EXPECT_NEAR(above, 500, 65);  // four standard deviations
  EXPECT_NEAR(counts["a"], 500, 65);
  ASSERT_EQ(counts.size(), 7u);
  for (const char* width : {"3", "4", "5", "6", "7"}) EXPECT_NEAR(counts[width], 200, 51) << width;
}

TEST(SweepDraws, BeginAlikeHoweverManyThereAre) {
  const auto few = drawn(5), many = drawn(50);
  EXPECT_EQ(std::vector<Json>(many.begin(), many.begin() + 5), few);
  EXPECT_NE(drawn(5, 1), few);
  std::set<std::string> different;
  for (const Json& setting : many) different.insert(setting.dump());
  EXPECT_EQ(different.size(), 50u);
}

TEST(SweepDraws, StayInNarrowRanges) {
  RandomOptions random{.count = 20, .ranges = {}};
  random.ranges["rate"] = {.low = 0.0010001, .high = 0.0010002};
  const auto settings = settings_of({}, random, 0);
  EXPECT_EQ(settings.size(), 20u);
  for (const Json& setting : settings) {
    EXPECT_GE(setting["rate"].get<double>(), 0.0010001);
    EXPECT_LE(setting["rate"].get<double>(), 0.0010002);
  }
}

TEST(SweepDraws, EndWhereThereAreNoMore) {
  EXPECT_EQ(settings_of({{"model", {"a", "b", "c"}}}, RandomOptions{.count = 20, .ranges = {}}, 0).size(), 3u);
}

TEST(SweepPoints, WaysTimesVariedKeysTimesSeeds) {
  const Recipe recipe = parse(toy_sweep());
  const auto points = expand(recipe, read_sweep(*recipe.sweep));
  ASSERT_EQ(points.size(), 8u);
  EXPECT_EQ(points[0].id, "wide_take_per_class=1_seed=3");
  EXPECT_EQ(points[1].id, "flat_take_per_class=1_seed=3");
  EXPECT_EQ(points[7].id, "flat_take_per_class=4_seed=4");
  EXPECT_EQ(points[0].recipe["model"]["widths"], Json::array({16}));
  EXPECT_EQ(points[7].recipe["model"]["widths"], Json::array());
  EXPECT_EQ(points[7].recipe["data"]["take_per_class"], 4);
  EXPECT_EQ(points[7].recipe["seed"], 4);
  EXPECT_FALSE(points[0].recipe.contains("sweep"));
}

TEST(SweepPoints, AMistakeNamesItsPoint) {
  Json json = toy_sweep();
  json["sweep"]["ways"]["wide"] = {{"model.width", 3}};
  const Recipe recipe = parse(json);
  expect_error<ConfigError>([&] { expand(recipe, read_sweep(*recipe.sweep)); },
                            {"point wide_take_per_class=1_seed=3", "\"width\"", "\"widths\""});
  json["sweep"]["ways"]["wide"] = Json::object();
  json["sweep"]["search"] = {{"grid", {{"trainer.stepz", {1, 2}}}}};
  const Recipe searching = parse(json);
  expect_error<ConfigError>([&] { expand(searching, read_sweep(*searching.sweep)); }, {"\"stepz\"", "\"steps\""});
}

// Reference values: any table of Student's t, two-sided 95 %.
TEST(SweepSummary, QuantilesOfT) {
  EXPECT_NEAR(t_quantile_95(1), 12.7062, 1e-4);
  EXPECT_NEAR(t_quantile_95(2), 4.30265, 1e-5);
  EXPECT_NEAR(t_quantile_95(3), 3.18245, 1e-5);
  EXPECT_NEAR(t_quantile_95(4), 2.77645, 1e-5);
  EXPECT_NEAR(t_quantile_95(9), 2.26216, 1e-5);
  EXPECT_NEAR(t_quantile_95(30), 2.04227, 1e-5);
}

Json fabricated(const std::string& way, std::uint64_t seed, double value) {
  return {{"id", way},
          {"way", way},
          {"vary", {{"k", 1}}},
          {"seed", seed},
          {"value", value},
          {"metrics", Json::object()},
          {"chosen", Json::object()},
          {"seconds", 1},
          {"steps", 1}};
}

TEST(SweepSummary, MeansSpreadsAndPairedDifferences) {
  SweepOptions options;
  options.baseline = "b";
  // a − b: 0.1, 0.2, 0.3 by seed; seed 3 has no partner.
  const std::vector<Json> results = {fabricated("a", 0, 0.6), fabricated("b", 0, 0.5), fabricated("a", 1, 0.6),
                                     fabricated("b", 1, 0.4), fabricated("a", 2, 0.9), fabricated("b", 2, 0.6),
                                     fabricated("a", 3, 0.7)};
  const Json json = summarise_points(options, results);
  ASSERT_EQ(json["summary"].size(), 2u);
  const Json& a = json["summary"][0];
  EXPECT_EQ(a["way"], "a");
  EXPECT_EQ(a["n"], 4);
  EXPECT_NEAR(a["mean"].get<double>(), 0.7, 1e-12);
  EXPECT_NEAR(a["spread"].get<double>(), std::sqrt(0.06 / 3), 1e-12);
  ASSERT_EQ(json["paired"].size(), 1u);
  const Json& d = json["paired"][0];
  EXPECT_EQ(d["against"], "b");
  EXPECT_EQ(d["n"], 3);
  EXPECT_NEAR(d["mean"].get<double>(), 0.2, 1e-12);
  EXPECT_NEAR(d["spread"].get<double>(), 0.1, 1e-12);
  EXPECT_NEAR(d["low"].get<double>(), 0.2 - 4.30265 * 0.1 / std::sqrt(3), 1e-5);
  EXPECT_NEAR(d["high"].get<double>(), 0.2 + 4.30265 * 0.1 / std::sqrt(3), 1e-5);
  const Json one = summarise_points(options, {results[0], results[1]});
  EXPECT_TRUE(one["summary"][0]["spread"].is_null());
  EXPECT_TRUE(one["paired"][0]["low"].is_null());
}

TEST(Sweep, RunsReportsAndResumes) {
  const testing::TemporaryFolder folder;
  const fs::path out = fs::path(folder.path()) / "sweep";
  const SweepReport report = run_sweep(toy_sweep(), into(out));
  EXPECT_TRUE(report.failures.empty());
  EXPECT_EQ(report.json["status"], "done");
  EXPECT_EQ(report.json["points"].size(), 8u);
  EXPECT_EQ(report.json["summary"].size(), 4u);
  EXPECT_EQ(report.json["paired"].size(), 2u);
  EXPECT_EQ(report.json["ways"], Json::array({"wide", "flat"}));
  EXPECT_NE(report.text.find("take_per_class=4"), std::string::npos);
  EXPECT_EQ(read_json((out / "sweep.json").string()), report.json);
  EXPECT_TRUE(fs::exists(out / "report.html"));
  expect_error<OutputError>([&] { run_sweep(toy_sweep(), into(out)); }, {"already holds a sweep", "--resume"});

  // The other metric of the same points, once they are evaluated by both.
  Json both = toy_sweep();
  both["evaluate"] = {"accuracy", "cross_entropy"};
  run_sweep(both, into(fs::path(folder.path()) / "both"));
  both["sweep"]["metric"] = "cross_entropy";
  SweepSettings kept_points = into(fs::path(folder.path()) / "both");
  kept_points.resume = true;
  for (const Json& point : run_sweep(both, kept_points).json["points"]) {
    EXPECT_EQ(point["value"], point["metrics"]["cross_entropy"]);
  }

  // One point is lost: it alone runs again, to the same value.
  const fs::path lost = out / "points" / "wide_take_per_class=4_seed=4.json";
  const fs::path kept = out / "points" / "flat_take_per_class=1_seed=3.json";
  fs::remove(lost);
  const auto before = fs::last_write_time(kept);
  SweepSettings settings = into(out, 1);
  settings.resume = true;
  std::vector<std::string> told;
  settings.progress = [&](std::int64_t done, std::int64_t total, const std::string& text) {
    EXPECT_EQ(total, 8);
    EXPECT_LE(done, total);
    told.push_back(text);
  };
  const SweepReport again = run_sweep(toy_sweep(), settings);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0], "7 of 8 points were done before");
  EXPECT_TRUE(fs::exists(lost));
  EXPECT_EQ(fs::last_write_time(kept), before);
  EXPECT_EQ(again.json["summary"], report.json["summary"]);
}

TEST(Sweep, DrawnSettingsAreRankedByValidationData) {
  const testing::TemporaryFolder folder;
  Json json = testing::toy_recipe();
  json["trainer"]["steps"] = 30;
  json["data"]["validation"] = 0.25;
  json["sweep"] = parse_json(R"({"random": {"count": 4, "ranges": {"trainer.optimizer.lr":
                                  {"low": 1e-6, "high": 0.1, "log": true}}}, "on": "validation"})",
                             "sweep");
  const SweepReport report = run_sweep(json, into(fs::path(folder.path()) / "sweep"));
  EXPECT_TRUE(report.failures.empty()) << report.failures[0].message;
  EXPECT_EQ(report.json["on"], "validation");
  EXPECT_EQ(report.json["drawn"], 4);
  ASSERT_EQ(report.json["points"].size(), 4u);
  std::vector<double> values;
  for (const Json& point : report.json["points"]) {
    values.push_back(point["value"]);
    EXPECT_NEAR(values.back() * 12, std::round(values.back() * 12), 1e-9);  // of 12 examples held out
  }
  const std::string first = report.text.substr(report.text.find('\n') + 1);
  EXPECT_TRUE(report.text.starts_with("lr"));
  EXPECT_NE(report.text.find("accuracy (validation)"), std::string::npos) << report.text;
  const auto best = fmt::format("{:.4f}", *std::max_element(values.begin(), values.end()));
  EXPECT_NE(first.substr(0, first.find('\n')).find(best), std::string::npos) << report.text;
  // What was measured is never shown as another metric.
  json["sweep"]["metric"] = "cross_entropy";
  SweepSettings again = into(fs::path(folder.path()) / "sweep");
  again.resume = true;
  expect_error<OutputError>([&] { run_sweep(json, again); }, {"the point that this sweep would run", "another"});
  json["sweep"]["metric"] = "accuracy";
  json["data"].erase("validation");
  expect_error<ConfigError>([&] { run_sweep(json, into(fs::path(folder.path()) / "other")); },
                            {"sweep.on", "validation data"});
}

TEST(Sweep, PointsOfOtherSettingsAreNotMixed) {
  const testing::TemporaryFolder folder;
  const fs::path out = fs::path(folder.path()) / "sweep";
  Json json = toy_sweep();
  json["sweep"]["seeds"] = 1;
  run_sweep(json, into(out));
  json["trainer"]["steps"] = 5;
  SweepSettings settings = into(out);
  settings.resume = true;
  expect_error<OutputError>([&] { run_sweep(json, settings); },
                            {"points", "recipe.trainer.steps: \"4\" there, \"5\" here"});
}

TEST(Sweep, AnAbsentSourceIsSaidBeforeAnythingRuns) {
  const testing::TemporaryFolder folder;
  const fs::path out = fs::path(folder.path()) / "sweep";
  Json json = toy_sweep();
  json["transfer"] = {{"from", "none"}};
  json["sweep"]["ways"]["probe"] = {{"transfer.from", folder.path() + "/absent"}};
  expect_error<FileError>([&] { run_sweep(json, into(out)); }, {"absent"});
  EXPECT_FALSE(fs::exists(out));
}

TEST(Sweep, OneFailedPointLeavesTheRest) {
  const testing::TemporaryFolder folder;
  Json json = toy_sweep();
  json["sweep"]["vary"]["data.take_per_class"] = {1, 13};  // the set has twelve of each class
  json["sweep"]["seeds"] = 1;
  const SweepReport report = run_sweep(json, into(fs::path(folder.path()) / "sweep"));
  EXPECT_EQ(report.json["status"], "failed");
  EXPECT_EQ(report.json["points"].size(), 2u);
  ASSERT_EQ(report.failures.size(), 2u);
  for (const auto& failure : report.failures) {
    EXPECT_EQ(failure.code, Exit::data);
    EXPECT_NE(failure.message.find("13"), std::string::npos) << failure.message;
    EXPECT_EQ(failure.message.find('\n'), std::string::npos);
  }
}

TEST(Sweep, AMetricThatIsNotFiniteFailsItsPointOnly) {
  const testing::TemporaryFolder folder;
  Json json = toy_sweep();
  json["trainer"]["steps"] = 1;
  json["sweep"]["vary"] = {{"trainer.optimizer.lr", {0.01, 1e30}}};
  json["sweep"]["metric"] = "cross_entropy";
  json["sweep"]["seeds"] = 1;
  const SweepReport report = run_sweep(json, into(fs::path(folder.path()) / "sweep"));
  EXPECT_EQ(report.json["status"], "failed");
  // Two layers overflow at that rate; one layer's loss is huge, but a number.
  EXPECT_EQ(report.json["points"].size(), 3u);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_TRUE(report.failures[0].point.starts_with("wide"));
  EXPECT_EQ(report.failures[0].code, Exit::diverged);
  EXPECT_NE(report.failures[0].message.find("a finite cross_entropy"), std::string::npos) << report.failures[0].message;
}

TEST(Sweep, StopsWhenAsked) {
  const testing::TemporaryFolder folder;
  const fs::path out = fs::path(folder.path()) / "sweep";
  Json json = toy_sweep();
  SweepSettings settings = into(out, 1);
  std::int64_t finished = 0;
  settings.progress = [&](std::int64_t done, std::int64_t, const std::string&) { finished = done; };
  settings.stop = [&] { return finished >= 2; };
  const SweepReport report = run_sweep(json, settings);
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.json["status"], "interrupted");
  EXPECT_EQ(report.json["points"].size(), 2u);
  settings.stop = {};
  settings.resume = true;
  EXPECT_EQ(run_sweep(json, settings).json["points"].size(), 8u);
}

TEST(Workers, ADeadProcessFailsItsTaskAlone) {
  const testing::TemporaryFolder folder;
  std::map<std::size_t, Json> ended;
  const bool finished =
      run_in_processes({0, 1, 2, 3, 4}, {.jobs = 2,
                                         .begin = [] {},
                                         .work =
                                             [&](std::size_t task) {
                                               if (task == 1) std::raise(SIGKILL);
                                               if (task == 2) throw DataError({"here", "this", "that", {}});
                                               if (task == 3) throw std::runtime_error("first line\nsecond line");
                                               write_atomically(fs::path(folder.path()) / std::to_string(task), "done");
                                             },
                                         .done = [&](std::size_t task, const Json& failure) { ended[task] = failure; },
                                         .stop = {}});
  EXPECT_TRUE(finished);
  ASSERT_EQ(ended.size(), 5u);
  EXPECT_TRUE(ended[0].is_null());
  EXPECT_TRUE(ended[4].is_null());
  EXPECT_TRUE(fs::exists(fs::path(folder.path()) / "4"));
  EXPECT_EQ(ended[1]["message"], "its process was ended by: Killed");
  EXPECT_EQ(ended[2]["code"], static_cast<int>(Exit::data));
  EXPECT_EQ(ended[3]["message"], "internal error: first line");
}

class Search : public ::testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(1); }
  // One point with a grid of a rate that learns and one that does not move.
  static Json point(const Json& grid, std::int64_t labels, const testing::ToyOptions& toy = {}) {
    Json json = testing::toy_recipe();
    json["trainer"]["steps"] = 30;
    json["data"]["take_per_class"] = labels;
    json["sweep"] = {{"search", {{"grid", grid}, {"folds", 2}}}};
    const Recipe recipe = parse(json);
    const SweepOptions options = read_sweep(*recipe.sweep);
    return run_point(expand(recipe, options).at(0), options, Json(),
                     {.device = "cpu", .artefacts = false, .data = testing::toy_cache(toy)});
  }
};

TEST_F(Search, ChoosesByTheLabelsAtHand) {
  const Json result = point({{"trainer.optimizer.lr", {0, 0.03}}}, 4);
  EXPECT_EQ(result["chosen"]["trainer.optimizer.lr"], 0.03);
  ASSERT_EQ(result["search"].size(), 2u);
  EXPECT_EQ(result["search"][0]["scores"].size(), 2u);
  EXPECT_GT(result["search"][1]["mean"].get<double>(), result["search"][0]["mean"].get<double>());
  EXPECT_EQ(result["data"]["train"], 16);  // the final run has all labels
  EXPECT_GT(result["value"].get<double>(), 0.8);
}

TEST_F(Search, NeverSeesTestLabels) {
  const Json grid{{"trainer.optimizer.lr", {0.001, 0.03}}};
  Json a = point(grid, 4), b = point(grid, 4, {.random_test_labels = true});
  EXPECT_NE(a["value"], b["value"]);
  for (Json* result : {&a, &b}) (*result)["training"].erase("seconds");
  for (const char* key : {"chosen", "search", "training"}) EXPECT_EQ(a[key], b[key]) << key;
}

TEST_F(Search, OneLabelAClassTakesTheFirstValues) {
  const Json result = point({{"trainer.optimizer.lr", {0.001, 0.03}}, {"trainer.steps", {7, 30}}}, 1);
  EXPECT_EQ(result["chosen"], (Json{{"trainer.optimizer.lr", 0.001}, {"trainer.steps", 7}}));
  EXPECT_EQ(result["steps"], 7);
  EXPECT_TRUE(result["search"].empty());
}

TEST_F(Search, DrawsItsCandidates) {
  Json json = testing::toy_recipe();
  json["trainer"]["steps"] = 30;
  json["data"]["take_per_class"] = 4;
  json["sweep"] = parse_json(R"({"search": {"random": {"count": 3, "ranges": {"trainer.optimizer.lr":
                                  {"low": 1e-6, "high": 0.1, "log": true}}}}})",
                             "sweep");
  const Recipe recipe = parse(json);
  const SweepOptions options = read_sweep(*recipe.sweep);
  const Json result = run_point(expand(recipe, options).at(0), options, Json(),
                                {.device = "cpu", .artefacts = false, .data = testing::toy_cache()});
  ASSERT_EQ(result["search"].size(), 3u);
  double best = 0;
  Json chosen;
  for (const Json& tried : result["search"]) best = std::max(best, tried["mean"].get<double>());
  for (const Json& tried : result["search"]) {
    if (tried["settings"] == result["chosen"]) chosen = tried["mean"];
  }
  EXPECT_EQ(chosen, best);
}

TEST_F(Search, ASettingThatDivergesIsNotChosen) {
  const Json result = point({{"trainer.optimizer.lr", {1e300, 0.03}}}, 4);
  EXPECT_EQ(result["chosen"]["trainer.optimizer.lr"], 0.03);
  EXPECT_TRUE(result["search"][0]["mean"].is_null());
}

}  // namespace
}  // namespace vaetl::recipe
