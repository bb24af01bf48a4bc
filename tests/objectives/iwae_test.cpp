// Values, gradients and ten steps against PyTorch are in tests/models/parity_vae_test.cpp.
#include "vaetl/objectives/iwae.hpp"

#include "nn/numeric_gradient.hpp"
#include "objectives/support.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/nn/variational.hpp"

namespace vaetl::testing::iwae_test {
namespace {

struct Case {
  Case() {
    at::manual_seed(1);
    for (at::Tensor* matrix : {&model.mean, &model.log_var, &model.decoder}) {
      matrix->set_data(0.5 * at::randn(matrix->sizes(), at::kDouble));
    }
    data = batch({{"input", at::rand({3, 4}, at::kDouble)}});
  }
  ToyModel model{4, 2};
  Batch data;
};

Terms terms_of(Case& c, std::int64_t samples, std::uint64_t noise = 3) {
  at::manual_seed(noise);
  Pass pass(c.model, c.data);
  return make<objectives::Iwae>({.samples = samples})->terms(0, pass);
}

TEST(Iwae, OptionsAreDescribed) { expect_fields_cover<objectives::Iwae::Options>(); }

TEST(Iwae, TermsHaveNames) {
  Case c;
  const Terms terms = terms_of(c, 4);
  EXPECT_EQ(names(terms.minimised()), std::vector<std::string>{"iwae"});
  EXPECT_EQ(names(terms.logged()), (std::vector<std::string>{"bound", "elbo"}));
  expect_near(value(terms.logged(), "bound"), -terms.total());
}

// The weights are p(x, z) / q(z|x), example by example and sample by sample.
TEST(Iwae, WeightsAreRatiosOfDensities) {
  Case c;
  const at::Tensor x = c.data.at("train").input(), noise = at::randn({5, 3, 2}, at::kDouble);
  const Gaussian q = c.model.posterior(c.data.at("train"));
  const at::Tensor weights = log_weights(c.model, q, noise, x, {});
  const Gaussian standard{at::zeros({2}, at::kDouble), at::zeros({2}, at::kDouble)};
  for (std::int64_t i = 0; i < 5; ++i) {
    const at::Tensor z = q.mean + (0.5 * q.log_var).exp() * noise[i];
    expect_near(weights[i], c.model.decode(z)->log_prob(x) + standard.log_prob(z) - q.log_prob(z));
  }
}

TEST(Iwae, MoreSamplesAreATighterBound) {
  Case c;
  // Means over 200 batches of 3: the difference of about 0.1 nats scatters by less than 0.02.
  double one = 0, ten = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    one += value(terms_of(c, 1, i).logged(), "bound").item<double>() / 200;
    ten += value(terms_of(c, 10, i).logged(), "bound").item<double>() / 200;
  }
  EXPECT_GT(ten, one + 0.04);
}

TEST(Iwae, GradientsEqualDifferences) {
  Case c;
  expect_gradients([&] { return terms_of(c, 3).total(); },
                   {c.model.encoder, c.model.mean, c.model.log_var, c.model.decoder});
}

TEST(Iwae, InstanceWeightsCount) {
  Case c;
  c.data.begin()->second.set("weight", at::tensor({1.0, 0.0, 0.0}, at::kDouble));
  const Terms weighted = terms_of(c, 2);
  const at::Tensor noise = [] {
    at::manual_seed(3);
    return at::randn({2, 3, 2}, at::kDouble);
  }();
  const Fields& fields = c.data.at("train");
  const at::Tensor bound =
      log_weights(c.model, c.model.posterior(fields), noise, fields.input(), {}).logsumexp(0) - std::log(2.0);
  expect_near(value(weighted.logged(), "bound"), bound[0]);
}

TEST(Iwae, SaysWhatIsMissing) {
  const BareModel bare;
  expect_error<ConfigError>([&] { check_needs(make<objectives::Iwae>()->needs(), bare, {}, "objective iwae"); },
                            {"objective iwae: expected a model that offers Variational", "\"bare\""});
  expect_error<ConfigError>(
      [] {
        make_objective(Json{{"name", "iwae"}, {"samples", 0}});
      },
      {"objective.samples", "between 1 and 10000"});
}

}  // namespace
}  // namespace vaetl::testing::iwae_test
