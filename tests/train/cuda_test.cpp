// The same on a GPU; skipped, and said so, where there is none.
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/cat.h>

#include "train/fixture.hpp"
#include "vaetl/data/resident.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::cuda_test {
namespace {

class Cuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0) GTEST_SKIP() << "no CUDA device";
  }
};

TEST_F(Cuda, AClassifierLearnsAndItsCheckpointGoesOnWithoutOne) {
  const Json options = {{"channels", {4}}, {"dense", {16}}, {"classes", 4}, {"batch_norm", true}};
  TemporaryFolder folder;
  auto model = small("cnn", options);
  TrainerOptions trainer{.steps = 80, .batch_size = 32, .device = "cuda", .directory = folder.path()};
  Trainer(trainer).fit(model, make<objectives::CrossEntropy>(), blobs(200));
  EXPECT_TRUE(device_of(*model).is_cuda());
  EXPECT_GT(evaluate(*model, blobs(100, 4, 9), {"accuracy"}).at("accuracy"), 0.95);
  trainer.device = "cpu";
  trainer.resume = "must";
  trainer.steps = 100;
  auto second = small("cnn", options);
  EXPECT_EQ(Trainer(trainer).fit(second, make<objectives::CrossEntropy>(), blobs(200)).resumed_from, 80);
}

struct CountedCrossEntropy final : Objective {
  Needs needs() const override { return part.needs(); }
  Terms terms(std::size_t update, Pass& pass) override {
    ++calls;
    return part.terms(update, pass);
  }
  objectives::CrossEntropy part{{}};
  int calls = 0;
};

// The last batch is smaller, and dropout draws: three kinds of steps, each with noise of its own.
TEST_F(Cuda, ReplayedStepsEqualThoseThatRun) {
  const Json options = {{"channels", {4}}, {"dense", {16}}, {"classes", 4}, {"batch_norm", true}, {"dropout", 0.2}};
  std::map<std::string, at::Tensor> weights;
  for (const std::string graph : {"off", "auto"}) {
    const auto model = small("cnn", options);
    const auto notices = std::make_shared<Notices>();
    TrainerOptions trainer{.epochs = 8, .batch_size = 32, .optimizer = {"adam", {{"lr", 0.001953125}}}};
    trainer.device = "cuda";
    trainer.graph = graph;
    const auto objective = std::make_shared<CountedCrossEntropy>();
    Trainer(trainer, {notices}).fit(model, objective, blobs(200));
    EXPECT_EQ(notices->lines, "");
    EXPECT_EQ(objective->calls < 30, graph == "auto") << objective->calls;  // of 56 steps, three kinds of them captured
    weights[graph] = at::cat({model->parameters().front().flatten(), model->parameters().back().flatten()}).cpu();
  }
  EXPECT_TRUE(at::allclose(weights["auto"], weights["off"], 1e-3, 1e-5));
}

// Gathered there: a batch needs no value of the host's.
TEST_F(Cuda, ASetThatFitsIsResident) {
  const Dataset data = resident_where_it_fits(blobs(64), at::Device(at::kCUDA, 0));
  EXPECT_TRUE(data.column("input").is_cuda());
  const at::Tensor places = at::arange(5, 9, at::kLong);
  EXPECT_TRUE(data.gather(places).input().cpu().equal(blobs(64).gather(places).input()));
}

TEST_F(Cuda, TheFirstLossAgreesWithTheCpu) {
  // One step of batch 16 without augmentation and with a latent of its own noise: only the reconstruction's noise
  // differs, so the two losses, near 400, agree within the spread of that noise over 16 pictures.
  const Json options = {{"channels", {4}}, {"dense", {8}}, {"latent", 2}};
  std::map<std::string, double> loss;
  for (const std::string device : {"cpu", "cuda"}) {
    Trainer trainer({.steps = 1, .batch_size = 16, .device = device});
    loss[device] =
        trainer.fit(small("conv_vae", options), make<objectives::Elbo>(), blobs(16)).history.back().at("loss");
  }
  EXPECT_NEAR(loss["cpu"], loss["cuda"], 0.05 * loss["cpu"]);
}

}  // namespace
}  // namespace vaetl::testing::cuda_test
