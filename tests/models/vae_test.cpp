// Variational autoencoders with conditions, learned priors and every likelihood: what their options do and refuse.
// Values against PyTorch are in parity_vae_test.cpp.
#include <ATen/ops/allclose.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/unique_dim.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/models/conv_vae.hpp"
#include "vaetl/models/vae.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/nn/variational.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/iwae.hpp"
#include "vaetl/recipe/generate.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::vae_test {
namespace {

using models::ConvVae;
using models::Vae;

Fields example(std::vector<std::int64_t> shape, const at::Tensor& condition = {}) {
  Fields fields;
  fields.set("input", at::rand(shape));
  if (condition.defined()) fields.set("condition", condition);
  return fields;
}

at::Tensor classes(std::vector<std::int64_t> values) { return at::tensor(values, at::kLong); }

ModelSpec small_vae(Json more) {
  more.update({{"input", {1, 12, 12}}, {"widths", {32}}, {"latent", 4}});
  return {"vae", std::move(more)};
}

std::shared_ptr<Model> built(const ModelSpec& spec) {
  seed(1);
  return build(spec);
}

double elbo_after(const ModelSpec& spec, const std::shared_ptr<Objective>& objective, std::int64_t steps,
                  const std::string& metric = "elbo") {
  const auto model = built(spec);
  Trainer trainer({.steps = steps, .batch_size = 32, .optimizer = {"adam", {{"lr", 2e-3}}}, .device = "cpu"});
  if (steps > 0) trainer.fit(model, objective, blobs(200));
  return evaluate(*model, blobs(100, 4, 9), {metric}).at(metric);
}

TEST(VaeLikelihoods, AllOfThemLearn) {
  for (std::string_view name : nn::likelihoods) {
    if (name.empty()) continue;
    const ModelSpec spec = small_vae({{"likelihood", name}});
    const double before = elbo_after(spec, make<objectives::Elbo>(), 0);
    const double after = elbo_after(spec, make<objectives::Elbo>(), 60);
    EXPECT_GT(after, before + 5) << name;
  }
}

// Two maps of a convolutional decoder are split map by map, whatever their order in memory.
TEST(VaeLikelihoods, TwoMapsOfEveryChannel) {
  seed(1);
  const auto model =
      make<ConvVae>({.input = {3, 8, 8}, .channels = {4}, .dense = {}, .latent = 2, .likelihood = "beta_binomial"});
  const auto likelihood = model->decode(at::randn({2, 2}));
  EXPECT_EQ(likelihood->mean().sizes(), at::IntArrayRef({2, 3, 8, 8}));
  const at::NoGradGuard no_grad;
  state(*model).at("decoder.1.conv.bias").zero_();
  state(*model).at("decoder.1.conv.weight").zero_();
  // log α of the first channel, log β of the last.
  state(*model).at("decoder.1.conv.bias").copy_(at::tensor({1.0, 0.0, 0.0, 0.0, 0.0, 2.0}));
  const at::Tensor mean = model->decode(at::randn({1, 2}))->mean()[0].flatten(1).mean(1);
  EXPECT_GT(mean[0].item<float>(), 0.7);
  EXPECT_NEAR(mean[1].item<float>(), 0.5, 1e-6);
  EXPECT_LT(mean[2].item<float>(), 0.2);
}

TEST(ConditionalVae, SaysSoInSignatureAndCapabilities) {
  const auto model = built(small_vae({{"conditions", 4}}));
  EXPECT_TRUE(offers(*model, "Conditional"));
  EXPECT_FALSE(offers(*built(small_vae(Json::object())), "Conditional"));
  const FieldInfo condition = model->signature().inputs.at("condition");
  EXPECT_TRUE(condition.shape.empty());
  EXPECT_EQ(condition.dtype, at::kLong);
  EXPECT_EQ(condition.high, 3);
  EXPECT_FALSE(built(small_vae(Json::object()))->signature().inputs.contains("condition"));
}

TEST(ConditionalVae, DependsOnTheClass) {
  for (const ModelSpec& spec :
       {small_vae({{"conditions", 4}}),
        ModelSpec{"conv_vae", {{"input", {1, 12, 12}}, {"channels", {2}}, {"conditions", 4}}}}) {
    const auto model = built(spec);
    model->eval();
    Fields fields = example({2, 1, 12, 12}, classes({0, 1}));
    auto& vae = require<Variational>(*model);
    const Gaussian q = vae.posterior(fields);
    EXPECT_TRUE(at::equal(vae.encode(fields), q.mean));
    fields.set("condition", classes({0, 2}));
    const Gaussian other = vae.posterior(fields);
    EXPECT_TRUE(at::equal(other.mean[0], q.mean[0]));
    EXPECT_FALSE(at::equal(other.mean[1], q.mean[1]));
    auto& generator = require<Generator>(*model);
    const at::Tensor noise = at::randn({2, generator.noise_size()});
    const at::Tensor first = generator.generate(noise, classes({3, 3})),
                     second = generator.generate(noise, classes({3, 0}));
    EXPECT_TRUE(at::equal(first[0], second[0]));
    EXPECT_FALSE(at::equal(first[1], second[1]));
  }
}

// What it makes of a class lies in that class's rows of the picture.
TEST(ConditionalVae, LearnsWhatEachClassLooksLike) {
  const auto model = built(small_vae({{"conditions", 4}}));
  Trainer({.steps = 150, .batch_size = 32, .optimizer = {"adam", {{"lr", 5e-3}}}, .device = "cpu"})
      .fit(model, make<objectives::Elbo>(), blobs(400));
  model->eval();
  auto& generator = require<Generator>(*model);
  for (std::int64_t k = 0; k < 4; ++k) {
    const at::Tensor made =
        generator.generate(at::randn({16, generator.noise_size()}), classes(std::vector<std::int64_t>(16, k)));
    const at::Tensor by_class = made.view({16, 4, 36}).mean(2).argmax(1);
    EXPECT_TRUE(by_class.eq(k).all().item<bool>()) << "class " << k << ": " << by_class;
  }
  const double nll = evaluate(*model, blobs(50, 4, 9), {"nll?samples=20"}).at("nll?samples=20");
  EXPECT_LT(nll, -evaluate(*model, blobs(50, 4, 9), {"elbo"}).at("elbo"));
}

TEST(ConditionalVae, RefusesOtherConditions) {
  const auto model = built(small_vae({{"conditions", 4}}));
  auto& vae = require<Variational>(*model);
  const at::Tensor z = at::zeros({2, 4});
  expect_error<DataError>([&] { vae.decode(z); },
                          {"model \"vae\": expected a condition for each of 2 examples, found none"});
  expect_error<DataError>([&] { vae.decode(z, classes({1})); }, {"a condition for each of 2 examples", "(1)"});
  expect_error<DataError>([&] { vae.decode(z, classes({1, 4})); }, {"conditions from 0 to 3", "found 4"});
  expect_error<DataError>([&] { vae.decode(z, at::zeros({2})); }, {"a condition of shape (N), int64", "float32"});
  expect_error<DataError>([&] { vae.encode(example({2, 1, 12, 12})); }, {"a field \"condition\" or \"target\""});
}

TEST(VaePriors, HaveAGroupAndAreLearned) {
  for (const std::string prior : {"mixture", "vamp"}) {
    SCOPED_TRACE(prior);
    const ModelSpec spec = small_vae({{"prior", prior}, {"components", 6}});
    const auto model = built(spec);
    check_groups(*model);
    EXPECT_EQ(match_groups(*model, "prior", "test"), std::vector<std::string>{"prior"});
    EXPECT_EQ(require<Generator>(*model).noise_size(), 5);
    const at::Tensor made = require<Generator>(*model).generate(at::randn({3, 5}));
    EXPECT_EQ(made.sizes(), at::IntArrayRef({3, 1, 12, 12}));
    const Checksum before = checksum(*model);
    Trainer({.steps = 3, .batch_size = 32, .device = "cpu"}).fit(model, make<objectives::Elbo>(), blobs(64));
    const Checksum after = checksum(*model);
    for (const auto& [name, sum] : before.tensors) EXPECT_NE(after.tensors.at(name), sum) << name;
    EXPECT_GT(elbo_after(spec, make<objectives::Elbo>(), 60), elbo_after(spec, make<objectives::Elbo>(), 0) + 5);
    EXPECT_GT(elbo_after(spec, make<objectives::Iwae>(), 60), elbo_after(spec, make<objectives::Elbo>(), 0) + 5);
    const auto copy = clone(*model);
    EXPECT_EQ(checksum(*copy), checksum(*model));
    expect_error<DataError>(
        [&] {
          require<Generator>(*model).generate(at::randn({3, 4}));
        },
        {"model \"vae\": expected noise of shape (N, 5), found (3, 4)"});
  }
}

// The same picture has other latents under another class, and its learned prior knows which: nothing of a class's prior
// is where another's codes are, once both have learnt. What it generates is of the class.
TEST(ConditionalVae, LearnedPriorsAreOfTheClass) {
  for (const std::string prior : {"mixture", "vamp"}) {
    SCOPED_TRACE(prior);
    const auto model = built(small_vae({{"conditions", 4}, {"prior", prior}, {"components", 8}}));
    check_groups(*model);
    auto& vae = require<Variational>(*model);
    const at::Tensor z = at::randn({3, 4});
    EXPECT_EQ(vae.log_prior(z, classes({0, 1, 2})).sizes(), at::IntArrayRef({3}));
    expect_error<DataError>([&] { vae.log_prior(z); }, {"a condition for each of 3 examples, found none"});
    expect_error<DataError>([&] { vae.log_prior(z, classes({0, 1, 4})); }, {"conditions from 0 to 3", "found 4"});
    auto& generator = require<Generator>(*model);
    expect_error<DataError>([&] { generator.generate(at::randn({2, 5})); }, {"a condition for each of 2 examples"});
    const Checksum before = checksum(*model);
    Trainer({.steps = 200, .batch_size = 32, .optimizer = {"adam", {{"lr", 5e-3}}}, .device = "cpu"})
        .fit(model, make<objectives::Elbo>(), blobs(400));
    for (const auto& [name, sum] : checksum(*model).tensors) EXPECT_NE(before.tensors.at(name), sum) << name;
    model->eval();
    for (std::int64_t k = 0; k < 4; ++k) {
      const at::Tensor made = generator.generate(at::randn({16, 5}), classes(std::vector<std::int64_t>(16, k)));
      const at::Tensor by_class = made.view({16, 4, 36}).mean(2).argmax(1);
      EXPECT_TRUE(by_class.eq(k).all().item<bool>()) << "class " << k << ": " << by_class;
    }
    const auto scores = evaluate(*model, blobs(50, 4, 9), {"elbo", "nll?samples=20"});
    EXPECT_LT(scores.at("nll?samples=20"), -scores.at("elbo"));
  }
}

// Weights of the classes that name other components: each class's codes are likely under its own weights alone, in the
// ELBO, in importance weights and in what is generated.
TEST(ConditionalVae, EveryScoreReadsThePriorOfTheClass) {
  const auto model = built(small_vae({{"conditions", 2}, {"prior", "mixture"}, {"components", 2}}));
  const at::NoGradGuard no_grad;
  state(*model).at("prior.mean").copy_(at::tensor({-3.0, 3.0}).view({2, 1}).expand({2, 4}));
  state(*model).at("prior.logits").copy_(at::tensor({100.0, 0.0, 0.0, 100.0}).view({2, 2}));
  auto& vae = require<Variational>(*model);
  const Gaussian q{at::full({2, 4}, 3.0), at::zeros({2, 4})};
  const at::Tensor kl = kl_to_prior(vae, q, q.mean, classes({0, 1}));
  EXPECT_NEAR((kl[0] - kl[1]).item<float>(), 4 * 36 / 2, 1e-3);
  const at::Tensor noise = at::zeros({1, 2, 4});
  const at::Tensor x = at::full({2, 1, 12, 12}, 0.5);
  const at::Tensor w = log_weights(vae, q, noise, x, classes({0, 1}))[0];
  const at::Tensor log_prob = vae.decode(q.mean, classes({0, 1}))->log_prob(x);
  EXPECT_NEAR(((w - log_prob)[0] - (w - log_prob)[1] + kl[0] - kl[1]).item<float>(), 0, 1e-3);
  const at::Tensor made = require<Generator>(*model).generate(at::zeros({2, 5}), classes({0, 1}));
  const at::Tensor decoded =
      vae.decode(at::tensor({-3.0, 3.0}).to(at::kFloat).view({2, 1}).expand({2, 4}), classes({0, 1}))->mean();
  EXPECT_TRUE(at::allclose(made, decoded, 0, 1e-6));
}

TEST(VaePriors, OfTheStandardNormalIsNone) {
  EXPECT_FALSE(require<Variational>(*built(small_vae(Json::object()))).log_prior(at::zeros({1, 4})).defined());
}

TEST(VaePriors, FreeBitsWantTheStandardOne) {
  auto objective = make<objectives::Elbo>({.free_bits = 0.5});
  objective->bind(*built(small_vae(Json::object())), {});
  expect_error<ConfigError>(
      [&] {
        objective->bind(*built(small_vae({{"prior", "mixture"}})), {});
      },
      {"objective.free_bits: expected 0 where the model's prior is not standard, found 0.5"});
  objective->bind(*built(small_vae({{"conditions", 4}})), {});
  expect_error<ConfigError>(
      [&] {
        objective->bind(*built(small_vae({{"prior", "vamp"}, {"conditions", 4}})), {});
      },
      {"objective.free_bits"});
}

// With them, dimensions that a high β would let collapse keep about so many nats.
TEST(FreeBits, KeepDimensionsInUse) {
  const auto kl_with = [](double free_bits) {
    const auto model = built(small_vae(Json::object()));
    const auto objective = make<objectives::Elbo>({.beta = 20.0, .free_bits = free_bits});
    Trainer({.steps = 150, .batch_size = 32, .optimizer = {"adam", {{"lr", 5e-3}}}, .device = "cpu"})
        .fit(model, objective, blobs(200));
    double kl = 0;
    visit(*model, blobs(100, 4, 9), [&](Pass& pass) { kl = pass.posterior().kl_to_standard().mean().item<double>(); });
    return kl;
  };
  EXPECT_LT(kl_with(0), 1);
  EXPECT_GT(kl_with(1), 2.5);  // of four dimensions
}

TEST(VaeOptions, RefuseWhatWouldDoNothingOrCannotBe) {
  const auto refused = [](const ModelSpec& spec, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { build(spec); }, parts);
  };
  refused(small_vae({{"sigma", 0.2}}), {"sigma", "the likelihood gaussian", "leave it out"});
  refused(small_vae({{"components", 7}}), {"components", "the prior mixture or vamp"});
  refused(small_vae({{"conditions", 1}}), {"conditions: expected 0 (not conditional) or at least 2, found 1"});
  refused(small_vae({{"prior", "vamp"}, {"conditions", 4}, {"components", 3}}),
          {"components: expected at least 4, a pseudo-input for each of the conditions, found 3"});
  refused({"conv_vae", {{"prior", "vamp"}, {"batch_norm", true}}}, {"prior", "switch batch_norm off"});
  refused(small_vae({{"prior", "vmap"}}), {"prior", "\"vmap\"", "did you mean \"vamp\""});
  refused(small_vae({{"likelihood", "logistic"}}), {"likelihood", "\"discretised_logistic\""});
  EXPECT_NO_THROW(build(small_vae({{"likelihood", "gaussian"}, {"sigma", 0.2}})));
}

TEST(VaeOptions, SigmaChangesTheLikelihood) {
  const auto log_prob = [](double sigma) {
    const auto model = built(small_vae({{"likelihood", "gaussian"}, {"sigma", sigma}}));
    return require<Decoder>(*model).decode(at::zeros({1, 4}))->log_prob(at::zeros({1, 1, 12, 12})).item<double>();
  };
  EXPECT_GT(std::abs(log_prob(0.2) - log_prob(0.5)), 1);
}

TEST(VaePriors, TemperatureLeavesTheChoiceOfComponentsAlone) {
  const auto model = built(small_vae({{"prior", "mixture"}, {"components", 4}}));
  const auto made = recipe::generate(*model, {.count = 200, .temperature = 0, .seed = 1}).values.flatten(1);
  const at::Tensor counts = at::bincount(std::get<1>(at::unique_dim(made, 0, true, true)));
  ASSERT_EQ(counts.size(0), 4) << "every component's mean, and nothing else";
  EXPECT_GT(counts.min().item<std::int64_t>(), 25);
}

}  // namespace
}  // namespace vaetl::testing::vae_test
