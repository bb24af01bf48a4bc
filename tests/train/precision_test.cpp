// Training in bfloat16: what stays float32, that it learns, and how far it is from float32.
#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/nn/autocast.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/reconstruction.hpp"

namespace vaetl::testing::precision_test {
namespace {

TrainerOptions options(const std::string& precision) {
  return {.steps = 100,
          .batch_size = 16,
          .optimizer = {"adam", {{"lr", 0.003}}},
          .device = "cpu",
          .precision = precision,
          .validate_every = 1};
}

struct Losses {
  double first = 0, last = 0;
};

Losses losses(const std::string& model, const Json& description, std::shared_ptr<Objective> objective,
              const std::string& precision) {
  auto trained = small(model, description);
  const Run run = Trainer(options(precision)).fit(trained, std::move(objective), blobs(64));
  for (const auto& parameter : trained->parameters()) EXPECT_EQ(parameter.scalar_type(), at::kFloat);
  return {run.history.front().at("loss"), run.history.back().at("loss")};
}

// bfloat16 has 8 bits: values are off by up to 0.4 %. Over 100 steps the loss may differ by some of that, far less than
// what training wins, which a loss that stands still does not.
void expect_agreement(const Losses& half, const Losses& full) {
  EXPECT_LT(full.last, 0.9 * full.first);
  EXPECT_NEAR(half.first, full.first, 0.02 * full.first);
  EXPECT_NEAR(half.last, full.last, 0.1 * (full.first - full.last));
  EXPECT_NE(half.last, full.last);
}

TEST(Precision, ClassifiersLearnAsInFloat32) {
  for (const auto& [model, description] : {std::pair{"cnn", Json{{"channels", {4}}, {"dense", {8}}, {"classes", 4}}},
                                           {"mlp", Json{{"widths", {16}}, {"classes", 4}}},
                                           {"lstm", Json{{"input", {1, 12, 12}}, {"hidden", 16}, {"classes", 4}}}}) {
    SCOPED_TRACE(model);
    const auto objective = [] { return make<objectives::CrossEntropy>(); };
    expect_agreement(losses(model, description, objective(), "bfloat16"),
                     losses(model, description, objective(), "float32"));
  }
}

TEST(Precision, GenerativeModelsLearnAsInFloat32) {
  const Json vae = {{"widths", {16}}, {"latent", 2}}, coder = {{"widths", {16}}, {"latent", 4}};
  expect_agreement(losses("vae", vae, make<objectives::Elbo>(), "bfloat16"),
                   losses("vae", vae, make<objectives::Elbo>(), "float32"));
  expect_agreement(losses("autoencoder", coder, make<objectives::Reconstruction>(), "bfloat16"),
                   losses("autoencoder", coder, make<objectives::Reconstruction>(), "float32"));
}

// A weight that was cast once must not stand for the one that the step made of it.
TEST(Precision, CastWeightsAreForgotten) {
  nn::Linear layer(4, 3);
  const at::Tensor x = at::ones({2, 4});
  const auto forward = [&] {
    const nn::Autocast autocast(at::kCPU, at::kBFloat16);
    return layer.forward(x);
  };
  const at::Tensor before = forward();
  EXPECT_EQ(before.scalar_type(), at::kBFloat16);
  layer.weight.data().add_(1);
  EXPECT_NEAR((forward() - before).mean().item<float>(), 4, 0.1);
  EXPECT_EQ(layer.forward(x).scalar_type(), at::kFloat);
}

TEST(Precision, OtherNamesAreRefused) {
  expect_error<ConfigError>([] { Trainer({.precision = "float16"}); }, {"trainer.precision", "float32", "bfloat16"});
}

}  // namespace
}  // namespace vaetl::testing::precision_test
