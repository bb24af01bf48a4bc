#include "vaetl/objectives/simclr.hpp"

#include "nn/numeric_gradient.hpp"
#include "objectives/support.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing::simclr_test {
namespace {

Weights reference_head() {
  Weights weights;
  for (const char* name : {"0.weight", "0.bias", "2.weight", "2.bias"}) {
    weights[std::string("projection.") + name] = reference(std::string("simclr.head.") + name);
  }
  return weights;
}

struct Case {
  ToyModel model{6, 1};  // its features are its inputs
  at::Tensor first = reference("simclr.first").clone().requires_grad_();
  at::Tensor second = reference("simclr.second").clone().requires_grad_();
  Batch data = batch({{"input", first}, {"input.1", second}});
  std::shared_ptr<objectives::SimClr> objective;

  explicit Case(double temperature = 0.5) {
    objective = make<objectives::SimClr>({.temperature = temperature, .projection = {7, 4}});
    objective->bind(model, data);
    objective->to(at::kDouble);
    load_strict(*objective, reference_head(), "the reference");
  }
};

void expect_equal(const std::string& name, double temperature) {
  Case c(temperature);
  Pass pass(c.model, c.data);
  const Terms terms = c.objective->backward(0, pass);
  expect_near(value(terms.minimised(), "contrast"), reference("simclr." + name + ".loss"));
  expect_near(value(terms.logged(), "contrast_accuracy"), reference("simclr." + name + ".accuracy"));
  expect_near(at::cat({c.first.grad(), c.second.grad()}), reference("simclr." + name + ".gradient"));
}

TEST(SimClr, OptionsAreDescribed) { expect_fields_cover<objectives::SimClr::Options>(); }
TEST(SimClr, EqualsTheEquationInPyTorch) { expect_equal("warm", 0.5); }
TEST(SimClr, TemperatureCounts) { expect_equal("cold", 0.1); }

TEST(SimClr, InstanceWeightsCount) {
  Case c;
  c.data.begin()->second.set("weight", reference("simclr.weight"));
  Pass pass(c.model, c.data);
  expect_near(c.objective->terms(0, pass).total(), reference("simclr.warm.weighted"));
}

TEST(SimClr, GradientsEqualDifferences) {
  Case c;
  auto loss = [&] {
    Pass pass(c.model, c.data);
    return c.objective->terms(0, pass).total();
  };
  std::vector<at::Tensor> variables = c.objective->parameters();
  variables.push_back(c.model.encoder);
  expect_gradients(loss, variables);
}

// Equal views of examples at right angles: every partner is found, and the loss is log(1 + (2N − 2) exp(−1 / τ)).
TEST(SimClr, WithoutAProjectionTheFeaturesAreCompared) {
  ToyModel model(4, 1);
  const at::Tensor x = at::eye(4, at::kDouble);
  const Batch data = batch({{"input", x}, {"input.1", 3 * x}});
  auto objective = make<objectives::SimClr>({.temperature = 0.5, .projection = {}});
  objective->bind(model, data);
  EXPECT_TRUE(objective->parameters().empty());
  Pass pass(model, data);
  const Terms terms = objective->terms(0, pass);
  expect_near(terms.total(), at::scalar_tensor(std::log(1 + 6 * std::exp(-2.0)), at::kDouble));
  EXPECT_EQ(value(terms.logged(), "contrast_accuracy").item<double>(), 1);
}

TEST(SimClr, ProjectionIsSavedAndLoaded) {
  Case from;
  auto to = make<objectives::SimClr>({.projection = {7, 4}});
  to->bind(from.model, from.data);
  to->to(at::kDouble);
  Pass pass(from.model, from.data);
  EXPECT_NE(to->terms(0, pass).total().item<double>(), from.objective->terms(0, pass).total().item<double>());
  load_strict(*to, state(*from.objective), "the checkpoint");
  EXPECT_EQ(to->terms(0, pass).total().item<double>(), from.objective->terms(0, pass).total().item<double>());
}

TEST(SimClr, BoundAgainItStartsAfresh) {
  Case c;
  const std::size_t count = state(*c.objective).size();
  c.objective->bind(c.model, c.data);
  EXPECT_EQ(state(*c.objective).size(), count);
  EXPECT_FALSE(
      at::allclose(state(*c.objective).at("projection.0.weight").to(at::kDouble), reference("simclr.head.0.weight")));
}

TEST(SimClr, AnExampleAloneGivesNoLoss) {
  Case c;
  const Batch one = batch({{"input", c.first.narrow(0, 0, 1)}, {"input.1", c.second.narrow(0, 0, 1)}});
  Pass pass(c.model, one);
  EXPECT_EQ(c.objective->terms(0, pass).total().item<double>(), 0);
}

TEST(SimClr, SaysWhatIsMissing) {
  Case c;
  const BareModel bare;
  expect_error<ConfigError>([&] { c.objective->bind(const_cast<BareModel&>(bare), c.data); }, {"offers Encoder"});
  const Batch single = batch({{"input", c.first}});
  expect_error<ConfigError>([&] { c.objective->bind(c.model, single); },
                            {"2 views of each example", "found 1", "set data.views to 2"});
  Batch three = c.data;
  three.begin()->second.set("input.2", c.first);
  expect_error<ConfigError>([&] { c.objective->bind(c.model, three); }, {"two views of each example", "found more"});
  expect_error<ConfigError>(
      [] {
        make_objective(Json{{"name", "simclr"}, {"temperature", 0}});
      },
      {"objective.temperature"});
  expect_error<ConfigError>(
      [] {
        make_objective(Json{{"name", "simclr"}, {"projection", {0}}});
      },
      {"objective.projection[0]"});
}

}  // namespace
}  // namespace vaetl::testing::simclr_test
