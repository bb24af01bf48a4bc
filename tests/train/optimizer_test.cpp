// Ten updates against torch.optim's in float64 (tests/parity/optimizers.py).
#include "vaetl/train/optimizer.hpp"

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::testing::optimizer_test {
namespace {

const std::map<std::string, Spec<Optimizer>>& cases() {
  const Json moments = {{"lr", 0.05}, {"beta1", 0.8}, {"beta2", 0.95}, {"eps", 1e-6}, {"weight_decay", 0.1}};
  static const std::map<std::string, Spec<Optimizer>> all = {
      {"sgd", {"sgd", {{"lr", 0.1}, {"momentum", 0}}}},
      {"sgd_momentum", {"sgd", {{"lr", 0.1}, {"momentum", 0.9}, {"weight_decay", 0.05}}}},
      {"sgd_nesterov", {"sgd", {{"lr", 0.1}, {"momentum", 0.9}, {"nesterov", true}}}},
      {"adam", {"adam", moments}},
      {"adamw", {"adamw", moments}}};
  return all;
}

class OptimizerParity : public ::testing::TestWithParam<std::string> {
 protected:
  std::map<std::string, at::Tensor> reference_ = read_safetensors("tests/parity/optimizers.safetensors").tensors;
  at::Tensor weight_ = reference_.at("start").clone();

  void update(Optimizer& optimizer, std::int64_t step) {
    weight_.mutable_grad() = reference_.at("gradients")[step].clone();
    optimizer.update({.names = {"weight"}, .parameters = {weight_}}, 1.0);
  }
  // Each update rounds a weight of size below 4 to float32 a handful of times: 10 updates × 8 roundings × 2⁻²².
  void expect_reference(const std::string& name) const {
    const at::Tensor difference = (weight_.to(at::kDouble) - reference_.at(name)).abs().max();
    EXPECT_LE(difference.item<double>(), 10 * 8 * std::pow(2.0, -22)) << name;
  }
};

TEST_P(OptimizerParity, TenUpdates) {
  auto optimizer = registry<Optimizer>().make(cases().at(GetParam()));
  for (std::int64_t step = 0; step < 10; ++step) update(*optimizer, step);
  expect_reference(GetParam());
}

TEST_P(OptimizerParity, StateSurvivesACheckpoint) {
  auto optimizer = registry<Optimizer>().make(cases().at(GetParam()));
  for (std::int64_t step = 0; step < 10; ++step) {
    if (step == 4) {
      std::map<std::string, at::Tensor> copy;
      for (const auto& [key, tensor] : optimizer->state()) copy[key] = tensor.clone();
      optimizer = registry<Optimizer>().make(cases().at(GetParam()));
      optimizer->load_state(copy);
    }
    update(*optimizer, step);
  }
  expect_reference(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerParity,
                         ::testing::Values("sgd", "sgd_momentum", "sgd_nesterov", "adam", "adamw"),
                         [](const auto& test) { return test.param; });

TEST(Optimizer, ScalesMultiplyRateAndDecay) {
  const auto moved = [](double lr_scale, double scale) {
    at::Tensor weight = at::ones({1});
    weight.mutable_grad() = at::ones({1});
    registry<Optimizer>()
        .make({"sgd", {{"lr", 0.5}, {"momentum", 0}}})
        ->update({.names = {"w"}, .parameters = {weight}, .lr_scale = lr_scale}, scale);
    return 1 - weight.item<double>();
  };
  EXPECT_FLOAT_EQ(moved(1, 1), 0.5);
  EXPECT_FLOAT_EQ(moved(0.5, 1), 0.25);
  EXPECT_FLOAT_EQ(moved(0.5, 0.5), 0.125);
}

TEST(Optimizer, AParameterWithoutGradientIsPassedOverAndHasNoState) {
  at::Tensor weight = at::ones({1});
  for (const auto& name : registry<Optimizer>().names()) {
    auto optimizer = registry<Optimizer>().make({name, Json::object()});
    optimizer->update({.names = {"w"}, .parameters = {weight}}, 1.0);
    EXPECT_TRUE(optimizer->state().empty()) << name;
  }
  EXPECT_EQ(weight.item<double>(), 1.0);
}

TEST(Optimizer, ErrorsByText) {
  expect_error<ConfigError>(
      [] {
        registry<Optimizer>().make({"adam", {{"lr", -1}}}, "trainer.optimizer");
      },
      {"trainer.optimizer.lr", "at least 0", "-1"});
  expect_error<ConfigError>(
      [] {
        registry<Optimizer>().make({"sgd", {{"nesterov", true}, {"momentum", 0}}});
      },
      {"sgd.nesterov", "momentum above 0"});
  expect_error<FileError>(
      [] {
        registry<Optimizer>().make({"sgd", Json::object()})->load_state({{"first/w", at::ones({1})}});
      },
      {"checkpoint of another optimiser"});
}

}  // namespace
}  // namespace vaetl::testing::optimizer_test
