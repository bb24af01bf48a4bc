// What holds a model near its source, on a real model, against PyTorch (tests/parity/transfer_objectives.py).
#include <ATen/ops/rand.h>

#include "nn/numeric_gradient.hpp"
#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "transfer/fixture.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/delta.hpp"
#include "vaetl/objectives/l2_sp.hpp"

namespace vaetl::testing::regularisers_test {
namespace {

const std::map<std::string, at::Tensor>& reference() {
  static const TensorFile file = read_safetensors("tests/parity/transfer_objectives.safetensors");
  return file.tensors;
}

Weights below(const std::string& prefix) {
  Weights weights;
  for (const auto& [name, tensor] : reference()) {
    if (name.starts_with(prefix)) weights[name.substr(prefix.size())] = tensor;
  }
  return weights;
}

Batch reference_batch() {
  Fields fields;
  fields.set("input", reference().at("x"));
  fields.set("target", reference().at("labels"));
  return {{"train", fields}};
}

std::shared_ptr<Model> double_cnn(const Json& more = Json::object()) {
  Json options{{"channels", {4, 5}}, {"dense", {6}}};
  options.update(more);
  auto model = small_cnn(3, options);
  model->to(at::kDouble);
  return model;
}

// A model that was bound at the source's weights and stands at others.
struct Case {
  std::shared_ptr<Model> model = double_cnn();
  Batch data = reference_batch();
  std::shared_ptr<Objective> objective;

  explicit Case(std::shared_ptr<Objective> which) : objective(std::move(which)) {
    load_strict(*model, below("source."), "the source");
    objective->bind(*model, data);
    objective->train();
    load_strict(*model, below("model."), "the model");
  }
  at::Tensor loss() {
    Pass pass(*model, data);
    pass.tap(objective->needs().taps);
    return objective->terms(0, pass).total();
  }
};

// A few hundred additions in float64, of values near 1.
void expect_near(const at::Tensor& found, const at::Tensor& expected, const std::string& what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  EXPECT_LE((found.detach() - expected).abs().max().item<double>(), 1e-12) << what;
}

void expect_equals_reference(Case& c, const std::string& name) {
  Pass pass(*c.model, c.data);
  expect_near(c.objective->backward(0, pass).total(), reference().at(name + ".loss"), name);
  for (const auto& item : c.model->named_parameters()) {
    const at::Tensor& gradient = item.value().grad();
    const at::Tensor found = gradient.defined() ? gradient : at::zeros_like(item.value());
    expect_near(found, reference().at(name + ".gradient." + item.key()), item.key());
  }
}

TEST(L2Sp, OptionsAreDescribed) { expect_fields_cover<objectives::L2Sp::Options>(); }
TEST(Delta, OptionsAreDescribed) { expect_fields_cover<objectives::Delta::Options>(); }

TEST(L2Sp, EqualsTheEquationsInPyTorch) {
  Case c(make<objectives::L2Sp>({.alpha = 0.3, .beta = 0.02}));
  expect_equals_reference(c, "l2_sp");
}

TEST(Delta, EqualsTheEquationInPyTorch) {
  Case c(make<objectives::Delta>({.alpha = 0.7, .channels = "alike"}));
  expect_equals_reference(c, "alike");
}

TEST(Delta, WeighsChannelsByTheRiseOfTheLoss) {
  Case c(make<objectives::Delta>({.alpha = 0.7}));
  for (int i = 0; i < 3; ++i) {
    const at::Tensor expected = reference().at(fmt::format("attention.weights.{}", i));
    const at::Tensor found = state(*c.objective).at(fmt::format("attention.{}", i));
    expect_near(found, expected * static_cast<double>(expected.numel()), "weights");
  }
  expect_equals_reference(c, "attention");
}

// The first group's ReLUs and maxima change sides nowhere within the steps of the differences, as these weights lie.
TEST(Regularisers, GradientsEqualDifferences) {
  for (const char* name : {"l2_sp", "delta"}) {
    Case c(make<Objective>(name, Json::object()));
    const auto parameters = c.model->named_parameters();
    expect_gradients([&] { return c.loss(); }, {parameters["encoder.2.dense.bias"], parameters["encoder.1.conv.bias"]});
  }
}

TEST(Regularisers, AtTheSourceNothingIsAsked) {
  for (const char* name : {"l2_sp", "delta"}) {
    Case c(make<Objective>(name, Json{{"alpha", 1}}));
    load_strict(*c.model, below("source."), "the source");
    for (auto& item : c.model->named_parameters()) {
      if (item.key().starts_with("head.")) item.value().detach().zero_();
    }
    EXPECT_EQ(c.loss().item<double>(), 0) << name;
  }
}

// What is frozen costs nothing and asks for nothing.
TEST(L2Sp, FrozenWeightsAreLeftOut) {
  Case c(make<objectives::L2Sp>({.alpha = 0.3, .beta = 0}));
  const double all = c.loss().item<double>();
  for (auto& item : c.model->named_parameters()) item.value().requires_grad_(!item.key().starts_with("encoder.0."));
  const double less = c.loss().item<double>();
  EXPECT_LT(less, all);
  EXPECT_GT(less, 0);
  for (auto& parameter : c.model->parameters()) parameter.requires_grad_(false);
  EXPECT_EQ(c.loss().item<double>(), 0);
}

// The copy keeps its running statistics and its weights, whatever the objective's mode.
TEST(Delta, TheSourceStandsStill) {
  const auto model = small_cnn(3, {{"batch_norm", true}});
  auto objective = make<objectives::Delta>({.channels = "alike"});
  Fields fields;
  fields.set("input", at::rand({6, 1, 8, 8}));
  const Batch data{{"train", fields}};
  objective->bind(*model, data);
  const Weights before = copied(*model);
  objective->train();
  model->train();
  Pass pass(*model, data);
  objective->backward(0, pass);
  EXPECT_FALSE(at::equal(before.at("encoder.0.norm.running_mean"), state(*model).at("encoder.0.norm.running_mean")));
  for (const auto& [name, tensor] : before) EXPECT_TRUE(at::equal(tensor, state(*objective).at("source." + name)));
  for (const auto& parameter : objective->parameters()) EXPECT_FALSE(parameter.requires_grad());
  EXPECT_EQ(objective->updates()[0].groups, std::vector<std::string>{"*"});
}

// Cross-entropy first or last: the model's own pass runs once, and so do its statistics.
TEST(Delta, SharesThePassOfTheOtherTerms) {
  std::vector<at::Tensor> totals;
  for (const bool first : {true, false}) {
    const auto model = small_cnn(3, {{"batch_norm", true}});
    const std::shared_ptr<Objective> ce = make<objectives::CrossEntropy>(),
                                     delta = make<objectives::Delta>({.channels = "alike"});
    const auto sum = first ? delta + ce : ce + delta;
    Fields fields;
    seed(5);
    fields.set("input", at::rand({6, 1, 8, 8}));
    fields.set("target", at::arange(6).remainder(3));
    const Batch data{{"train", fields}};
    sum->bind(*model, data);
    Pass pass(*model, data);
    totals.push_back(sum->backward(0, pass).total());
    EXPECT_EQ(state(*model).at("encoder.0.norm.num_batches_tracked").item<std::int64_t>(), 1);
  }
  EXPECT_NEAR(totals[0].item<double>(), totals[1].item<double>(), 1e-6);
}

// Steps that are padding do not count: a sequence and the same one with more padding are as far apart.
TEST(Delta, PaddingDoesNotCount) {
  const auto model = make_model("lstm", {{"input", {-1, 3}}, {"hidden", 4}, {"classes", 2}});
  auto objective = make<objectives::Delta>({.channels = "alike"});
  const auto sequences = [](std::int64_t steps) {
    Fields fields;
    seed(3);
    at::Tensor x = at::zeros({2, steps, 3});
    x.slice(1, 0, 4).copy_(at::rand({2, 4, 3}));
    fields.set("input", x);
    fields.set("length", at::full({2}, 4, at::kLong));
    return Batch{{"train", fields}};
  };
  objective->bind(*model, sequences(4));
  for (auto& parameter : model->parameters()) parameter.detach().add_(0.1);
  std::vector<double> found;
  for (const std::int64_t steps : {4, 9}) {
    const Batch data = sequences(steps);
    Pass pass(*model, data);
    pass.tap(objective->needs().taps);
    found.push_back(objective->terms(0, pass).total().item<double>());
  }
  EXPECT_GT(found[0], 0);
  EXPECT_NEAR(found[0], found[1], 1e-6 * found[0]);
}

TEST(Regularisers, WhatDoesNotFitIsTold) {
  const auto model = double_cnn();
  const Batch data = reference_batch();
  expect_error<ConfigError>([&] { make<objectives::L2Sp>({.groups = "encodr.*"})->bind(*model, data); },
                            {"objective l2_sp: groups", "\"encodr.*\"", "encoder.0"});
  expect_error<ConfigError>([&] { make<objectives::Delta>({.groups = {}})->bind(*model, data); },
                            {"objective delta: groups: expected at least one layer group"});
  expect_error<ConfigError>(
      [&] { make<objectives::Delta>({.groups = {"head"}, .channels = "alike"})->bind(*model, data); },
      {"objective delta: groups", "a layer group that the pass runs", "\"head\""});
  expect_error<ConfigError>([&] { make<objectives::Delta>()->bind(*small_vae(), data); },
                            {"objective delta", "Classifier"});
  expect_error<ConfigError>(
      [] {
        make_objective(Json{{"name", "l2_sp"}, {"alpha", -1}});
      },
      {"objective.alpha", "at least 0"});
}

}  // namespace
}  // namespace vaetl::testing::regularisers_test
