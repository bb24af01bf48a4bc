// Variational autoencoders against the same ones in PyTorch, in float64 (tests/parity/vae.py): losses, gradients, ten
// steps of Adam; priors; likelihoods; and the NLL of a model whose p(x) is known.
#include <ATen/Context.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "nn/numeric_gradient.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/models/vae.hpp"
#include "vaetl/nn/likelihood.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/train/optimizer.hpp"

namespace vaetl::testing::parity_vae_test {
namespace {

class VaeReference {
 public:
  explicit VaeReference(std::string name) : name_(std::move(name)) {}
  const at::Tensor& operator[](const std::string& key) const { return file().tensors.at(name_ + "/" + key); }
  bool has(const std::string& key) const { return file().tensors.contains(name_ + "/" + key); }
  Weights all(const std::string& kind) const {
    const std::string prefix = name_ + "/" + kind + ".";
    Weights result;
    for (const auto& [name, tensor] : file().tensors) {
      if (name.starts_with(prefix)) result[name.substr(prefix.size())] = tensor;
    }
    return result;
  }

 private:
  static const TensorFile& file() {
    static const TensorFile file = read_safetensors("tests/parity/vae.safetensors");
    return file;
  }
  std::string name_;
};

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a.detach().to(at::kDouble) - b).abs().max().item<double>();
}

// float64 on both sides: sums of fewer than 1000 terms below 1000 in another order differ by 1000 · 1000 · 2⁻⁵³.
constexpr double rounding = 1e-10;
// Adam divides by √v, which early on is as small as the gradient itself; ten steps of 0.02 carry on what rounding did.
constexpr double rounding_of_steps = 1e-8;

std::shared_ptr<Model> double_model(const ModelSpec& spec, const Weights& weights) {
  auto model = build(spec);
  model->to(at::kDouble);
  load_strict(*model, weights, "reference");
  return model;
}

struct Case {
  std::string name;
  ModelSpec model;
  Json objective;
};

ModelSpec dense(Json more = Json::object()) {
  more.update({{"input", {1, 3, 4}}, {"widths", {6}}, {"latent", 3}});
  return {"vae", more};
}

std::vector<Case> cases() {
  const Json mixture = {{"prior", "mixture"}, {"components", 5}}, vamp = {{"prior", "vamp"}, {"components", 5}};
  Json conditional_mixture = mixture, conditional_vamp = vamp;
  conditional_mixture["conditions"] = conditional_vamp["conditions"] = 3;
  const Json iwae = {{"name", "iwae"}, {"samples", 4}};
  const ModelSpec conditional = {"conv_vae",
                                 {{"input", {1, 8, 8}},
                                  {"channels", {2, 4}},
                                  {"downsample", "stride"},
                                  {"dense", {5}},
                                  {"latent", 3},
                                  {"conditions", 3},
                                  {"likelihood", "discretised_logistic"}}};
  return {{"conditional", conditional, "elbo"},
          {"iwae", dense(), iwae},
          {"mixture", dense(mixture), "elbo"},
          {"vamp", dense(vamp), "elbo"},
          {"vamp_iwae", dense(vamp), iwae},
          {"conditional_mixture", dense(conditional_mixture), "elbo"},
          {"conditional_mixture_iwae", dense(conditional_mixture), iwae},
          {"conditional_vamp", dense(conditional_vamp), "elbo"}};
}

class ParityVae : public ::testing::TestWithParam<Case> {
 protected:
  Batch batch() const {
    Fields fields;
    fields.set("input", reference_["x"]);
    if (reference_.has("condition")) fields.set("condition", reference_["condition"]);
    return {{"train", fields}};
  }
  // Seeds the noise that the reference drew in this step.
  void draw_as_reference(std::int64_t step) const {
    const at::Tensor noise = reference_["noise"][step];
    at::manual_seed(static_cast<std::uint64_t>(step));
    ASSERT_LE(distance(at::randn(noise.sizes(), at::kDouble), noise), rounding) << "this LibTorch draws other numbers";
    at::manual_seed(static_cast<std::uint64_t>(step));
  }

  VaeReference reference_{GetParam().name};
  std::shared_ptr<Model> model_ = double_model(GetParam().model, reference_.all("weights"));
  std::shared_ptr<Objective> objective_ = make_objective(GetParam().objective);
};

TEST_P(ParityVae, LossAndGradientsEqualPyTorch) {
  const Batch data = batch();
  draw_as_reference(0);
  Pass pass(*model_, data);
  const Terms terms = objective_->backward(0, pass);
  EXPECT_LE(distance(terms.total(), reference_["loss"]), rounding);
  const Weights expected = reference_.all("grad");
  ASSERT_EQ(expected.size(), model_->named_parameters().size());
  for (const auto& item : model_->named_parameters()) {
    EXPECT_LE(distance(item.value().grad(), expected.at(item.key())), rounding) << item.key();
  }
}

TEST_P(ParityVae, TenStepsEqualPyTorch) {
  const Batch data = batch();
  auto optimizer = registry<Optimizer>().make({"adam", {{"lr", 0.02}}});
  ParameterSet set;
  for (const auto& item : model_->named_parameters()) {
    set.names.push_back(item.key());
    set.parameters.push_back(item.value());
  }
  for (std::int64_t step = 0; step < 10; ++step) {
    draw_as_reference(step);
    model_->zero_grad();
    Pass pass(*model_, data);
    objective_->backward(0, pass);
    const at::NoGradGuard no_grad;
    optimizer->set_parameters({set});
    optimizer->step(1);
  }
  for (const auto& [name, tensor] : reference_.all("after")) {
    EXPECT_LE(distance(state(*model_).at(name), tensor), rounding_of_steps) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Reference, ParityVae, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

TEST(ParityPriors, EqualPyTorch) {
  for (const auto& [prior, conditions] :
       {std::pair{"mixture", 0}, std::pair{"mixture", 3}, std::pair{"vamp", 0}, std::pair{"vamp", 3}}) {
    SCOPED_TRACE(fmt::format("{} of {} conditions", prior, conditions));
    const VaeReference reference(fmt::format("prior.{}.{}", prior, conditions));
    const ModelSpec spec = dense({{"prior", prior}, {"components", 5}, {"conditions", conditions}});
    const auto model = double_model(spec, reference.all("weights"));
    const at::Tensor z = reference["z"].clone().requires_grad_();
    const at::Tensor condition = conditions > 0 ? reference["condition"] : at::Tensor();
    const at::Tensor log_prior = require<Variational>(*model).log_prior(z, condition);
    EXPECT_LE(distance(log_prior, reference["log_prior"]), rounding);
    log_prior.sum().backward();
    EXPECT_LE(distance(z.grad(), reference["grad_z"]), rounding);
    const Weights expected = reference.all("grad");
    ASSERT_FALSE(expected.empty());
    for (const auto& item : model->named_parameters()) {
      ASSERT_EQ(item.value().grad().defined(), expected.contains(item.key())) << item.key();
      if (!expected.contains(item.key())) continue;
      EXPECT_LE(distance(item.value().grad(), expected.at(item.key())), rounding) << item.key();
    }
  }
}

TEST(ParityLikelihoods, EqualDefinitions) {
  const VaeReference given("likelihood");
  for (const std::string name : {"learned_gaussian", "discretised_logistic", "beta_binomial"}) {
    SCOPED_TRACE(name);
    const VaeReference reference("likelihood." + name);
    const at::Tensor raw = given["raw"].clone().requires_grad_();
    const auto likelihood = nn::make_likelihood(name, raw);
    const at::Tensor log_prob = likelihood->log_prob(given["x"]);
    // The urn's 1000 logarithms, and the logistic's differences far out, lose some digits in the reference.
    EXPECT_LE(distance(log_prob, reference["log_prob"]), 1e-9);
    log_prob.sum().backward();
    EXPECT_LE(distance(raw.grad(), reference["gradient"]), 1e-8);
    // The logistic's is a midpoint rule over 255 steps of a curve whose slope changes within s: h² / (24 s) of it.
    EXPECT_LE(distance(likelihood->mean(), reference["mean"]), 1e-4);
  }
}

// p(x) of a linear decoder with Gaussian noise is Gaussian, and with the exact posterior each weight is p(x).
class LinearVae : public ::testing::Test {
 protected:
  double score(const std::string& metric) {
    Fields fields;
    fields.set("input", reference_["x"]);
    const Batch data = {{"train", fields}};
    Pass pass(*model_, data);
    const at::NoGradGuard no_grad;
    const auto made = make_metric(metric);
    made->update(pass);
    return made->result();
  }
  double exact() const { return -reference_["log_p"].mean().item<double>(); }

  VaeReference reference_{"linear"};
  std::shared_ptr<Model> model_ =
      double_model(spec<models::Vae>({.input = {5}, .widths = {}, .latent = 2, .likelihood = "gaussian", .sigma = 0.3}),
                   reference_.all("weights"));
};

TEST_F(LinearVae, NllIsExactWithTheExactPosterior) {
  EXPECT_NEAR(score("nll?samples=1"), exact(), 1e-6);  // the noise is drawn in float32
  EXPECT_NEAR(score("nll?samples=7"), exact(), 1e-6);
  EXPECT_NEAR(-score("elbo"), exact(), 1.5);  // one sample's own scatter
}

// From a posterior that is 1.4 times too wide the weights scatter: their relative variance is below 1 for two
// dimensions, so the mean over 40 examples of log of a mean of k weights is off by about 1 / (2 k) and scatters by 1 /
// √(40 k).
TEST_F(LinearVae, NllNearsItFromAnotherPosterior) {
  const at::NoGradGuard no_grad;
  state(*model_).at("latent.log_var.bias").add_(2 * std::log(1.4));
  EXPECT_NEAR(score("nll?samples=2000"), exact(), 4 / std::sqrt(40 * 2000.0));
  EXPECT_GT(score("nll?samples=1"), exact() + 0.05);
}

}  // namespace
}  // namespace vaetl::testing::parity_vae_test
