// A head that is solved before training: alone it is the linear probe, and what trains after it starts from there.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/recipe/prepare.hpp"
#include "vaetl/recipe/run.hpp"
#include "vaetl/recipe/sweep_parts.hpp"
#include "vaetl/train/features.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::recipe::solve_head_test {
namespace {

using testing::expect_error;

namespace fs = std::filesystem;

struct CountNotices final : Callback {
  void on_notice(vaetl::Progress& p) override { solved += p.notice.starts_with("the head was solved"); }
  int solved = 0;
};

struct StopHere final : Callback {
  explicit StopHere(std::int64_t at) : step(at) {}
  void on_step(vaetl::Progress& progress) override { progress.stop = progress.step == step; }
  std::int64_t step;
};

class SolveHead : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    at::set_num_threads(1);
    folder_ = new testing::TemporaryFolder;
    run(parse(testing::toy_vae_recipe()), settings(in("vae")));
  }
  static void TearDownTestSuite() { delete std::exchange(folder_, nullptr); }
  static fs::path in(const std::string& name) { return fs::path(folder_->path()) / name; }
  static RunSettings settings(const fs::path& out, std::vector<std::shared_ptr<Callback>> callbacks = {}) {
    return {.out = out, .device = "cpu", .callbacks = std::move(callbacks), .data = testing::toy_cache()};
  }
  // Labelled pictures, a new head on the VAE's encoder; nothing is trained after it unless `steps` says so.
  static Json recipe(std::int64_t steps = 0) {
    Json json = testing::toy_recipe();
    json.erase("model");
    json["transfer"] = {{"from", in("vae").string()}, {"heads", {{{"classes", 4}}}}, {"solve_head", Json::object()}};
    json["trainer"]["steps"] = steps;
    json["trainer"]["epochs"] = 0;
    return json;
  }
  static testing::TemporaryFolder* folder_;
};
testing::TemporaryFolder* SolveHead::folder_ = nullptr;

bool equal_weights(const Model& a, const Model& b) {
  const Weights x = state(a), y = state(b);
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](const auto& p, const auto& q) { return p.first == q.first && at::equal(p.second, q.second); });
}

// What is scored on a fold is what the point itself will be.
TEST_F(SolveHead, IsSolvedInEachFoldOfASearchToo) {
  Json json = recipe();
  json["sweep"] = {{"search", {{"grid", {{"transfer.solve_head", {{{"l2", {1e6}}}, {{"l2", {0.1}}}}}}}, {"folds", 2}}}};
  const Recipe parsed = parse(json);
  const SweepOptions options = read_sweep(*parsed.sweep);
  const Json result = run_point(expand(parsed, options).at(0), options, Json(),
                                {.device = "cpu", .artefacts = false, .data = testing::toy_cache()});
  ASSERT_EQ(result["search"].size(), 2u);
  // A fresh head, which no step trains, would score the same whatever the penalty.
  EXPECT_NE(result["search"][0]["scores"], result["search"][1]["scores"]);
  EXPECT_GT(result["search"][1]["mean"].get<double>(), 0.4);  // chance is 0.25
}

TEST_F(SolveHead, AloneIsTheLinearProbe) {
  const fs::path out = in("probe");
  const auto notices = std::make_shared<CountNotices>();
  const Outcome outcome = run(parse(recipe()), settings(out, {notices}));
  EXPECT_EQ(outcome.summary["steps"], 0);
  EXPECT_EQ(outcome.summary["status"], "done");
  EXPECT_EQ(notices->solved, 1);
  EXPECT_GT(outcome.summary["metrics"]["accuracy"].get<double>(),
            0.5);  // of 8 features of a VAE of 6 steps; chance is 0.25
  const Json head = outcome.summary["transfer"]["head"];
  EXPECT_GT(head["validation"]["accuracy"].get<double>(), 0.5);
  EXPECT_GT(head["tried"].size(), 3u);
  EXPECT_EQ(read_json((out / "head.json").string()), head);
  const std::string page = testing::file_bytes((out / "report.html").string());
  EXPECT_NE(page.find("The head was solved to its optimum first: l2 "), std::string::npos);
  // The head is the optimum of the features, the encoder that of the source.
  const auto cache = testing::toy_cache();
  const SolvedHead again = solve_probe(extract(*outcome.model, testing::toy_splits().train), 4, {}, 3);
  EXPECT_TRUE(at::equal(state(*outcome.model).at("head.weight"), again.weight));
  EXPECT_TRUE(at::equal(state(*outcome.model).at("encoder.0.dense.weight"),
                        state(*zoo::load(in("vae").string()).model).at("encoder.0.dense.weight")));
  EXPECT_TRUE(equal_weights(*zoo::load(out.string()).model, *outcome.model));
}

TEST_F(SolveHead, TrainingBeginsThere) {
  const Outcome probe = run(parse(recipe()), settings({}));
  Json json = recipe(1);
  json["trainer"]["optimizer"]["lr"] = 1e-5;
  const Outcome tuned = run(parse(json), settings({}));
  const at::Tensor before = state(*probe.model).at("head.weight"), after = state(*tuned.model).at("head.weight");
  EXPECT_FALSE(at::equal(before, after));
  EXPECT_LE((before - after).abs().max().item<double>(), 1.1e-5 * 1.1) << "one step of Adam moves a weight by its rate";
}

TEST_F(SolveHead, AResumedRunRepeatsTheBitsAndSolvesNothing) {
  const Json json = recipe(9);
  const Outcome straight = run(parse(json), settings(in("straight")));
  const auto notices = std::make_shared<CountNotices>();
  run(parse(json), settings(in("halting"), {std::make_shared<StopHere>(4), notices}));
  RunSettings again = settings(in("halting"), {notices});
  again.resume = "must";
  const Outcome resumed = run(parse(json), again);
  EXPECT_EQ(resumed.summary["resumed_from"], 4);
  EXPECT_EQ(notices->solved, 1) << "the checkpoint has the head";
  EXPECT_TRUE(equal_weights(*resumed.model, *straight.model));
  Json head = resumed.summary["transfer"]["head"], expected = straight.summary["transfer"]["head"];
  head.erase("seconds");
  expected.erase("seconds");
  EXPECT_EQ(head, expected);
}

TEST_F(SolveHead, IsToldByThePlanAndTheResolvedRecipe) {
  const Json resolved = resolve(parse(recipe()));
  EXPECT_EQ(resolved["transfer"]["solve_head"]["l2"].size(), ProbeOptions().l2.size());
  EXPECT_NE(plan(parse(recipe()), settings({})).text.find("head     solved to its optimum"), std::string::npos);
  Json without = recipe();
  without["transfer"].erase("solve_head");
  EXPECT_FALSE(resolve(parse(without))["transfer"].contains("solve_head"));
}

TEST_F(SolveHead, SaysBeforehandWhatItLacks) {
  Json json = recipe();
  json["transfer"]["heads"][0]["hidden"] = {8};
  expect_error<ConfigError>([&] { run(parse(json), settings({})); }, {"transfer.solve_head: expected a linear head"});
  json = recipe();
  json["transfer"]["solve_head"] = {{"fold", 3}};
  expect_error<ConfigError>([&] { parse(json); }, {"transfer.solve_head", "\"fold\"", "folds"});
  json["transfer"]["solve_head"] = {{"l2", Json::array()}};
  expect_error<ConfigError>([&] { parse(json); }, {"solve_head.l2: expected at least one strength"});
}

TEST_F(SolveHead, NothingTrainedIsLegalWithoutItToo) {
  Json json = testing::toy_recipe();
  json["trainer"]["steps"] = 0;
  json["trainer"]["epochs"] = 0;
  json["data"]["validation"] = 0.25;
  json["trainer"]["monitor"] = "accuracy";
  const Outcome outcome = run(parse(json), settings(in("untrained")));
  EXPECT_EQ(outcome.summary["steps"], 0);
  EXPECT_EQ(outcome.run.history.size(), 1u) << "one entry, of the model as it came";
  EXPECT_TRUE(outcome.summary["training"].contains("validation.accuracy"));
  EXPECT_TRUE(outcome.summary["transfer"].is_null());
}

TEST_F(SolveHead, NeighboursAreAMetricOfARun) {
  Json json = recipe();
  json["evaluate"] = {"accuracy", "knn?k=3", "knn"};
  const Outcome outcome = run(parse(json), settings({}));
  EXPECT_GT(outcome.summary["metrics"]["knn?k=3"].get<double>(), 0.4);
  EXPECT_GT(outcome.summary["metrics"]["knn"].get<double>(), 0.4);
  json["trainer"] = {{"steps", 6}, {"batch_size", 16}, {"monitor", "knn?k=3"}, {"validate_every", 1}};
  json["data"]["validation"] = 0.25;
  json["transfer"]["freeze"] = {"backbone"};  // its features are cached, those of the training data besides
  const Outcome watched = run(parse(json), settings({}));
  EXPECT_TRUE(watched.summary["training"].contains("validation.knn?k=3"));
  Json unlabelled = testing::toy_vae_recipe();
  unlabelled["evaluate"] = {"knn"};
  expect_error<ConfigError>([&] { run(parse(unlabelled), settings({})); },
                            {"metric knn: expected labels of the training data"});
}

}  // namespace
}  // namespace vaetl::recipe::solve_head_test
