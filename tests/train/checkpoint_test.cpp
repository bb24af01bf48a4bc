// What is written, how long it holds up the training, and what an earlier version wrote.
#include "vaetl/train/checkpoint.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>

#include <set>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/objectives/adversarial.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/background_writer.hpp"

namespace vaetl::testing::checkpoint_test {
namespace {

namespace fs = std::filesystem;

const Json kept_mlp = {{"widths", {8}}, {"classes", 4}};

Run fit_kept(const TrainerOptions& options, std::vector<std::shared_ptr<Callback>> callbacks = {},
             std::shared_ptr<Model> model = small("mlp", kept_mlp)) {
  return Trainer(options, std::move(callbacks)).fit(std::move(model), make<objectives::CrossEntropy>(), blobs(70));
}

TrainerOptions keeping(const std::string& directory, std::int64_t keep) {
  return {.epochs = 3,
          .batch_size = 16,
          .device = "cpu",
          .directory = directory,
          .resume = "auto",
          .checkpoint_every = 2,
          .keep = keep};
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

TEST(Checkpoint, KeepsTheNewestOnes) {
  const TemporaryFolder none, some;
  fit_kept(keeping(none.path(), 0));
  EXPECT_EQ(names_in(none.path() + "/checkpoints"), std::set<std::string>{"last"});
  fit_kept(keeping(some.path(), 3));
  const fs::path folder = fs::path(some.path()) / "checkpoints";
  EXPECT_EQ(names_in(folder), (std::set<std::string>{"last", "step-12", "step-14", "step-15"}));
  EXPECT_EQ(read_json((folder / "step-12/state.json").string())["step"], 12);
  EXPECT_EQ(names_in(folder / "step-12"), names_in(folder / "last"));
}

// A new start in a used folder: what an abandoned training left at later steps must not take the place of what is new.
TEST(Checkpoint, LaterOnesOfAnotherWayAreDropped) {
  const TemporaryFolder folder;
  fit_kept(keeping(folder.path(), 3));
  TrainerOptions anew = keeping(folder.path(), 3);
  anew.resume = "never";
  anew.epochs = 1;
  fit_kept(anew);
  EXPECT_EQ(names_in(folder.path() + "/checkpoints"), (std::set<std::string>{"last", "step-2", "step-4", "step-5"}));
}

// An older one is gone on from by putting it in the place of the last.
TEST(Checkpoint, AnOlderOneIsGoneOnFrom) {
  const TemporaryFolder folder;
  auto whole = small("mlp", kept_mlp), again = small("mlp", kept_mlp, 99);
  fit_kept(keeping(folder.path(), 3), {}, whole);
  const fs::path checkpoints = fs::path(folder.path()) / "checkpoints";
  fs::remove_all(checkpoints / "last");
  fs::copy(checkpoints / "step-12", checkpoints / "last");
  EXPECT_EQ(fit_kept(keeping(folder.path(), 3), {}, again).resumed_from, 12);
  EXPECT_EQ(checksum(*again), checksum(*whole));
}

TEST(Checkpoint, UnfinishedOnesOfAKilledWriterAreRemoved) {
  const TemporaryFolder folder;
  const fs::path left = fs::path(folder.path()) / "checkpoints/.vaetl-0123456789abcdef.tmp";
  fs::create_directories(left);
  fit_kept(keeping(folder.path(), 0));
  EXPECT_FALSE(fs::exists(left));
}

// What training changes while the copy is written does not reach the file.
TEST(Checkpoint, ASnapshotIsACopy) {
  const auto model = small("mlp", kept_mlp);
  const auto objective = make<objectives::CrossEntropy>();
  const Snapshot snapshot = take_snapshot({*model, *objective, {}, {}}, Json::object());
  const std::string name = model->named_parameters()[0].key();
  const at::Tensor before = model->named_parameters()[0].value().detach().clone();
  model->named_parameters()[0].value().detach().zero_();
  EXPECT_TRUE(at::equal(snapshot.tensors.at("model.safetensors").at(name), before));
}

TEST(Checkpoint, AFailedWriteEndsTheTrainingAndLeavesTheLastOneAlone) {
  struct Block final : Callback {
    void on_step(Progress& p) override {
      const fs::path checkpoints = fs::path(p.directory) / "checkpoints";
      if (p.step == 3) {  // the next checkpoint finds no folder to be in
        const fs::path behind = fs::path(p.directory) / "metrics.jsonl";  // is written once the checkpoint is whole
        while (!fs::exists(behind)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        fs::rename(checkpoints, fs::path(p.directory) / "moved");
        write_atomically(checkpoints, "a file");
      }
      last = p.step;
    }
    std::int64_t last = 0;
  };
  const TemporaryFolder folder;
  const auto block = std::make_shared<Block>();
  TrainerOptions options = keeping(folder.path(), 0);
  options.epochs = 100;
  expect_error<OutputError>([&] { fit_kept(options, {block}); }, {"checkpoints/last"});
  EXPECT_LT(block->last, 500);
  EXPECT_EQ(read_json(folder.path() + "/moved/last/state.json")["step"], 2);
}

TEST(BackgroundWriter, KeepsTheOrderAndTellsErrors) {
  BackgroundWriter writer;
  std::vector<int> done;
  for (int i = 0; i < 20; ++i) {
    writer.make_room();
    writer.add([&done, i] { done.push_back(i); });
  }
  writer.wait();
  ASSERT_EQ(done.size(), 20u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  writer.add([] { throw OutputError({"disk", "room", "none", {}}); });
  expect_error<OutputError>([&] { writer.wait(); }, {"disk"});
  writer.check();  // it was told
  writer.add([&done] { done.push_back(20); });
  writer.wait();
  EXPECT_EQ(done.back(), 20);
}

TEST(BackgroundWriter, FinishesWhatItWasGiven) {
  std::atomic<int> done = 0;
  {
    BackgroundWriter writer;
    writer.add([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ++done;
    });
    writer.add([&] { ++done; });
  }
  EXPECT_EQ(done, 2);
}

// tests/train/old_checkpoint: after 7 of 15 steps of this training as the first version of the format wrote it, and the
// averaged weights after all of them, the last 8 by updates that share what was generated. A GAN has most of what a
// checkpoint holds: two optimisers, buffers, averages.
struct OldRun {
  TrainerOptions options{.epochs = 3,
                         .batch_size = 16,
                         .optimizer = {"adam", {{"lr", 1e-3}, {"beta1", 0.5}}},
                         .lr_curve = Schedule::cosine(0.2),
                         .ema_decay = 0.9,
                         .device = "cpu",
                         .resume = "must",
                         .checkpoint_every = 3,
                         .validate_every = 2};
  std::shared_ptr<Model> model = small(
      "gan", {{"widths", {8}}, {"noise", 4}, {"conditions", 4}, {"condition_size", 4}, {"spectral_norm", true}}, 99, 4);
  Run fit() {
    const auto game =
        make<objectives::Adversarial>({.loss = "wasserstein", .critic_steps = 2, .gradient_penalty = 10, .clip = 0.5});
    return Trainer(options).fit(model, game, blobs(70, 4, 0, 4));
  }
};

void copy_old_checkpoint(const TemporaryFolder& to) {
  fs::create_directories(to.path() + "/checkpoints");
  fs::copy("tests/train/old_checkpoint/last", to.path() + "/checkpoints/last");
}

TEST(OldCheckpoint, IsReadAndGoneOnFrom) {
  const TemporaryFolder folder;
  copy_old_checkpoint(folder);
  OldRun old;
  old.options.directory = folder.path();
  const vaetl::Run run = old.fit();
  EXPECT_EQ(run.resumed_from, 7);
  EXPECT_EQ(run.steps, 15);
  EXPECT_EQ(run.history.front().at("step"), 5);  // of the part before
  const auto expected = read_safetensors("tests/train/old_checkpoint/after_15_steps.safetensors").tensors;
  const auto weights = state(*old.model);
  ASSERT_EQ(weights.size(), expected.size());
  // Bits depend on the processor: 8 steps of at most the rate 1e-3 each, of which rounding decides a small part.
  for (const auto& [name, tensor] : expected) {
    EXPECT_TRUE(at::allclose(weights.at(name), tensor, 1e-3, 1e-4)) << name;
  }
  EXPECT_EQ(read_json(folder.path() + "/checkpoints/last/state.json")["format"], 2);
}

// The weights that were read are those that were written: with the schedule at its end, nothing moves.
TEST(OldCheckpoint, EveryTensorComesBack) {
  const TemporaryFolder folder;
  copy_old_checkpoint(folder);
  OldRun old;
  old.options.directory = folder.path();
  old.options.epochs = 1;
  old.options.steps = 7;  // nothing is left to do
  EXPECT_EQ(old.fit().steps, 7);
  const auto expected = read_safetensors("tests/train/old_checkpoint/last/averaged.safetensors").tensors;
  for (const auto& [name, tensor] : state(*old.model)) EXPECT_TRUE(at::equal(tensor, expected.at(name))) << name;
}

TEST(OldCheckpoint, ANewerFormatIsRefusedByName) {
  const TemporaryFolder folder;
  copy_old_checkpoint(folder);
  const std::string file = folder.path() + "/checkpoints/last/state.json";
  Json state = read_json(file);
  state["format"] = 99;
  write_atomically(file, state.dump());
  OldRun old;
  old.options.directory = folder.path();
  expect_error<FileError>([&] { old.fit(); }, {"state.json: expected a checkpoint of format 1 to 2, found format 99",
                                               "a newer version of vaetl wrote it"});
}

}  // namespace
}  // namespace vaetl::testing::checkpoint_test
