// Values against definitions written out in Python are in tests/models/parity_vae_test.cpp.
#include "vaetl/nn/discrete_likelihood.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "nn/numeric_gradient.hpp"
#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/likelihood.hpp"

namespace vaetl::testing::discrete_likelihood_test {
namespace {

const std::vector<std::string> two_map_likelihoods = {"learned_gaussian", "discretised_logistic", "beta_binomial"};
const std::vector<std::string> level_likelihoods = {"discretised_logistic", "beta_binomial"};

// (256, 2, 1): the same two numbers for every level.
at::Tensor for_every_level(double first, double second) {
  return at::tensor({first, second}, at::kDouble).view({1, 2, 1}).expand({256, 2, 1});
}

at::Tensor levels() { return at::arange(256, at::kDouble).view({256, 1}) / 255; }

// What a number far out makes of the probabilities too: they stay probabilities.
TEST(DiscreteLikelihoods, ProbabilitiesOfTheLevelsSumToOne) {
  for (const auto& name : level_likelihoods) {
    for (const double first : {-40.0, -1.0, 0.2, 1.0, 40.0}) {
      for (const double second : {-40.0, -4.0, 0.0, 3.0, 40.0}) {
        const auto log_prob = nn::make_likelihood(name, for_every_level(first, second))->log_prob(levels());
        EXPECT_NEAR(log_prob.exp().sum().item<double>(), 1, 1e-9) << name << ' ' << first << ' ' << second;
        EXPECT_LE(log_prob.max().item<double>(), 1e-12);
        EXPECT_TRUE(log_prob.isfinite().all().item<bool>()) << name << ' ' << first << ' ' << second;
      }
    }
  }
}

TEST(DiscreteLikelihoods, NearestLevelCounts) {
  for (const auto& name : level_likelihoods) {
    const auto likelihood = nn::make_likelihood(name, at::randn({1, 2, 3}, at::kDouble));
    const at::Tensor exact = at::tensor({0.0, 7.0, 255.0}, at::kDouble).view({1, 3}) / 255;
    const at::Tensor near = exact + at::tensor({0.4, -0.4, 0.4}, at::kDouble) / 255;
    EXPECT_TRUE(at::equal(likelihood->log_prob(near), likelihood->log_prob(exact))) << name;
  }
}

TEST(DiscreteLikelihoods, Gradients) {
  seed(3);
  for (const auto& name : two_map_likelihoods) {
    const at::Tensor raw = at::randn({2, 2, 1, 3}, at::kDouble).requires_grad_();
    const at::Tensor x = at::tensor({0.0, 1.0, 0.2, 0.4, 0.0, 0.9}, at::kDouble).view({2, 1, 3});
    expect_gradients([&] { return nn::make_likelihood(name, raw)->log_prob(x); }, {raw});
    expect_gradients([&] { return nn::make_likelihood(name, raw)->mean(); }, {raw});
  }
}

// 20,000 draws of each: the mean of values in [0, 1] is then off by less than 4 · 0.5 / √20000.
TEST(DiscreteLikelihoods, SamplesHaveTheMean) {
  seed(4);
  constexpr std::int64_t draws = 20000;
  for (const auto& name : level_likelihoods) {
    const at::Tensor raw = at::tensor({0.4, -3.0, 1.2, -1.0, -0.5, 1.0}).view({1, 3, 2}).transpose(1, 2);
    const auto likelihood = nn::make_likelihood(name, raw.expand({draws, 2, 3}));
    const at::Tensor sample = likelihood->sample();
    EXPECT_TRUE(at::allclose((sample * 255).round(), sample * 255, 0, 1e-4)) << name;
    EXPECT_GE(sample.min().item<float>(), 0);
    EXPECT_LE(sample.max().item<float>(), 1);
    const at::Tensor off = sample.mean(0) - likelihood->mean()[0];
    EXPECT_LE(off.abs().max().item<float>(), 4 * 0.5 / std::sqrt(draws)) << name;
  }
}

// Against log p itself, which goes another way; double precision loses about 10⁻¹⁴ over the steps between the levels.
TEST(OverLevels, MassesAreThoseOfLogProb) {
  seed(6);
  for (const std::string name : {"discretised_logistic", "beta_binomial", "bernoulli"}) {
    SCOPED_TRACE(name);
    const bool two = nn::likelihood_maps(name) == 2;
    const at::Tensor output = 4 * (two ? at::randn({3, 2, 5, 7}, at::kDouble) : at::randn({3, 5, 7}, at::kDouble));
    const auto likelihood = nn::make_likelihood(name, output);
    const auto* over = dynamic_cast<const nn::OverLevels*>(likelihood.get());
    ASSERT_NE(over, nullptr);
    const at::Tensor masses = over->masses(1);
    ASSERT_EQ(masses.sizes(), at::IntArrayRef({35, over->levels()}));
    for (std::int64_t k = 0; k < over->levels(); ++k) {
      const double value = static_cast<double>(k) / static_cast<double>(over->levels() - 1);
      const at::Tensor x = at::full({3, 5, 7}, value, at::kDouble);
      const at::Tensor expected = likelihood->log_prob_each(x)[1].flatten().exp();
      EXPECT_TRUE(at::allclose(masses.select(1, k), expected, 1e-9, 1e-12)) << k;
    }
  }
}

// The ends of what the network can say: masses stay masses.
TEST(OverLevels, MassesAreFiniteFarOut) {
  for (const auto& name : level_likelihoods) {
    for (const double first : {-40.0, 0.2, 40.0}) {
      for (const double second : {-40.0, 0.0, 40.0}) {
        const auto likelihood = nn::make_likelihood(name, for_every_level(first, second));
        const at::Tensor masses = dynamic_cast<const nn::OverLevels&>(*likelihood).masses(0);
        EXPECT_NEAR(masses.sum().item<double>(), 1, 1e-12) << name << ' ' << first << ' ' << second;
        EXPECT_GE(masses.min().item<double>(), 0);
      }
    }
  }
}

TEST(OverLevels, DensitiesAreNone) {
  for (const std::string name : {"gaussian", "learned_gaussian"}) {
    const auto likelihood = nn::make_likelihood(name, at::rand({1, 2, 3}));
    EXPECT_EQ(dynamic_cast<const nn::OverLevels*>(likelihood.get()), nullptr) << name;
  }
}

TEST(LearnedGaussian, DrawsWithItsDeviationAndNoLess) {
  seed(5);
  const at::Tensor raw = at::tensor({0.3f, -1.0f, 0.3f, -90.0f}).view({1, 2, 2}).transpose(1, 2);
  const auto likelihood = nn::make_likelihood("learned_gaussian", raw.expand({20000, 2, 2}));
  const at::Tensor sample = likelihood->sample();
  // log σ = l + softplus(−1 − l) and l, l = log(1/256); a deviation is off by 4 / √(2 · 20000) of itself.
  const double low = std::log(1.0 / 256), sigma = std::exp(low + std::log1p(std::exp(-1 - low)));
  EXPECT_NEAR(sample.select(1, 0).std().item<double>(), sigma, 0.02 * sigma);
  EXPECT_NEAR(sample.select(1, 1).std().item<double>(), 1.0 / 256, 0.02 / 256);
  EXPECT_TRUE(likelihood->log_prob(at::full({20000, 2}, 0.3f)).isfinite().all().item<bool>());
}

TEST(Likelihoods, SayHowManyMapsTheyAreMadeFrom) {
  for (const auto& name : two_map_likelihoods) EXPECT_EQ(nn::likelihood_maps(name), 2);
  EXPECT_EQ(nn::likelihood_maps("bernoulli"), 1);
  EXPECT_EQ(nn::likelihood_maps("gaussian"), 1);
  for (std::string_view name : nn::likelihoods) {
    if (name.empty()) continue;
    const std::string text(name);
    const bool two = nn::likelihood_maps(text) == 2;
    EXPECT_EQ(nn::make_likelihood(text, two ? at::rand({3, 2, 4}) : at::rand({3, 4}))->mean().sizes(),
              at::IntArrayRef({3, 4}));
  }
}

TEST(Likelihoods, SigmaIsTheGaussians) {
  const at::Tensor mean = at::rand({2, 3}, at::kDouble), x = at::rand({2, 3}, at::kDouble);
  EXPECT_TRUE(
      at::allclose(nn::make_likelihood("gaussian", mean, 0.5)->log_prob(x), nn::FixedGaussian(mean, 0.25).log_prob(x)));
}

}  // namespace
}  // namespace vaetl::testing::discrete_likelihood_test
