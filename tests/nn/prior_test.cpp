// Values against torch.distributions are in tests/models/parity_vae_test.cpp.
#include "vaetl/nn/prior.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "nn/numeric_gradient.hpp"
#include "vaetl/core/random.hpp"

namespace vaetl::testing::prior_test {
namespace {

nn::Mixture some_mixture(std::int64_t components, std::int64_t latent) {
  return {{at::randn({components, latent}, at::kDouble), 0.5 * at::randn({components, latent}, at::kDouble)},
          at::randn({components}, at::kDouble).log_softmax(0)};
}

TEST(Mixture, IsTheSumOfItsComponents) {
  seed(1);
  const nn::Mixture mixture = some_mixture(4, 3);
  const at::Tensor z = at::randn({6, 3}, at::kDouble);
  std::vector<at::Tensor> parts;
  for (std::int64_t k = 0; k < 4; ++k) {
    const Gaussian component{mixture.components.mean[k], mixture.components.log_var[k]};
    parts.push_back(component.log_prob(z) + mixture.log_weights[k]);
  }
  EXPECT_TRUE(at::allclose(mixture.log_prob(z), at::logsumexp(at::stack(parts), 0), 0, 1e-12));
}

TEST(Mixture, Gradients) {
  seed(2);
  const at::Tensor mean = at::randn({3, 2}, at::kDouble).requires_grad_();
  const at::Tensor log_var = at::randn({3, 2}, at::kDouble).requires_grad_();
  const at::Tensor logits = at::randn({3}, at::kDouble).requires_grad_();
  const at::Tensor z = at::randn({4, 2}, at::kDouble).requires_grad_();
  const auto mixture = [&] { return nn::Mixture{{mean, log_var}, logits.log_softmax(0)}; };
  expect_gradients([&] { return mixture().log_prob(z); }, {mean, log_var, logits, z});
}

// Each example sees the weights of its own class, among which −∞ is none.
TEST(Mixture, OfEveryClass) {
  seed(5);
  nn::Mixture mixture = some_mixture(4, 3);
  mixture.log_weights = at::stack({at::randn({4}, at::kDouble).log_softmax(0), at::tensor({0.0, 0.5, 0.0, 0.5}).log()});
  const at::Tensor z = at::randn({6, 3}, at::kDouble), condition = at::tensor({0, 1, 1, 0, 1, 0}, at::kLong);
  const at::Tensor log_prob = mixture.log_prob(z, condition);
  for (std::int64_t i = 0; i < 6; ++i) {
    const nn::Mixture own{mixture.components, mixture.log_weights[condition[i].item<std::int64_t>()]};
    EXPECT_NEAR(log_prob[i].item<double>(), own.log_prob(z.slice(0, i, i + 1)).item<double>(), 1e-12) << i;
  }
}

TEST(Mixture, GradientsOfEveryClass) {
  seed(6);
  const at::Tensor mean = at::randn({3, 2}, at::kDouble).requires_grad_();
  const at::Tensor log_var = at::randn({3, 2}, at::kDouble).requires_grad_();
  const at::Tensor logits = at::randn({2, 3}, at::kDouble).requires_grad_();
  const at::Tensor z = at::randn({4, 2}, at::kDouble).requires_grad_(), condition = at::tensor({1, 0, 1, 1}, at::kLong);
  const auto log_prob = [&] { return nn::Mixture{{mean, log_var}, logits.log_softmax(1)}.log_prob(z, condition); };
  expect_gradients(log_prob, {mean, log_var, logits, z});
  const auto members = at::tensor({1.0, 0.0, 1.0, 0.0, 1.0, 0.0}).view({2, 3});
  const at::Tensor fixed = (members / members.sum(1, true)).log();
  expect_gradients([&] { return nn::Mixture{{mean, log_var}, fixed}.log_prob(z, condition); }, {mean, log_var, z});
}

// In float32 the three products lose what a code far from the means' mean weighs: values of 10⁴ by 2⁻²⁴.
TEST(Mixture, StaysNearInFloat32) {
  seed(3);
  nn::Mixture mixture = some_mixture(50, 20);
  mixture.components.log_var -= 4;
  const at::Tensor z = mixture.components.mean.slice(0, 0, 30) + 0.1 * at::randn({30, 20}, at::kDouble) + 5;
  mixture.components.mean += 5;  // far from zero, where the products would round
  const nn::Mixture single{{mixture.components.mean.to(at::kFloat), mixture.components.log_var.to(at::kFloat)},
                           mixture.log_weights.to(at::kFloat)};
  const at::Tensor off = single.log_prob(z.to(at::kFloat)).to(at::kDouble) - mixture.log_prob(z);
  EXPECT_LE(off.abs().max().item<double>(), 2e-2);
}

// A quarter, a half, a quarter: of 20,000 draws each share is off by less than 4 · 0.5 / √20000; so is each mean.
TEST(Mixture, NoiseBecomesItsSamples) {
  seed(4);
  const at::Tensor mean = at::tensor({-10.0, 0.0, 10.0}).view({3, 1}), log_var = at::zeros({3, 1}) - 2;
  const nn::Mixture mixture{{mean, log_var}, at::tensor({0.25, 0.5, 0.25}).log()};
  const at::Tensor noise = at::randn({20000, 2});
  const at::Tensor z = mixture.from_noise(noise).squeeze(1);
  const double bound = 4 * 0.5 / std::sqrt(20000.0);
  EXPECT_NEAR(z.lt(-5).to(at::kDouble).mean().item<double>(), 0.25, bound);
  EXPECT_NEAR(z.gt(5).to(at::kDouble).mean().item<double>(), 0.25, bound);
  const at::Tensor middle = z.masked_select(z.abs().lt(5));
  EXPECT_NEAR(middle.std().item<double>(), std::exp(-1.0), bound);
  EXPECT_TRUE(at::equal(mixture.from_noise(noise).squeeze(1), z)) << "it draws";
  // The ends of the noise are the first and the last component.
  const at::Tensor ends = at::tensor({-40.0f, 0.0f, 40.0f, 0.0f}).view({2, 2});
  EXPECT_TRUE(at::equal(mixture.from_noise(ends).squeeze(1), at::tensor({-10.0f, 10.0f})));
}

// Of components at 0, 10, 20, …, a class's samples lie at its own; the furthest noise too. Of 9 weights of 1/9 the sum
// rounds off 1.
TEST(Mixture, NoiseBecomesSamplesOfTheClass) {
  seed(7);
  const at::Tensor mean = 10 * at::arange(20, at::kFloat).view({20, 1});
  const at::Tensor members = at::zeros({2, 20});
  members.select(0, 0).slice(0, 2, 5) += 1;
  members.select(0, 1).slice(0, 7, 16) += 1;
  const nn::Mixture mixture{{mean, at::zeros({20, 1}) - 4}, (members / members.sum(1, true)).log()};
  const at::Tensor condition = at::arange(6000, at::kLong).remainder(2), noise = at::randn({6000, 2});
  noise.select(1, 0).slice(0, 0, 4).copy_(at::tensor({-40.0f, -40.0f, 40.0f, 40.0f}));
  const at::Tensor chosen = mixture.from_noise(noise, condition).squeeze(1).div(10).round().to(at::kLong);
  const at::Tensor counts = at::bincount(chosen + 20 * condition, {}, 40).view({2, 20}).to(at::kFloat) / 3000;
  const at::Tensor expected = members / members.sum(1, true);
  EXPECT_TRUE(at::equal(counts.gt(0), members.gt(0))) << counts;
  EXPECT_LE((counts - expected).abs().max().item<float>(), 4 * 0.5 / std::sqrt(3000.0));
  EXPECT_TRUE(at::equal(chosen.slice(0, 0, 4), at::tensor({2, 7, 4, 15}, at::kLong))) << chosen.slice(0, 0, 4);
}

TEST(Priors, OfConditionsHaveWeightsOrInputsOfEachClass) {
  EXPECT_EQ(nn::MixturePrior(7, 3, 2).mixture().log_weights.sizes(), at::IntArrayRef({2, 7}));
  nn::PseudoInputs vamp(5, {4}, 2);
  EXPECT_TRUE(at::equal(vamp.condition(), at::tensor({0, 1, 0, 1, 0}, at::kLong)));
  EXPECT_FALSE(nn::PseudoInputs(5, {4}).condition().defined());
  const at::Tensor weights = vamp.mixture_of({at::zeros({5, 3}), at::zeros({5, 3})}).log_weights.exp();
  const at::Tensor expected = at::tensor({1.0f / 3, 0.0f, 1.0f / 3, 0.0f, 1.0f / 3, 0.0f, 0.5f, 0.0f, 0.5f, 0.0f});
  EXPECT_TRUE(at::allclose(weights, expected.view({2, 5})));
}

TEST(Priors, HaveParameters) {
  nn::MixturePrior mixture(7, 3);
  EXPECT_EQ(mixture.named_parameters().keys(), (std::vector<std::string>{"mean", "log_var", "logits"}));
  EXPECT_TRUE(at::allclose(mixture.mixture().log_weights, at::full({7}, -std::log(7.0))));
  nn::PseudoInputs vamp(7, {1, 4, 4});
  EXPECT_EQ(vamp.named_parameters().keys(), std::vector<std::string>{"inputs"});
  EXPECT_EQ(vamp.values().sizes(), at::IntArrayRef({7, 1, 4, 4}));
  EXPECT_GE(vamp.values().min().item<float>(), 0);
  EXPECT_LE(vamp.values().max().item<float>(), 1);
}

}  // namespace
}  // namespace vaetl::testing::prior_test
