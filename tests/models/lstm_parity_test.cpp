// Recurrent layers and sequence models against the same ones in plain torch.nn, through ten optimiser steps:
// tests/parity/recurrent.py.
#include <gtest/gtest.h>

#include "vaetl/core/random.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/recurrent.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/train/optimizer.hpp"

namespace vaetl::testing::lstm_parity_test {
namespace {

const TensorFile& reference() {
  static const TensorFile file = read_safetensors("tests/parity/recurrent.safetensors");
  return file;
}

// What both kinds of cases in the file have in common.
struct Stored {
  std::string name;
  at::Tensor operator[](const std::string& key) const {
    const at::Tensor& found = reference().tensors.at(name + "/" + key);
    return found.is_floating_point() ? found.to(at::kDouble) : found;
  }
  bool has(const std::string& key) const { return reference().tensors.contains(name + "/" + key); }
  std::map<std::string, at::Tensor> all(const std::string& kind) const {
    const std::string prefix = name + "/" + kind + ".";
    std::map<std::string, at::Tensor> result;
    for (const auto& [key, tensor] : reference().tensors) {
      if (key.starts_with(prefix)) result[key.substr(prefix.size())] = (*this)[key.substr(name.size() + 1)];
    }
    return result;
  }
};

// Both sides compute in float64; the file is rounded to float32, relative 2⁻²⁴ = 6e-8, and values are of order 1 to 30.
constexpr double in_double = 2e-7;
// In float32 sums of at most 10 products over at most 12 steps and two layers are off by 12 · 2 · 10 · 2⁻²⁴ = 1.4e-5.
constexpr double in_float = 2e-5;

void expect_close(const at::Tensor& found, const at::Tensor& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  const double scale = std::max(1.0, expected.abs().max().item<double>());
  EXPECT_LE((found.detach().to(at::kDouble) - expected).abs().max().item<double>(), tolerance * scale) << what;
}

void load_all(torch::nn::Module& module, const std::map<std::string, at::Tensor>& weights, const std::string& name) {
  load_strict(module, weights, name);
}

// ---- layers

struct LayerCase {
  std::string name, cell;
  std::int64_t layers = 1;
  bool bidirectional = false;
  static constexpr auto fields() {
    using C = LayerCase;
    return std::tuple{field("case", &C::name, "in the file"), field("cell", &C::cell, "lstm or gru"),
                      field("layers", &C::layers, "how many"), field("bidirectional", &C::bidirectional, "both ways")};
  }
};

std::vector<LayerCase> layer_cases() {
  std::vector<LayerCase> result;
  for (const Json& item : parse_json(reference().metadata.at("layers"), "recurrent.safetensors")) {
    result.push_back(from_json<LayerCase>(item));
  }
  return result;
}

void check_layer(const LayerCase& c, at::ScalarType dtype, double tolerance) {
  SCOPED_TRACE(fmt::format("{} in {}", c.name, dtype_name(dtype)));
  const Stored stored{c.name};
  nn::Recurrent rnn({.cell = c.cell, .in = 3, .hidden = 4, .layers = c.layers, .bidirectional = c.bidirectional});
  rnn.to(dtype);
  load_all(rnn, stored.all("weights"), c.name);
  const at::Tensor x = stored["x"].to(dtype).requires_grad_();
  const at::Tensor lengths = stored.has("length") ? stored["length"] : at::Tensor();
  nn::Recurrent::State state;
  for (int i = 0; stored.has(fmt::format("start{}", i)); ++i) {
    state.push_back(stored[fmt::format("start{}", i)].to(dtype));
  }
  const at::Tensor output = rnn.forward(x, state, lengths), last = rnn.last(output, lengths);
  expect_close(output, stored["output"], tolerance, "output");
  expect_close(last, stored["last"], tolerance, "the last step");
  for (std::size_t i = 0; i < state.size() && !c.bidirectional; ++i) {
    expect_close(state[i], stored[fmt::format("end{}", i)], tolerance, "where it stopped");
  }
  EXPECT_EQ(state.empty(), lengths.defined() || c.bidirectional);
  ((output * stored["probe"].to(dtype)).sum() + last.square().sum()).backward();
  expect_close(x.grad(), stored["grad.x"], 5 * tolerance, "gradient of x");
  for (const auto& [name, gradient] : stored.all("grad")) {
    if (name != "x") expect_close(rnn.named_parameters()[name].grad(), gradient, 5 * tolerance, "gradient of " + name);
  }
}

TEST(LstmParity, LayersEqualPyTorchs) {
  for (const LayerCase& c : layer_cases()) {
    check_layer(c, at::kDouble, in_double);
    check_layer(c, at::kFloat, in_float);  // another kernel where there is oneDNN
  }
}

// ---- models

struct ModelCase {
  std::string name, objective;
  ModelSpec model;
  static constexpr auto fields() {
    using C = ModelCase;
    return std::tuple{field("case", &C::name, "in the file"), field("model", &C::model, "description"),
                      field("objective", &C::objective, "its name")};
  }
};

std::vector<ModelCase> model_cases() {
  std::vector<ModelCase> result;
  for (const Json& item : parse_json(reference().metadata.at("models"), "recurrent.safetensors")) {
    result.push_back(from_json<ModelCase>(item));
  }
  return result;
}

class Steps {
 public:
  Steps(const ModelCase& c) : case_(c), stored_{c.name}, model_(build(c.model)) {
    model_->to(at::kDouble);
    load_all(*model_, stored_.all("weights"), c.name);
    if (c.objective != "elbo") {
      objective_ = make_objective(c.objective);
      objective_->bind(*model_, batch(0));
    }
    for (const auto& item : model_->named_parameters()) {
      set_.names.push_back(item.key());
      set_.parameters.push_back(item.value());
    }
  }

  at::Tensor update(std::int64_t step) {  // the loss before it
    for (auto& parameter : set_.parameters) parameter.mutable_grad().reset();
    const at::Tensor before = loss(step);
    before.backward();
    if (step == 0) check("gradient of ", stored_.all("grad"), [](const at::Tensor& p) { return p.grad(); });
    const at::NoGradGuard no_grad;
    optimizer_->set_parameters({set_});
    optimizer_->step(1);
    return before;
  }
  void check_after() const {
    check("after ten steps ", stored_.all("after"), [](const at::Tensor& p) { return p; });
  }
  const Stored& stored() const { return stored_; }

 private:
  at::Tensor loss(std::int64_t step) {
    const Batch now = batch(step);
    Pass pass(*model_, now, {.first_in_epoch = step % 5 == 0});
    return objective_ ? objective_->terms(0, pass).total() : elbo(pass, step);
  }
  Batch batch(std::int64_t step) const {
    Fields fields;
    for (const auto& [name, values] : stored_.all("field")) fields.set(name, values[step]);
    return {{"train", fields}};
  }
  // The objective draws its noise; here it is the file's.
  at::Tensor elbo(Pass& pass, std::int64_t step) {
    const Gaussian& q = pass.posterior();
    const at::Tensor z = q.mean + (0.5 * q.log_var).exp() * stored_["noise"][step];
    return (q.kl_to_standard() - require<Decoder>(*model_).decode(z)->log_prob(pass.fields().input())).mean();
  }
  template <class Read>
  void check(const std::string& what, const std::map<std::string, at::Tensor>& expected, Read&& read) const {
    ASSERT_EQ(expected.size(), set_.names.size());
    for (std::size_t i = 0; i < set_.names.size(); ++i) {
      expect_close(read(set_.parameters[i]), expected.at(set_.names[i]), in_double, what + set_.names[i]);
    }
  }

  const ModelCase& case_;
  Stored stored_;
  std::shared_ptr<Model> model_;
  std::shared_ptr<Objective> objective_;
  std::shared_ptr<Optimizer> optimizer_ = registry<Optimizer>().make({"sgd", {{"lr", 0.02}, {"momentum", 0.9}}});
  ParameterSet set_ = {};
};

class LstmModels : public ::testing::TestWithParam<ModelCase> {};

TEST_P(LstmModels, EqualPyTorchs) {
  Steps steps(GetParam());
  const at::Tensor losses = steps.stored()["losses"];
  for (std::int64_t step = 0; step < losses.size(0); ++step) {
    expect_close(steps.update(step), losses[step], in_double, fmt::format("loss at step {}", step));
  }
  steps.check_after();
}

INSTANTIATE_TEST_SUITE_P(Parity, LstmModels, ::testing::ValuesIn(model_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace vaetl::testing::lstm_parity_test
