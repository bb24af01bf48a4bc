// The NLL against all its weights at once; values of a model whose p(x) is known are in
// tests/models/parity_vae_test.cpp.
#include "vaetl/metrics/variational.hpp"

#include "objectives/support.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/variational.hpp"

namespace vaetl::testing::variational_metric_test {
namespace {

struct Scored {
  explicit Scored(std::int64_t count, std::int64_t size = 4) : model(size, 2) {
    at::manual_seed(1);
    for (at::Tensor* matrix : {&model.mean, &model.log_var, &model.decoder}) {
      matrix->set_data(0.5 * at::randn(matrix->sizes(), at::kDouble));
    }
    data = batch({{"input", at::rand({count, size}, at::kDouble)}});
  }
  double score(const std::string& reference) {
    const at::NoGradGuard no_grad;
    const auto metric = make_metric(reference);
    Pass pass(model, data);
    metric->update(pass);
    return metric->result();
  }
  // −log p(x) of each example from every weight at once, with the noise that the metric draws.
  at::Tensor at_once(std::int64_t samples) {
    const at::NoGradGuard no_grad;
    const Fields& fields = data.at("train");
    const Gaussian q = model.posterior(fields);
    auto generator = make_generator(random_key(0, Purpose::evaluate));
    std::vector<at::Tensor> noise;
    for (std::int64_t i = 0; i < samples; ++i) noise.push_back(at::randn(q.mean.sizes(), generator, at::kFloat));
    const at::Tensor weights = log_weights(model, q, at::stack(noise).to(at::kDouble), fields.input(), {});
    return std::log(static_cast<double>(samples)) - weights.logsumexp(0);
  }
  ToyModel model;
  Batch data;
};

TEST(Nll, OptionsAreDescribed) { expect_fields_cover<metrics::Nll::Options>(); }

// 2²⁰ values at once: of 40 examples of 400 values 65 samples, of 9 of 4000 29.
TEST(Nll, StreamingDoesNotChangeIt) {
  Scored many(40, 400);
  EXPECT_NEAR(many.score("nll?samples=200"), many.at_once(200).mean().item<double>(), 1e-9);
  Scored large(9, 4000);
  EXPECT_NEAR(large.score("nll?samples=80"), large.at_once(80).mean().item<double>(), 1e-8);
}

TEST(Nll, OfExamplesLargerThanWhatIsDecodedAtOnce) {
  Fields fields;
  struct Wide final : Model, Variational {
    Wide() : Model({"wide", Json::object()}) { register_parameter("w", at::zeros({1}, at::kDouble)); }
    std::vector<LayerGroup> layer_groups() const override { return {{"w", {"w"}}}; }
    Signature signature() const override { return {}; }
    at::Tensor encode(const Fields& f) override { return posterior(f).mean; }
    std::int64_t feature_size() const override { return 2; }
    ModelSpec classifier(std::int64_t) const override { return spec(); }
    Gaussian posterior(const Fields& f) override {
      const at::Tensor first = f.input().slice(1, 0, 2);
      return {first, -first};
    }
    std::shared_ptr<Likelihood> decode(const at::Tensor& z, const at::Tensor&) override {
      rows = std::max(rows, z.size(0));
      return std::make_shared<nn::FixedGaussian>(z.sum(1, true).expand({z.size(0), 400000}), 1e4);
    }
    std::int64_t latent_size() const override { return 2; }
    std::int64_t rows = 0;
  } model;
  fields.set("input", at::rand({5, 400000}, at::kDouble));
  const Batch data = {{"train", fields}};
  Pass pass(model, data);
  const auto metric = make_metric("nll?samples=2");
  metric->update(pass);
  EXPECT_EQ(model.rows, 2);  // of 5 examples, each of 2 samples
  auto generator = make_generator(random_key(0, Purpose::evaluate));
  std::vector<at::Tensor> noise;
  for (int i = 0; i < 2; ++i) noise.push_back(at::randn({5, 2}, generator, at::kFloat));
  const at::Tensor weights =
      log_weights(model, model.posterior(fields), at::stack(noise).to(at::kDouble), fields.input(), {});
  EXPECT_NEAR(metric->result(), (std::log(2.0) - weights.logsumexp(0)).mean().item<double>(), 1e-6);
}

TEST(Nll, IsABoundThatTightens) {
  Scored scored(50);
  const double one = scored.score("nll?samples=1"), many = scored.score("nll?samples=300");
  EXPECT_LT(many, one);
  EXPECT_LT(many, -scored.score("elbo"));
  EXPECT_EQ(scored.score("nll?samples=300"), many) << "its noise differs from time to time";
}

TEST(Nll, InstanceWeightsCount) {
  Scored scored(3);
  scored.data.begin()->second.set("weight", at::tensor({0.0, 2.0, 0.0}, at::kDouble));
  EXPECT_NEAR(scored.score("nll?samples=9"), scored.at_once(9)[1].item<double>(), 1e-10);
}

TEST(MetricReferences, AreNamesWithOptions) {
  EXPECT_TRUE(make_metric("nll")->on_request());
  EXPECT_FALSE(make_metric("elbo")->on_request());
  EXPECT_EQ(metric_reference(Json{{"name", "nll"}, {"samples", 5000}}, "evaluate[0]"), "nll?samples=5000");
  EXPECT_EQ(metric_reference("elbo", "evaluate[0]"), "elbo");
  expect_error<ConfigError>([] { make_metric("nll?sample=5", "evaluate[1]"); },
                            {"evaluate[1]", "\"sample\"", "did you mean \"samples\""});
  expect_error<ConfigError>([] { make_metric("nll?samples=0", "evaluate[1]"); },
                            {"evaluate[1].samples: expected between 1 and"});
  expect_error<ConfigError>([] { make_metric("nll?5", "--metrics"); },
                            {"--metrics: expected options after ? such as key=value", "\"5\"", "nll?5"});
  expect_error<ConfigError>([] { make_metric("nl"); }, {"metric", "did you mean"});
}

}  // namespace
}  // namespace vaetl::testing::variational_metric_test
