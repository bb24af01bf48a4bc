// A resumed run equals an uninterrupted one, bit for bit, from any step.
#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/delta.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/l2_sp.hpp"
#include "vaetl/objectives/simclr.hpp"

namespace vaetl::testing::resume_test {
namespace {

struct Case {
  std::string name, model;
  Json options;
  std::function<std::shared_ptr<Objective>()> objective;
  std::int64_t views = 1;
  Tuning tuning = {};
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"classifier_with_dropout_and_norm",
       "cnn",
       {{"channels", {4}}, {"dense", {8}}, {"classes", 4}, {"dropout", 0.3}, {"batch_norm", true}},
       [] { return make<objectives::CrossEntropy>(); }},
      {"vae", "conv_vae", {{"channels", {4}}, {"dense", {8}}, {"latent", 3}}, [] { return make<objectives::Elbo>(); }},
      {"contrastive_with_projection",
       "cnn",
       {{"channels", {4}}, {"dense", {8}}, {"classes", 0}},
       [] {
         return make<objectives::SimClr>({.projection = {8, 4}});
       },
       2},
      {"thawing",
       "cnn",
       {{"channels", {4, 4}}, {"dense", {8}}, {"classes", 4}},
       [] { return make<objectives::CrossEntropy>(); },
       1,
       {{.groups = "backbone", .train = false},
        {.groups = "encoder.2", .lr_scale = 0.1, .from = 1, .unit = "epochs"},
        {.groups = "encoder.1", .from = 2, .unit = "epochs"}}},
      {"probe_with_cached_features",
       "cnn",
       {{"channels", {4}}, {"dense", {8}}, {"classes", 4}, {"batch_norm", true}},
       [] { return make<objectives::CrossEntropy>(); },
       1,
       {{.groups = "backbone", .train = false}}},
      // 15 steps: groups thaw within epochs too
      {"gradual_by_share",
       "cnn",
       {{"channels", {4, 4}}, {"dense", {8}}, {"classes", 4}, {"batch_norm", true}},
       [] { return make<objectives::CrossEntropy>(); },
       1,
       {{.groups = "backbone", .train = false},
        {.groups = "encoder.2", .lr_scale = 0.5, .from = 0.2},
        {.groups = "encoder.1", .lr_scale = 0.25, .norm = "frozen", .from = 0.45},
        {.groups = "encoder.0", .lr_scale = 0.1, .norm = "statistics", .from = 12, .unit = "steps"}}},
      {"drawn_to_its_start",
       "cnn",
       {{"channels", {4}}, {"dense", {8}}, {"classes", 4}},
       [] { return make<objectives::CrossEntropy>() + make<objectives::L2Sp>({.alpha = 1, .beta = 0.1}); }},
      {"held_near_its_source", "cnn", {{"channels", {4}}, {"dense", {8}}, {"classes", 4}, {"batch_norm", true}}, [] {
         return make<objectives::CrossEntropy>() + make<objectives::Delta>({.alpha = 1});
       }}};
  return all;
}

Pipeline data_for(const Case& c) {
  Stream stream{.data = blobs(70), .views = c.views};
  if (c.views > 1) stream.augment = {{"shift", {{"pixels", 2}}}, {"flip", Json::object()}};
  return Pipeline({stream});
}

TrainerOptions options(const std::string& directory) {
  return {.epochs = 3,
          .batch_size = 16,
          .lr_curve = Schedule::cosine(0.2),
          .clip_norm = 1.0,
          .device = "cpu",
          .directory = directory,
          .resume = directory.empty() ? "never" : "auto",
          .checkpoint_every = 3,
          .log_every = 2,
          .validate_every = 2};
}

class Resume : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Resume, FromEveryKindOfStepEqualsTheUninterruptedRun) {
  const Case& c = cases()[GetParam()];
  auto whole = small(c.model, c.options);
  const vaetl::Run straight = Trainer(options("")).fit(whole, c.objective(), data_for(c), c.tuning);
  for (const std::int64_t stop : {1, 4, 5, 9, 14}) {  // 5 steps an epoch: inside, at its end, in the last
    TemporaryFolder folder;
    const auto run_options = options(folder.path());
    auto first = small(c.model, c.options);
    EXPECT_TRUE(Trainer(run_options, {std::make_shared<StopAt>(stop)})
                    .fit(first, c.objective(), data_for(c), c.tuning)
                    .interrupted);
    auto second = small(c.model, c.options, 99);  // other initial weights: all must come from the checkpoint
    const vaetl::Run rest = Trainer(run_options).fit(second, c.objective(), data_for(c), c.tuning);
    EXPECT_EQ(rest.resumed_from, stop);
    EXPECT_EQ(checksum(*second), checksum(*whole)) << c.name << " stopped after " << stop;
    ASSERT_EQ(rest.history.size(), straight.history.size());
    for (std::size_t i = 0; i < rest.history.size(); ++i) {
      EXPECT_EQ(rest.history[i].at("loss"), straight.history[i].at("loss"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Resume, ::testing::Range<std::size_t>(0, 8),
                         [](const auto& test) { return cases()[test.param].name; });

Run resume_with(const std::string& directory, const Json& model, const TrainerOptions& changed) {
  TrainerOptions all = changed;
  all.directory = directory;
  return Trainer(all).fit(small("mlp", model), make<objectives::CrossEntropy>(), blobs(64));
}

TEST(ResumeErrors, AnotherModelAnotherSeedAndNoCheckpoint) {
  TemporaryFolder folder;
  const std::string path = folder.path();
  const Json model = {{"widths", {8}}, {"classes", 4}};
  resume_with(path, model, {.epochs = 1, .device = "cpu"});
  expect_error<FileError>(
      [&] {
        resume_with(path, {{"widths", {9}}, {"classes", 4}}, {.epochs = 2, .device = "cpu", .resume = "must"});
      },
      {"state.json", "checkpoint of", "\"widths\":[9]", "\"widths\":[8]"});
  expect_error<ConfigError>(
      [&] { resume_with(path, model, {.epochs = 2, .device = "cpu", .resume = "must", .seed = 5}); },
      {"resume", "and seed 0", "and 5", "same data, batch size and seed"});
  TemporaryFolder empty;
  expect_error<FileError>([&] { resume_with(empty.path(), model, {.epochs = 1, .device = "cpu", .resume = "must"}); },
                          {"checkpoints/last", "a checkpoint to go on from", "none"});
}

TEST(ResumeErrors, ADamagedCheckpointIsNamed) {
  TemporaryFolder folder;
  const std::string path = folder.path();
  const Json model = {{"widths", {8}}, {"classes", 4}};
  resume_with(path, model, {.epochs = 1, .device = "cpu"});
  const auto weights = std::filesystem::path(folder.path()) / "checkpoints/last/model.safetensors";
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) - 4);
  expect_error<FileError>([&] { resume_with(path, model, {.epochs = 2, .device = "cpu", .resume = "must"}); },
                          {"model.safetensors"});
  write_atomically(std::filesystem::path(folder.path()) / "checkpoints/last/state.json", "{\"format\": 99}");
  expect_error<FileError>([&] { resume_with(path, model, {.epochs = 2, .device = "cpu", .resume = "must"}); },
                          {"state.json", "format 1 to 2", "99"});
}

TEST(Resume, MoreEpochsGoOnFromAFinishedRun) {
  TemporaryFolder folder;
  const std::string path = folder.path();
  const Json model = {{"widths", {8}}, {"classes", 4}};
  resume_with(path, model, {.epochs = 1, .device = "cpu"});
  EXPECT_EQ(resume_with(path, model, {.epochs = 1, .device = "cpu", .resume = "auto"}).steps, 1);
  const vaetl::Run more = resume_with(path, model, {.epochs = 3, .device = "cpu", .resume = "auto"});
  EXPECT_EQ(more.resumed_from, 1);
  EXPECT_EQ(more.steps, 3);
}

TEST(Resume, AFolderThatCannotBeWrittenIsAnOutputError) {
  TemporaryFolder folder;
  write_atomically(std::filesystem::path(folder.path()) / "file", "x");
  expect_error<OutputError>(
      [&] {
        resume_with(folder.path() + "/file", {{"widths", {8}}, {"classes", 4}}, {.device = "cpu"});
      },
      {"file"});
}

}  // namespace
}  // namespace vaetl::testing::resume_test
