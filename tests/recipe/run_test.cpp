#include "vaetl/recipe/run.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/recipe/folder.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::recipe {
namespace {

using testing::expect_error;
using testing::file_bytes;
using testing::toy_cache;
using testing::toy_recipe;

namespace fs = std::filesystem;

// Quick: no pictures and no page.
RunSettings bare(const fs::path& out = {}) {
  return {.out = out, .device = "cpu", .artefacts = false, .data = toy_cache()};
}
RunSettings full(const fs::path& out) { return {.out = out, .device = "cpu", .data = toy_cache()}; }

bool same_weights(const Model& a, const Model& b) {
  const Weights x = state(a), y = state(b);
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](const auto& p, const auto& q) { return p.first == q.first && at::equal(p.second, q.second); });
}

// Asks for an end after so many steps.
struct StopAt final : Callback {
  explicit StopAt(std::int64_t at) : step(at) {}
  void on_step(Progress& progress) override { progress.stop = progress.step == step; }
  std::int64_t step;
};

class RunTest : public ::testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(1); }  // so small a model gains nothing from more
};

TEST_F(RunTest, LearnsAndFillsTheFolder) {
  const testing::TemporaryFolder folder;
  const fs::path out = fs::path(folder.path()) / "run";
  Json json = toy_recipe();
  json["trainer"]["steps"] = 60;
  RunSettings settings = full(out);
  settings.command = "vaetl-train toy.json";
  const Outcome outcome = run(parse(json), settings);
  const Json summary = read_json((out / "run.json").string());
  EXPECT_EQ(summary, outcome.summary);
  EXPECT_EQ(summary["kind"], "train");
  EXPECT_EQ(summary["status"], "done");
  EXPECT_EQ(summary["steps"], 60);
  EXPECT_EQ(summary["epochs"], 20);
  EXPECT_TRUE(summary["resumed_from"].is_null());
  EXPECT_EQ(summary["data"]["train"], 48);
  EXPECT_EQ(summary["data"]["test"], 40);
  EXPECT_EQ(summary["model"]["groups"].back()["name"], "head");
  EXPECT_EQ(summary["threads"], at::get_num_threads());
  EXPECT_EQ(summary["command"], "vaetl-train toy.json");
  EXPECT_GT(summary["metrics"]["accuracy"].get<double>(), 0.9);  // chance is 0.25
  for (const char* name : {"recipe.json", "metrics.jsonl", "report.html", "model/model.json", "model/recipe.json"}) {
    EXPECT_TRUE(fs::exists(out / name)) << name;
  }
  EXPECT_EQ(recorded_threads(out), at::get_num_threads());
  EXPECT_EQ(recorded_threads(folder.path()), 0);
  const Pretrained loaded = zoo::load(out.string());
  EXPECT_TRUE(same_weights(*loaded.model, *outcome.model));
  EXPECT_EQ(loaded.card.metrics.at("accuracy").value, summary["metrics"]["accuracy"].get<double>());
  EXPECT_EQ(loaded.card.classes, (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(RunTest, TheSameRecipeGivesTheSameBytes) {
  const testing::TemporaryFolder folder;
  const fs::path base = folder.path();
  run(parse(toy_recipe()), full(base / "a"));
  run(parse(toy_recipe()), full(base / "b"));
  run(read(base / "a" / "recipe.json"), full(base / "again"));
  Json other = toy_recipe();
  other["seed"] = 4;
  run(parse(other), full(base / "other"));
  const auto weights = [&](const char* name) { return file_bytes(base / name / "model" / "model.safetensors"); };
  EXPECT_EQ(weights("a"), weights("b"));
  EXPECT_EQ(weights("a"), weights("again"));
  EXPECT_NE(weights("a"), weights("other"));
  EXPECT_EQ(file_bytes(base / "a" / "recipe.json"), file_bytes(base / "again" / "recipe.json"));
}

TEST_F(RunTest, DroppedLabelsAreNeverRead) {
  RunSettings shuffled = bare();
  shuffled.data = toy_cache({.random_train_labels = true});
  const Recipe unlabelled = parse(testing::toy_vae_recipe());
  EXPECT_TRUE(same_weights(*run(unlabelled, bare()).model, *run(unlabelled, shuffled).model));
  const Recipe labelled = parse(toy_recipe());  // where labels are read, the same change does show
  EXPECT_FALSE(same_weights(*run(labelled, bare()).model, *run(labelled, shuffled).model));
}

TEST_F(RunTest, TestLabelsChangeNothingButTheScore) {
  Json json = toy_recipe();
  json["data"]["validation"] = 0.25;
  json["trainer"]["monitor"] = "accuracy";
  RunSettings shuffled = bare();
  shuffled.data = toy_cache({.random_test_labels = true});
  const Outcome a = run(parse(json), bare()), b = run(parse(json), shuffled);
  EXPECT_TRUE(same_weights(*a.model, *b.model));
  EXPECT_NE(a.summary["metrics"], b.summary["metrics"]);
  Json training_a = a.summary["training"], training_b = b.summary["training"];
  training_a.erase("seconds");
  training_b.erase("seconds");
  EXPECT_EQ(training_a, training_b);
  EXPECT_TRUE(training_a.contains("validation.accuracy"));
}

TEST_F(RunTest, InterruptedAndResumedEqualsUninterrupted) {
  const testing::TemporaryFolder folder;
  const fs::path base = folder.path();
  run(parse(toy_recipe()), full(base / "whole"));
  RunSettings settings = full(base / "cut");
  settings.callbacks = {std::make_shared<StopAt>(5)};
  const Outcome cut = run(parse(toy_recipe()), settings);
  EXPECT_EQ(cut.summary["status"], "interrupted");
  EXPECT_FALSE(fs::exists(base / "cut" / "model"));
  settings.callbacks.clear();
  expect_error<OutputError>([&] { run(parse(toy_recipe()), settings); }, {"already holds a run", "--resume"});
  settings.resume = "must";
  const Outcome resumed = run(parse(toy_recipe()), settings);
  EXPECT_EQ(resumed.summary["resumed_from"], 5);
  EXPECT_EQ(resumed.summary["status"], "done");
  EXPECT_EQ(file_bytes(base / "whole" / "model" / "model.safetensors"),
            file_bytes(base / "cut" / "model" / "model.safetensors"));
}

// Asks for an end while the trained model is scored.
struct StopScoring final : Callback {
  void on_wait(Progress& progress) override { progress.stop = true; }
};

TEST_F(RunTest, AnEndAskedForDuringTheScoringLeavesARunThatGoesOn) {
  const testing::TemporaryFolder folder;
  const fs::path base = folder.path();
  const Json whole = run(parse(toy_recipe()), full(base / "whole")).summary;
  RunSettings settings = full(base / "cut");
  settings.callbacks = {std::make_shared<StopScoring>()};
  EXPECT_EQ(run(parse(toy_recipe()), settings).summary["status"], "interrupted");
  EXPECT_FALSE(fs::exists(base / "cut" / "model"));
  settings.callbacks.clear();
  settings.resume = "must";
  const Json resumed = run(parse(toy_recipe()), settings).summary;
  EXPECT_EQ(resumed["status"], "done");
  EXPECT_EQ(resumed["metrics"], whole["metrics"]);
}

TEST_F(RunTest, AFinishedRunIsNotRepeated) {
  const testing::TemporaryFolder folder;
  const fs::path out = fs::path(folder.path()) / "run";
  RunSettings settings = full(out);
  const Outcome first = run(parse(toy_recipe()), settings);
  expect_error<OutputError>([&] { run(parse(toy_recipe()), settings); },
                            {out.string(), "already holds a run", "choose another --out, or --resume"});
  settings.resume = "auto";
  const auto before = fs::last_write_time(out / "run.json");
  const Outcome second = run(parse(toy_recipe()), settings);
  EXPECT_EQ(fs::last_write_time(out / "run.json"), before);
  EXPECT_EQ(second.summary["complete"], true);
  EXPECT_EQ(second.summary["metrics"], first.summary["metrics"]);
  EXPECT_TRUE(same_weights(*second.model, *first.model));
  Json other = toy_recipe();
  other["trainer"]["steps"] = 20;
  expect_error<ConfigError>([&] { run(parse(other), settings); },
                            {out.string(), "another: trainer.steps: \"12\" there, \"20\" here"});
}

TEST_F(RunTest, FoldersThatCannotBeUsed) {
  const testing::TemporaryFolder folder;
  const fs::path base = folder.path();
  folder.file("note.txt", "mine");
  expect_error<OutputError>([&] { run(parse(toy_recipe()), bare(base)); }, {"one that holds other files"});
  expect_error<OutputError>([&] { run(parse(toy_recipe()), bare(base / "note.txt")); }, {"note.txt"});
  RunSettings must = bare(base / "absent");
  must.resume = "must";
  expect_error<FileError>([&] { run(parse(toy_recipe()), must); }, {"a run to go on from", "none"});
  // A recipe that fails before training leaves no folder behind.
  Json broken = toy_recipe();
  broken["data"]["take_per_class"] = 1000;
  expect_error<DataError>([&] { run(parse(broken), bare(base / "new")); });
  EXPECT_FALSE(fs::exists(base / "new"));
}

TEST_F(RunTest, OneProcessAFolder) {
  const testing::TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    [[maybe_unused]] const auto written = ::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  expect_error<OutputError>([&] { FolderLock lock(folder.path()); }, {folder.path(), "another process at work there"});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_NO_THROW(FolderLock lock(folder.path()));  // the lock ends with its process
}

TEST_F(RunTest, MetricsAreCheckedBeforeTraining) {
  Json json = toy_recipe();
  json["evaluate"] = {"elbo"};
  expect_error<ConfigError>([&] { run(parse(json), bare()); }, {"metric elbo", "Variational"});
  RunSettings settings = bare();
  settings.data = std::make_shared<DataCache>();
  Splits splits = testing::toy_splits();
  settings.data->put("toy", {splits.train, splits.validation, splits.validation});
  expect_error<DataError>([&] { run(parse(toy_recipe()), settings); }, {"evaluate", "a test split", "none"});
}

TEST_F(RunTest, PicturesFollowFromCapabilities) {
  const testing::TemporaryFolder folder;
  const fs::path base = folder.path();
  run(parse(testing::toy_vae_recipe()), full(base / "vae"));
  const Json captions = read_json((base / "vae" / "pictures" / "captions.json").string());
  for (const char* name : {"samples.png", "reconstructions.png", "latent_walk.png", "odd_ones.png"}) {
    ASSERT_TRUE(captions.contains(name)) << name;
    const at::Tensor image = read_png(base / "vae" / "pictures" / name);
    EXPECT_EQ(image.size(0), 1) << name;
    EXPECT_GT(image.size(2), 10 * 8) << name;
  }
  EXPECT_FALSE(captions.contains("mistakes.png"));
  Json json = toy_recipe();
  json["trainer"]["steps"] = 1;  // too few to be right everywhere
  run(parse(json), full(base / "mlp"));
  const Json mistakes = read_json((base / "mlp" / "pictures" / "captions.json").string());
  ASSERT_EQ(mistakes.size(), 1u);
  EXPECT_NE(mistakes["mistakes.png"].get<std::string>().find(" as "), std::string::npos);
}

TEST_F(RunTest, PlanSaysWhatARunWouldDo) {
  const testing::TemporaryFolder folder;
  const fs::path out = fs::path(folder.path()) / "run";
  const Plan result = plan(parse(toy_recipe()), bare(out));
  EXPECT_FALSE(fs::exists(out));
  EXPECT_EQ(result.json["steps"], 12);
  EXPECT_EQ(result.json["steps_per_epoch"], 3);
  EXPECT_TRUE(result.json["one_step"]["terms"].contains("loss"));
  for (const char* part : {"48 to train, 40 to test", "(1, 8, 8) uint8", "4 classes", "mlp, 556 parameters", "head",
                           "12 steps (4 epochs of 3), batches of 16, adamw", "a new run"}) {
    EXPECT_NE(result.text.find(part), std::string::npos) << part << "\n" << result.text;
  }
  Json wrong = toy_recipe();
  wrong["model"]["input"] = {1, 9, 9};
  expect_error<DataError>([&] { plan(parse(wrong), bare(out)); }, {"(1, 9, 9)", "(1, 8, 8)"});
  const std::string file = folder.file("f", "");
  expect_error<OutputError>([&] { plan(parse(toy_recipe()), bare(fs::path(file) / "run")); }, {"can be written", file});
}

// All that training would say of the data, not only of a batch; and no more than it would.
TEST_F(RunTest, PlanTellsTheMistakesThatTrainingWould) {
  Json recipe = toy_recipe();
  recipe["data"]["validation"] = 0.25;
  recipe["data"]["order"] = "sequential";
  recipe["trainer"]["lr_curve"] = 0;
  recipe["trainer"]["patience"] = 2;
  recipe["trainer"]["monitor"] = "cross_entropy";
  recipe["trainer"]["on_divergence"] = "rewind";
  const testing::TemporaryFolder folder;
  const Json told = plan(parse(recipe), bare()).json["one_step"]["warnings"];
  EXPECT_EQ(told, run(parse(recipe), bare(fs::path(folder.path()) / "run")).summary["warnings"]);
  EXPECT_FALSE(told.empty());
}

}  // namespace
}  // namespace vaetl::recipe
