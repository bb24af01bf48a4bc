#include "vaetl/objectives/elbo.hpp"

#include "nn/numeric_gradient.hpp"
#include "objectives/support.hpp"
#include "support/fields_cover.hpp"

namespace vaetl::testing::elbo_test {
namespace {

// The reference gives posterior and logits: the decoder's own part is zero, so what is drawn does not count.
struct Case {
  ToyModel model{8, 3};
  at::Tensor mean = reference("elbo.mean").clone().requires_grad_();
  at::Tensor log_var = reference("elbo.log_var").clone().requires_grad_();
  Batch data = batch({{"input", reference("elbo.x")}, {"mean", mean}, {"log_var", log_var}});
  Case() { model.offset = reference("elbo.logits").clone().requires_grad_(); }
};

TEST(Elbo, OptionsAreDescribed) { expect_fields_cover<objectives::Elbo::Options>(); }

TEST(Elbo, TermsEqualPyTorch) {
  Case c;
  Pass pass(c.model, c.data);
  const Terms terms = make<objectives::Elbo>({.beta = 4.0})->terms(0, pass);
  EXPECT_EQ(names(terms.minimised()), (std::vector<std::string>{"reconstruction", "kl"}));
  expect_near(value(terms.minimised(), "reconstruction"), reference("elbo.reconstruction"));
  expect_near(value(terms.minimised(), "kl"), 4 * reference("elbo.kl"));
  expect_near(value(terms.logged(), "elbo"), -(reference("elbo.reconstruction") + reference("elbo.kl")));
}

TEST(Elbo, GradientsEqualPyTorch) {
  Case c;
  Pass pass(c.model, c.data);
  make<objectives::Elbo>({.beta = 4.0})->backward(0, pass);
  expect_near(c.mean.grad(), reference("elbo.gradient_mean"));
  expect_near(c.log_var.grad(), reference("elbo.gradient_log_var"));
  expect_near(c.model.offset.grad(), reference("elbo.gradient_logits"));
}

TEST(Elbo, InstanceWeightsCount) {
  Case c;
  c.data.begin()->second.set("weight", reference("elbo.weight"));
  Pass pass(c.model, c.data);
  const Terms terms = make<objectives::Elbo>()->terms(0, pass);
  expect_near(value(terms.minimised(), "kl"), reference("elbo.weighted_kl"));
  expect_near(value(terms.logged(), "elbo"), reference("elbo.weighted_elbo"));
}

TEST(Elbo, BetaFollowsItsSchedule) {
  Case c;
  auto elbo = make<objectives::Elbo>({.beta = Schedule::linear(0, 2)});
  for (double progress : {0.0, 0.25, 1.0}) {
    Pass pass(c.model, c.data, {.progress = progress});
    expect_near(value(elbo->terms(0, pass).minimised(), "kl"), 2 * progress * reference("elbo.kl"));
  }
}

// The code is drawn from the posterior: by its mean and its variance, and with a gradient to both.
TEST(Elbo, DecodesASampleOfThePosterior) {
  Case c;
  c.model.decoder.set_data(at::ones({3, 8}, at::kDouble));
  Pass pass(c.model, c.data);
  at::manual_seed(7);
  const at::Tensor z = pass.posterior().rsample();
  const at::Tensor expected = -c.model.decode(z)->log_prob(reference("elbo.x")).mean();
  at::manual_seed(7);
  expect_near(value(make<objectives::Elbo>()->terms(0, pass).minimised(), "reconstruction"), expected);
  EXPECT_FALSE(at::allclose(z, c.mean.detach()));
}

TEST(Elbo, GradientsEqualDifferences) {
  at::manual_seed(1);
  ToyModel model(4, 2);
  for (at::Tensor* matrix : {&model.mean, &model.log_var, &model.decoder}) {
    matrix->set_data(0.5 * at::randn(matrix->sizes(), at::kDouble));
  }
  const Batch data = batch({{"input", at::rand({3, 4}, at::kDouble)}});
  auto elbo = make<objectives::Elbo>({.beta = 2.0});
  auto loss = [&] {
    at::manual_seed(3);  // the same draw each time
    Pass pass(model, data);
    return elbo->terms(0, pass).total();
  };
  expect_gradients(loss, {model.encoder, model.mean, model.log_var, model.decoder});
}

// tests/parity/vae.py: some dimensions have less than the free bits, some more.
at::Tensor free_bits_reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/vae.safetensors");
  return file.tensors.at("free_bits/" + name);
}

TEST(Elbo, FreeBitsEqualPyTorch) {
  ToyModel model(8, 4);
  const at::Tensor mean = free_bits_reference("mean").clone().requires_grad_();
  const at::Tensor log_var = free_bits_reference("log_var").clone().requires_grad_();
  Batch data = batch({{"input", at::rand({5, 8}, at::kDouble)}, {"mean", mean}, {"log_var", log_var}});
  auto elbo = make<objectives::Elbo>({.free_bits = free_bits_reference("bits").item<double>()});
  Pass pass(model, data);
  const Terms terms = elbo->backward(0, pass);
  expect_near(value(terms.minimised(), "kl"), free_bits_reference("paid"));
  expect_near(mean.grad(), free_bits_reference("grad_mean"));
  expect_near(log_var.grad(), free_bits_reference("grad_log_var"));
  const at::Tensor reconstruction = value(terms.minimised(), "reconstruction");
  expect_near(value(terms.logged(), "elbo"), -(reconstruction + free_bits_reference("kl")));
  data.begin()->second.set("weight", free_bits_reference("weight"));
  Pass weighted(model, data);
  expect_near(value(elbo->terms(0, weighted).minimised(), "kl"), free_bits_reference("weighted"));
}

TEST(Elbo, SaysWhatIsMissing) {
  const auto elbo = make<objectives::Elbo>();
  const BareModel bare;
  const ToyModel toy(4, 2);
  expect_error<ConfigError>([&] { check_needs(elbo->needs(), bare, {}, "objective elbo"); },
                            {"objective elbo: expected a model that offers Variational", "\"bare\"", "nothing"});
  const Batch unreadable = batch({{"target", at::zeros({2}, at::kLong)}});
  expect_error<DataError>([&] { check_needs(elbo->needs(), toy, unreadable, "objective elbo"); },
                          {"the field \"input\" in the stream \"train\"", "the fields target"});
  const Batch other = {{"unlabelled", {}}, {"test", {}}};
  expect_error<DataError>([&] { check_needs(elbo->needs(), toy, other, "objective elbo"); },
                          {"a stream \"train\"", "the streams test, unlabelled"});
  expect_error<ConfigError>(
      [] {
        make_objective(Json{{"name", "elbo"}, {"beta", -1}});
      },
      {"objective.beta", "at least 0"});
}

}  // namespace
}  // namespace vaetl::testing::elbo_test
