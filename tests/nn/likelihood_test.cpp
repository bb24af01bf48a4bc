// Values against PyTorch's are in tests/models/parity_layers_test.cpp.
#include "vaetl/nn/likelihood.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "nn/numeric_gradient.hpp"
#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"

namespace vaetl::testing::likelihood_test {
namespace {

TEST(Gaussian, KlByHand) {
  // Against N(0, 1): nothing; against N(2, e²): ½ (4 + e² − 1 − 2).
  const Gaussian q{at::tensor({0.0, 0.0, 2.0, 0.0}).view({2, 2}), at::tensor({0.0, 0.0, 2.0, 0.0}).view({2, 2})};
  const at::Tensor kl = q.kl_to_standard();
  EXPECT_EQ(kl.sizes(), at::IntArrayRef({2}));
  EXPECT_EQ(kl[0].item<double>(), 0);
  EXPECT_NEAR(kl[1].item<double>(), 0.5 * (1 + std::exp(2.0)), 1e-6);
}

TEST(Gaussian, SamplesAreReparametrised) {
  const at::Tensor mean = at::randn({3, 2}, at::kDouble).requires_grad_();
  const at::Tensor log_var = at::randn({3, 2}, at::kDouble).requires_grad_();
  const Gaussian q{mean, log_var};
  auto sample = [&] {
    seed(5);  // the same noise each time
    return q.rsample();
  };
  seed(5);
  const at::Tensor noise = at::randn_like(mean);
  EXPECT_TRUE(at::allclose(sample(), mean + (log_var / 2).exp() * noise, 0, 1e-15));
  seed(6);
  EXPECT_FALSE(at::equal(q.rsample(), q.rsample()));
  expect_gradients(sample, {mean, log_var});
  expect_gradients([&] { return q.kl_to_standard(); }, {mean, log_var});
}

TEST(Likelihoods, Gradients) {
  const at::Tensor output = at::randn({2, 1, 2, 3}, at::kDouble).requires_grad_();
  const at::Tensor x = at::rand({2, 1, 2, 3}, at::kDouble);
  expect_gradients([&] { return nn::Bernoulli(output).log_prob(x); }, {output});
  expect_gradients([&] { return nn::FixedGaussian(output, 0.5).log_prob(x); }, {output});
  EXPECT_EQ(nn::Bernoulli(output).log_prob(x).sizes(), at::IntArrayRef({2}));
  EXPECT_TRUE(at::allclose(nn::Bernoulli(output).mean(), output.sigmoid()));
  EXPECT_TRUE(nn::FixedGaussian(output).mean().is_same(output));
}

// Each of them, over sequences (2, 4, 3) of lengths 4 and 1: the parts are those of the whole, and what is padding does
// not count, whatever its values.
TEST(Likelihoods, CountStepsBeforeTheEnd) {
  for (const std::string name :
       {"bernoulli", "gaussian", "learned_gaussian", "discretised_logistic", "beta_binomial"}) {
    SCOPED_TRACE(name);
    seed(3);
    const std::int64_t maps = nn::likelihood_maps(name);
    const at::Tensor output = maps == 1 ? at::randn({2, 4, 3}, at::kDouble) : at::randn({2, maps, 4, 3}, at::kDouble);
    const auto likelihood = nn::make_likelihood(name, output);
    Fields fields;
    fields.set("input", at::rand({2, 4, 3}, at::kDouble));
    const at::Tensor& x = fields.input();
    EXPECT_TRUE(at::allclose(likelihood->log_prob_each(x).sum({1, 2}), likelihood->log_prob(x), 1e-12));
    EXPECT_TRUE(at::equal(nn::log_prob_of(*likelihood, fields, "test"), likelihood->log_prob(x)));
    EXPECT_TRUE(at::allclose(nn::mean_log_prob(*likelihood, fields, "test"), likelihood->log_prob(x) / 12, 1e-12));
    fields.set("length", at::tensor(at::ArrayRef<std::int64_t>{4, 1}));
    const at::Tensor first = likelihood->log_prob_each(x)[1][0].sum();
    const at::Tensor expected = at::stack({likelihood->log_prob(x)[0], first});
    EXPECT_TRUE(at::allclose(nn::log_prob_of(*likelihood, fields, "test"), expected, 1e-12));
    const at::Tensor counts = at::tensor(at::ArrayRef<double>{12, 3}, at::kDouble);
    EXPECT_TRUE(at::allclose(nn::mean_log_prob(*likelihood, fields, "test"), expected / counts, 1e-12));
  }
}

TEST(Likelihoods, LengthsAreChecked) {
  Fields fields;
  fields.set("input", at::rand({2, 4, 3}));
  fields.set("length", at::tensor(at::ArrayRef<std::int64_t>{5, 1}));
  expect_error<DataError>([&] { nn::log_prob_of(nn::Bernoulli(fields.input()), fields, "test"); },
                          {"test: expected lengths from 1 to 4, the steps of the batch, found the length 5"});
}

TEST(Likelihoods, StayFiniteFarOut) {
  const nn::Bernoulli sure(at::tensor({200.0f, -200.0f}).view({2, 1}));
  const at::Tensor log_prob = sure.log_prob(at::tensor({1.0f, 1.0f}).view({2, 1}));
  EXPECT_EQ(log_prob[0].item<float>(), 0);
  EXPECT_EQ(log_prob[1].item<float>(), -200);
}

TEST(Likelihoods, OfNoExamples) {
  EXPECT_EQ(nn::FixedGaussian(at::zeros({0, 3})).log_prob(at::zeros({0, 3})).numel(), 0);
}

TEST(Likelihoods, ByName) {
  EXPECT_TRUE(std::dynamic_pointer_cast<nn::Bernoulli>(nn::make_likelihood("bernoulli", at::zeros({1, 1}))));
  EXPECT_TRUE(std::dynamic_pointer_cast<nn::FixedGaussian>(nn::make_likelihood("gaussian", at::zeros({1, 1}))));
  expect_error<ConfigError>(
      [] {
        nn::make_likelihood("bernouli", at::zeros({1, 1}));
      },
      {"likelihood: expected one of bernoulli, gaussian, ", "found \"bernouli\"; did you mean \"bernoulli\"?"});
}

}  // namespace
}  // namespace vaetl::testing::likelihood_test
