// Ten updates against torch.optim's in float64 (tests/parity/optimizers.py), and what holds for every optimiser.
#include "vaetl/train/optimizer.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/train/optimizers.hpp"

namespace vaetl::testing::optimizer_test {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

const Tensors& reference() {
  static const Tensors all = read_safetensors("tests/parity/optimizers.safetensors").tensors;
  return all;
}

Tensors copies(const Tensors& tensors) {
  Tensors result;
  for (const auto& [key, tensor] : tensors) result[key] = tensor.clone();
  return result;
}

const std::map<std::string, Spec<Optimizer>>& cases() {
  const Json moments = {{"lr", 0.05}, {"beta1", 0.8}, {"beta2", 0.95}, {"eps", 1e-6}, {"weight_decay", 0.1}};
  static const std::map<std::string, Spec<Optimizer>> all = {
      {"sgd", {"sgd", {{"lr", 0.1}, {"momentum", 0}}}},
      {"sgd_momentum", {"sgd", {{"lr", 0.1}, {"momentum", 0.9}, {"weight_decay", 0.05}}}},
      {"sgd_nesterov", {"sgd", {{"lr", 0.1}, {"momentum", 0.9}, {"nesterov", true}}}},
      {"adam", {"adam", moments}},
      {"adamw", {"adamw", moments}},
      {"rmsprop", {"rmsprop", {{"lr", 0.02}, {"alpha", 0.9}, {"eps", 1e-6}}}},
      {"rmsprop_momentum",
       {"rmsprop", {{"lr", 0.02}, {"alpha", 0.9}, {"eps", 1e-6}, {"momentum", 0.8}, {"weight_decay", 0.1}}}},
      {"rmsprop_centered",
       {"rmsprop", {{"lr", 0.02}, {"alpha", 0.9}, {"eps", 1e-6}, {"centered", true}, {"weight_decay", 0.1}}}},
      {"adagrad", {"adagrad", {{"lr", 0.1}, {"lr_decay", 0.05}, {"weight_decay", 0.1}, {"initial", 0.2}}}},
      {"lars", {"lars", {{"lr", 2}, {"momentum", 0.9}, {"weight_decay", 0.05}, {"trust", 0.02}}}},
      {"lamb", {"lamb", moments}}};
  return all;
}

class OptimizerParity : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<Optimizer> fresh() {
    auto optimizer = registry<Optimizer>().make(cases().at(GetParam()));
    optimizer->set_parameters({{.names = {"weight", "bias"}, .parameters = {weight_, bias_}}});
    return optimizer;
  }
  void update(Optimizer& optimizer, std::int64_t step) {
    weight_.mutable_grad() = reference().at("gradients.weight")[step].clone();
    bias_.mutable_grad() = reference().at("gradients.bias")[step].clone();
    optimizer.step(1.0);
  }
  // Each update rounds values of size below 4 to float32 a handful of times: 10 updates × 8 roundings × 2⁻²². RMSprop's
  // centred variance is a difference of rounded values, at least a tenth of them here.
  void expect_reference() const {
    const double tolerance = 10 * 8 * std::pow(2.0, -22) * (GetParam() == "rmsprop_centered" ? 10 : 1);
    for (const auto& [key, tensor] : {std::pair{"weight", weight_}, std::pair{"bias", bias_}}) {
      const at::Tensor difference = (tensor.to(at::kDouble) - reference().at(GetParam() + "." + key)).abs().max();
      EXPECT_LE(difference.item<double>(), tolerance) << GetParam() << " " << key;
    }
  }
  at::Tensor weight_ = reference().at("start.weight").clone(), bias_ = reference().at("start.bias").clone();
};

TEST_P(OptimizerParity, TenUpdates) {
  auto optimizer = fresh();
  for (std::int64_t step = 0; step < 10; ++step) update(*optimizer, step);
  expect_reference();
}

TEST_P(OptimizerParity, StateSurvivesACheckpoint) {
  auto optimizer = fresh();
  for (std::int64_t step = 0; step < 10; ++step) {
    if (step == 4) {
      const Tensors kept = copies(optimizer->state());
      optimizer = fresh();
      optimizer->load_state(kept);
    }
    update(*optimizer, step);
  }
  expect_reference();
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerParity,
                         ::testing::Values("sgd", "sgd_momentum", "sgd_nesterov", "adam", "adamw", "rmsprop",
                                           "rmsprop_momentum", "rmsprop_centered", "adagrad", "lars", "lamb"),
                         [](const auto& test) { return test.param; });

// The problem of the script, in float64: y ≈ tanh(x Wᵀ) a + b.
class Problem {
 public:
  explicit Problem(const Spec<Optimizer>& spec) : spec_(spec) { restart({}); }

  double step() {
    const at::Tensor loss = evaluate();
    const at::NoGradGuard no_grad;
    optimizer_->step(1.0, {loss, [&] {
                             const at::AutoGradMode recording(true);
                             return evaluate();
                           }});
    return loss.item<double>();
  }
  // As a resumed run does it: the parameters are named before the state is loaded.
  void restart(const Tensors& state) {
    optimizer_ = registry<Optimizer>().make(spec_);
    optimizer_->set_parameters({{.names = {"hidden", "out", "bias"}, .parameters = {hidden_, out_, bias_}}});
    optimizer_->load_state(state);
  }
  Tensors state() const { return copies(optimizer_->state()); }
  // 10 steps of a few hundred operations on values near 1, each off by 2⁻⁵²; a line search may enlarge them.
  void expect(const std::string& name) const {
    for (const auto& [key, tensor] : {std::pair{"hidden", hidden_}, {"out", out_}, {"bias", bias_}}) {
      EXPECT_LE((tensor.detach() - reference().at(name + "." + key)).abs().max().item<double>(), 1e-9) << key;
    }
  }

 private:
  static at::Tensor begin(const std::string& name) {
    return reference().at("begin." + name).clone().requires_grad_(true);
  }
  at::Tensor evaluate() {
    for (const at::Tensor& parameter : {hidden_, out_, bias_}) parameter.mutable_grad().reset();
    const at::Tensor made = reference().at("problem.x").matmul(hidden_.t()).tanh().matmul(out_) + bias_;
    const at::Tensor loss = (made - reference().at("problem.y")).square().mean();
    loss.backward();
    return loss.detach();
  }

  Spec<Optimizer> spec_;
  std::shared_ptr<Optimizer> optimizer_;
  at::Tensor hidden_ = begin("hidden"), out_ = begin("out"), bias_ = begin("bias");
};

const Spec<Optimizer> lbfgs = {"lbfgs", {{"lr", 0.9}, {"iterations", 2}, {"history", 3}}};
const Spec<Optimizer> sam = {
    "sam", {{"rho", 0.3}, {"base", {{"name", "sgd"}, {"lr", 0.1}, {"momentum", 0.9}, {"weight_decay", 0.05}}}}};

TEST(Lbfgs, TenStepsAsPyTorch) {
  Problem problem(lbfgs);
  for (std::int64_t step = 0; step < 10; ++step) {
    EXPECT_NEAR(problem.step(), reference().at("lbfgs.losses")[step].item<double>(), 1e-9) << step;
  }
  problem.expect("lbfgs");
}

TEST(Lbfgs, StateSurvivesACheckpoint) {
  Problem problem(lbfgs);
  for (int step = 0; step < 10; ++step) {
    if (step == 6) problem.restart(problem.state());
    problem.step();
  }
  problem.expect("lbfgs");
}

// Another set of parameters is another problem: what is known of the old one's curvature does not count.
TEST(Lbfgs, BeginsAnewWithOtherParameters) {
  at::Tensor a = at::ones({2}, at::kDouble), b = at::ones({3}, at::kDouble);
  optim::Lbfgs optimizer({.iterations = 1});
  const auto step = [&](const std::string& name, const at::Tensor& weight) {
    optimizer.set_parameters({{.names = {name}, .parameters = {weight}}});
    const auto evaluate = [&] {
      weight.mutable_grad() = 2 * weight;
      return weight.square().sum();
    };
    const at::Tensor loss = evaluate();
    optimizer.step(1.0, {loss, evaluate});
  };
  for (int i = 0; i < 3; ++i) step("a", a);
  step("b", b);
  EXPECT_EQ(optimizer.state().at("flat/direction").numel(), 3);
  EXPECT_FALSE(optimizer.state().contains("flat/changes"));
  EXPECT_LT(b.abs().max().item<double>(), 1);
}

TEST(Sam, TenStepsAsThePaper) {
  Problem problem(sam);
  for (int step = 0; step < 10; ++step) {
    if (step == 5) problem.restart(problem.state());
    problem.step();
  }
  problem.expect("sam");
}

// e = ρ g / ‖g‖: at the neighbour of w = 1 under w², the gradient is 2 (1 + ρ).
TEST(Sam, TakesTheGradientOfTheNeighbourAndReturns) {
  at::Tensor weight = at::ones({1});
  const auto evaluate = [&] {
    weight.mutable_grad() = 2 * weight;
    return weight.square().sum();
  };
  const at::Tensor loss = evaluate();
  auto optimizer =
      registry<Optimizer>().make({"sam", {{"rho", 0.5}, {"base", {{"name", "sgd"}, {"lr", 0.1}, {"momentum", 0}}}}});
  optimizer->set_parameters({{.names = {"w"}, .parameters = {weight}}});
  optimizer->step(1.0, {loss, evaluate});
  EXPECT_FLOAT_EQ(weight.item<float>(), 1 - 0.1f * 2 * 1.5f);
}

TEST(Optimizer, ScalesMultiplyRateAndDecay) {
  const auto moved = [](double lr_scale, double decay_scale, double scale) {
    at::Tensor weight = at::ones({1});
    weight.mutable_grad() = at::ones({1});
    auto optimizer = registry<Optimizer>().make({"sgd", {{"lr", 0.5}, {"momentum", 0}, {"weight_decay", 0.5}}});
    optimizer->set_parameters(
        {{.names = {"w"}, .parameters = {weight}, .lr_scale = lr_scale, .weight_decay_scale = decay_scale}});
    optimizer->step(scale);
    return 1 - weight.item<double>();
  };
  EXPECT_FLOAT_EQ(moved(1, 1, 1), 0.75);
  EXPECT_FLOAT_EQ(moved(1, 0, 1), 0.5);
  EXPECT_FLOAT_EQ(moved(0.5, 0, 1), 0.25);
  EXPECT_FLOAT_EQ(moved(0.5, 0, 0.5), 0.125);
}

TEST(Optimizer, AParameterWithoutGradientIsPassedOverAndHasNoState) {
  at::Tensor weight = at::ones({1});
  for (const auto& name : registry<Optimizer>().names()) {
    auto optimizer = registry<Optimizer>().make({name, Json::object()});
    optimizer->set_parameters({{.names = {"w"}, .parameters = {weight}}});
    optimizer->step(1.0);
    EXPECT_TRUE(optimizer->state().empty()) << name;
  }
  EXPECT_EQ(weight.item<double>(), 1.0);
}

// A parameter that comes later, goes and comes back counts its own steps, and its moments wait for it.
TEST(Optimizer, GradientsThatComeAndGoLeaveEachParameterItsOwnState) {
  const auto alone = [](int steps) {
    at::Tensor weight = at::ones({1});
    auto optimizer = registry<Optimizer>().make({"adam", {{"lr", 0.1}}});
    optimizer->set_parameters({{.names = {"w"}, .parameters = {weight}}});
    for (int i = 0; i < steps; ++i) {
      weight.mutable_grad() = at::ones({1}) * (i + 1);
      optimizer->step(1.0);
    }
    return weight.item<float>();
  };
  at::Tensor a = at::ones({1}), b = at::ones({1});
  auto optimizer = registry<Optimizer>().make({"adam", {{"lr", 0.1}}});
  optimizer->set_parameters({{.names = {"a", "b"}, .parameters = {a, b}}});
  int a_steps = 0, b_steps = 0;
  for (const auto& [with_a, with_b] : {std::pair{true, false}, {true, true}, {false, true}, {true, true}}) {
    a.mutable_grad() = with_a ? at::ones({1}) * ++a_steps : at::Tensor();
    b.mutable_grad() = with_b ? at::ones({1}) * ++b_steps : at::Tensor();
    optimizer->step(1.0);
  }
  EXPECT_EQ(a.item<float>(), alone(3));
  EXPECT_EQ(b.item<float>(), alone(3));
  EXPECT_EQ(optimizer->state().at("steps/a").item<std::int64_t>(), 3);
}

TEST(Sam, IsCompletedWithItsBase) {
  const auto complete = registry<Optimizer>().complete({"sam", {{"base", {{"name", "adamw"}, {"lr", 0.5}}}}});
  EXPECT_EQ(complete.options.at("rho"), 0.05);
  EXPECT_EQ(complete.options.at("base").at("lr"), 0.5);
  EXPECT_EQ(complete.options.at("base").at("beta1"), 0.9);
}

TEST(Optimizer, EveryMemberIsDescribed) {
  expect_fields_cover<optim::RmsProp::Options>();
  expect_fields_cover<optim::Adagrad::Options>();
  expect_fields_cover<optim::Lars::Options>();
  expect_fields_cover<optim::Lamb::Options>();
  expect_fields_cover<optim::Lbfgs::Options>();
  expect_fields_cover<optim::Sam::Options>();
}

TEST(OptimizerErrors, OptionsByText) {
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
  expect_error<ConfigError>(
      [] {
        registry<Optimizer>().make({"sam", {{"base", "lbfgs"}}});
      },
      {"sam.base", "an optimiser that evaluates a batch once", "\"lbfgs\""});
  expect_error<ConfigError>(
      [] {
        registry<Optimizer>().make({"sam", {{"base", {{"name", "sgd"}, {"momentun", 0}}}}});
      },
      {"sam.base", "momentun", "momentum"});
  expect_error<ConfigError>(
      [] {
        const at::Tensor weight = at::ones({1});
        registry<Optimizer>()
            .make({"lbfgs", Json::object()})
            ->set_parameters(
                {{.names = {"a"}, .parameters = {weight}}, {.names = {"b"}, .parameters = {weight}, .lr_scale = 0.5}});
      },
      {"lbfgs", "one learning rate for all layer groups", "factors 1 and 0.5"});
}

TEST(OptimizerErrors, StateOfAnother) {
  const auto load = [](const std::string& name, const Tensors& state, const Json& options = Json::object()) {
    auto optimizer = registry<Optimizer>().make({name, options});
    at::Tensor weight = at::ones({2});
    weight.mutable_grad() = at::ones({2});
    optimizer->set_parameters({{.names = {"w"}, .parameters = {weight}}});
    optimizer->load_state(state);
    optimizer->step(1.0, {at::ones({}), [] { return at::ones({}); }});
  };
  const at::Tensor two = at::ones({2});
  expect_error<FileError>(
      [&] {
        load("sgd", {{"first/w", two}});
      },
      {"momentum/NAME", "\"first/w\"", "checkpoint of another optimiser"});
  expect_error<FileError>([&] { load("adam", {{"first/w", two}}); }, {"second/w", "none", "another optimiser"});
  expect_error<FileError>(
      [&] {
        load("adam", {{"momentum/w", two}});
      },
      {"first/NAME, second/NAME, steps/NAME", "\"momentum/w\""});
  expect_error<FileError>(
      [&] {
        load("sgd", {{"momentum/w", two}}, {{"momentum", 0}});
      },
      {"nothing", "\"momentum/w\""});
  expect_error<FileError>(
      [&] {
        load("sgd", {{"momentum/w", at::ones({3})}});
      },
      {"optimiser state of w of shape (2)", "(3)", "another model"});
  expect_error<FileError>([&] { load("lbfgs", {{"momentum/w", two}}); }, {"the state of lbfgs", "another optimiser"});
}

}  // namespace
}  // namespace vaetl::testing::optimizer_test
