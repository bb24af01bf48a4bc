#include "vaetl/recipe/detect.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/metrics/auroc.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::detect_test {
namespace {

using recipe::Detector;

std::shared_ptr<Model> model_of(const std::string& name, Json options) {
  seed(3);
  options["input"] = {1, 4, 4};
  auto model = build({name, options});
  model->eval();
  return model;
}
std::shared_ptr<Model> vae(const std::string& likelihood = "bernoulli") {
  return model_of("vae", {{"widths", {8}}, {"latent", 3}, {"likelihood", likelihood}});
}

Dataset grey(std::int64_t count, std::int64_t high, bool labels = false) {
  auto random = make_generator(static_cast<std::uint64_t>(high));
  Fields fields;
  fields.set("input", at::randint(0, high, {count, 1, 4, 4}, random, at::TensorOptions(at::kByte)));
  if (labels) fields.set("target", at::arange(count, at::kLong).remainder(2));
  return Dataset::from_tensors(fields);
}

using Names = std::vector<std::string>;

TEST(Detect, ScoresAreThoseThatAModelAllows) {
  EXPECT_EQ(recipe::scores_for(*vae()), (Names{"reconstruction", "elbo", "latent"}));
  EXPECT_EQ(recipe::scores_for(*model_of("autoencoder", {{"widths", {8}}, {"latent", 3}})),
            (Names{"reconstruction", "latent"}));
  const auto mlp = model_of("mlp", {{"widths", {8}}, {"classes", 2}});
  EXPECT_EQ(recipe::scores_for(*mlp), (Names{"latent"}));
  EXPECT_EQ(recipe::scores_for(*model_of("gan", {{"noise", 4}})), Names());
  EXPECT_EQ(Detector(*vae(), {}).score(), "reconstruction");
  expect_error<ConfigError>([&] { Detector(*mlp, {.score = "elbo"}); },
                            {"score: expected one that this model allows: latent, found \"elbo\""});
  expect_error<ConfigError>([&] { Detector(*mlp, {}); }, {"score latent: expected normal data", "--normal"});
  expect_error<ConfigError>([&] { Detector(*vae(), {.score = "reconstruction", .samples = 3}); }, {"samples"});
  expect_error<ConfigError>(
      [&] {
        Detector(*model_of("gan", {{"noise", 4}}), {});
      },
      {"detect: expected a model that offers"});
}

// Their means are the metrics, which others compare with PyTorch.
TEST(Detect, ScoresAreTheMetricsOfEachExample) {
  const Dataset data = grey(700, 256);
  const auto model = vae();
  const auto metrics = evaluate(*model, data, {"reconstruction_mse", "elbo"});
  EXPECT_NEAR(Detector(*model, {}).scores(data).mean().item<double>(), metrics.at("reconstruction_mse"), 1e-6);
  // One sample for all and one of each differ by the spread over samples, of which 700 are averaged in one of them.
  const at::Tensor sampled = Detector(*model, {.score = "elbo", .samples = 200}).scores(data);
  EXPECT_NEAR(sampled.mean().item<double>(), -metrics.at("elbo"), 0.02);
  const at::Tensor at_mean = Detector(*model, {.score = "elbo"}).scores(data);
  EXPECT_LT(at_mean.mean().item<double>(), sampled.mean().item<double>());
}

// What overflows is odder than anything, not "no number" and so never above a threshold.
TEST(Detect, WhereNumbersEndNothingIsOdder) {
  Fields fields;
  fields.set("input", at::stack({at::full({1, 4, 4}, 0.5), at::full({1, 4, 4}, 3e38), at::full({1, 4, 4}, -3e38)}));
  const Dataset data = Dataset::from_tensors(fields);
  const auto model = vae();
  model->set_preprocess(Json::array());
  for (const char* score : {"reconstruction", "elbo"}) {
    const at::Tensor scores = Detector(*model, {.score = score}).scores(data);
    EXPECT_TRUE(std::isfinite(scores[0].item<double>())) << score;
    EXPECT_TRUE(scores.slice(0, 1).isinf().all().item<bool>()) << score << scores;
    EXPECT_TRUE(scores.slice(0, 1).gt(scores[0]).all().item<bool>()) << score;
  }
}

TEST(Detect, AScoreIsOfTheExampleAlone) {
  const auto model = vae("beta_binomial");
  const Dataset data = grey(30, 256), rest = data.select(at::arange(7, 30, at::kLong));
  for (const std::string score : {"reconstruction", "elbo", "latent"}) {
    const Detector detector(*model, {.score = score, .samples = score == "elbo" ? 4 : 0}, data);
    EXPECT_TRUE(at::allclose(detector.scores(data).slice(0, 7), detector.scores(rest), 1e-5)) << score;
  }
  const auto seeded = [&](std::uint64_t seed) {
    return Detector(*model, {.score = "elbo", .samples = 2, .seed = seed}).scores(rest);
  };
  EXPECT_TRUE(at::equal(seeded(1), seeded(1)));
  EXPECT_FALSE(at::equal(seeded(1), seeded(2)));
}

TEST(Detect, FeaturesFarFromNormalOnesAreOdd) {
  const auto model = vae();
  const Dataset normal = grey(200, 60, true), odd = grey(100, 256);
  const Detector detector(*model, {.score = "latent"}, normal);
  const at::Tensor scores = at::cat({detector.scores(grey(100, 59)), detector.scores(odd)});
  EXPECT_GT(metrics::area_under_curve(scores, at::arange(200).ge(100)).value, 0.9);
}

TEST(Detect, QuantilesAreNumPys) {  // numpy.quantile([3, 1, 4, 1, 5], q)
  const at::Tensor values = at::tensor({3.0, 1.0, 4.0, 1.0, 5.0}, at::kDouble);
  EXPECT_EQ(recipe::quantile(values, 0), 1);
  EXPECT_EQ(recipe::quantile(values, 0.5), 3);
  EXPECT_NEAR(recipe::quantile(values, 0.9), 4.6, 1e-12);
  EXPECT_EQ(recipe::quantile(values, 1), 5);
}

}  // namespace
}  // namespace vaetl::testing::detect_test
