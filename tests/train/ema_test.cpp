// Averaged weights: what they are, what they are used for, and that a resumed run has the same.
#include <ATen/ops/equal.h>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/adversarial.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::ema_test {
namespace {

namespace fs = std::filesystem;

const Json classifier = {{"channels", {4}}, {"dense", {8}}, {"classes", 4}, {"batch_norm", true}};

// The average of the weights after every step, by its formula, in float64.
struct Average final : Callback {
  explicit Average(double decay) : decay(decay) {}
  void on_begin(Progress& p) override {
    for (const auto& item : p.model.named_parameters()) means[item.key()] = item.value().detach().to(at::kDouble);
  }
  void on_step(Progress& p) override {
    const double t = static_cast<double>(p.step), d = std::min(decay, (1 + t) / (10 + t));
    for (const auto& item : p.model.named_parameters()) {
      means[item.key()] = d * means[item.key()] + (1 - d) * item.value().detach().to(at::kDouble);
    }
    for (const auto& item : p.model.named_buffers()) buffers[item.key()] = item.value().detach().clone();
  }
  double decay;
  Weights means, buffers;
};

TEST(Ema, ReturnsTheAverageOfTheWeightsAndTheLastBuffers) {
  for (const double decay : {0.3, 0.99}) {
    auto model = small("cnn", classifier);
    const auto average = std::make_shared<Average>(decay);
    Trainer({.steps = 20, .batch_size = 16, .optimizer = {"sgd", {{"lr", 0.1}}}, .ema_decay = decay, .device = "cpu"},
            {average})
        .fit(model, make<objectives::CrossEntropy>(), blobs(64));
    for (const auto& item : model->named_parameters()) {
      const at::Tensor error = item.value().detach().to(at::kDouble) - average->means.at(item.key());
      // 20 roundings of values near 1 in float32.
      EXPECT_LE(error.abs().max().item<double>(), 20 * 6e-8 * 2) << item.key();
    }
    for (const auto& item : model->named_buffers()) {
      EXPECT_TRUE(at::equal(item.value(), average->buffers.at(item.key()))) << item.key();
    }
  }
}

TEST(Ema, IsAboutTheWeightsAndNotTheTraining) {
  struct Last final : Callback {
    void on_step(Progress& p) override { sum = checksum(p.model); }
    Checksum sum;
  };
  const auto plain = std::make_shared<Last>(), averaged = std::make_shared<Last>();
  auto first = small("cnn", classifier), second = small("cnn", classifier);
  Trainer({.steps = 9, .batch_size = 16, .device = "cpu"}, {plain})
      .fit(first, make<objectives::CrossEntropy>(), blobs(64));
  Trainer({.steps = 9, .batch_size = 16, .ema_decay = 0.9, .device = "cpu"}, {averaged})
      .fit(second, make<objectives::CrossEntropy>(), blobs(64));
  EXPECT_EQ(plain->sum, averaged->sum);
  EXPECT_EQ(checksum(*first), plain->sum);
  EXPECT_NE(checksum(*second), averaged->sum);
}

TEST(Ema, TheAverageIsWhatIsValidated) {
  Pipeline data(blobs(64));
  data.validation = blobs(40, 4, 9);
  auto model = small("cnn", classifier);
  const vaetl::Run run =
      Trainer({.steps = 12, .batch_size = 16, .ema_decay = 0.5, .device = "cpu", .validate_every = 4})
          .fit(model, make<objectives::CrossEntropy>(), data, {}, {"cross_entropy"});
  EXPECT_EQ(run.history.back().at("validation.cross_entropy"),
            evaluate(*model, *data.validation, {"cross_entropy"}).at("cross_entropy"));
}

TEST(Ema, TheBestEpochIsTheAveragesToo) {
  Pipeline data(blobs(64));
  data.validation = blobs(40, 4, 9);
  for (const bool on_disk : {false, true}) {
    TemporaryFolder folder;
    auto model = small("cnn", classifier);
    const vaetl::Run run = Trainer({.steps = 12,
                                    .batch_size = 16,
                                    .optimizer = {"sgd", {{"lr", 0.3}}},
                                    .ema_decay = 0.5,
                                    .device = "cpu",
                                    .monitor = "cross_entropy",
                                    .directory = on_disk ? folder.path() : "",
                                    .validate_every = 4})
                               .fit(model, make<objectives::CrossEntropy>(), data, {}, {"cross_entropy"});
    EXPECT_EQ(run.metrics.at("validation.cross_entropy"),
              evaluate(*model, *data.validation, {"cross_entropy"}).at("cross_entropy"));
  }
}

TEST(Ema, WhatIsFrozenStaysBitForBit) {
  auto model = small("cnn", classifier);
  const Checksum before = checksum(*model);
  Trainer({.steps = 8, .batch_size = 16, .ema_decay = 0.9, .device = "cpu"})
      .fit(model, make<objectives::CrossEntropy>(), blobs(64), {{.groups = "encoder.0", .train = false}});
  for (const auto& [name, sum] : checksum(*model).tensors) {
    EXPECT_EQ(before.tensors.at(name) == sum, name.starts_with("encoder.0.")) << name;
  }
}

TrainerOptions gan_options(const std::string& directory) {
  return {.epochs = 3,
          .batch_size = 16,
          .optimizer = {"adam", {{"lr", 1e-3}, {"beta1", 0.5}}},
          .ema_decay = 0.9,
          .device = "cpu",
          .directory = directory,
          .resume = directory.empty() ? "never" : "auto",
          .checkpoint_every = 3};
}

std::shared_ptr<Model> small_gan(std::uint64_t key = 1) {
  return small("dcgan", {{"channels", {4}}, {"noise", 4}, {"conditions", 4}, {"spectral_norm", true}}, key);
}

std::shared_ptr<Objective> game() {
  return make<objectives::Adversarial>({.loss = "wasserstein", .critic_steps = 2, .gradient_penalty = 10, .clip = 0.5});
}

TEST(Ema, AGanResumedFromAnyStepEqualsTheUninterruptedRun) {
  auto whole = small_gan();
  Trainer(gan_options("")).fit(whole, game(), blobs(70));
  for (const std::int64_t stop : {1, 4, 5, 8, 14}) {  // 5 steps an epoch; the generator moves at every second
    TemporaryFolder folder;
    Trainer(gan_options(folder.path()), {std::make_shared<StopAt>(stop)}).fit(small_gan(), game(), blobs(70));
    auto second = small_gan(99);  // other initial weights: all must come from the checkpoint
    EXPECT_EQ(Trainer(gan_options(folder.path())).fit(second, game(), blobs(70)).resumed_from, stop);
    EXPECT_EQ(checksum(*second), checksum(*whole)) << "stopped after " << stop;
  }
}

TEST(Ema, IsKeptInTheCheckpointWhereThereIsOne) {
  const auto train = [](const std::string& directory, double decay, std::int64_t steps) {
    Trainer({.steps = steps,
             .batch_size = 16,
             .ema_decay = decay,
             .device = "cpu",
             .directory = directory,
             .resume = "auto"})
        .fit(small("cnn", classifier), make<objectives::CrossEntropy>(), blobs(64));
  };
  const TemporaryFolder with, without;
  const auto file = [](const TemporaryFolder& folder) {
    return fs::path(folder.path()) / "checkpoints/last/averaged.safetensors";
  };
  train(with.path(), 0.9, 4);
  train(without.path(), 0, 4);
  EXPECT_TRUE(fs::exists(file(with)));
  EXPECT_FALSE(fs::exists(file(without)));
  expect_error<FileError>([&] { train(without.path(), 0.9, 8); },
                          {"averaged.safetensors: expected averaged weights, found none: this training kept none",
                           "resume without trainer.ema_decay, or train afresh"});
}

TEST(Ema, TheDecayIsBelowOne) {
  expect_error<ConfigError>(
      [] {
        from_json<TrainerOptions>({{"ema_decay", 1}}, "trainer");
      },
      {"trainer.ema_decay", "0.9999999", "found 1"});
}

}  // namespace
}  // namespace vaetl::testing::ema_test
