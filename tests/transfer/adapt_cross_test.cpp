// Weights that travel between architectures: what docs/transfer.md tells of, on small models.
#include <ATen/ops/linear.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "transfer/fixture.hpp"
#include "vaetl/core/batch.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::testing::adapt_cross_test {
namespace {

constexpr double rounding = 64 * 1.2e-7;  // sums of up to 64 products of values below 1

Fields with_input(const at::Tensor& x) {
  Fields fields;
  fields.set("input", x);
  return fields;
}

at::Tensor encoded(Model& model, const at::Tensor& x) {
  model.eval();
  return dynamic_cast<Encoder&>(model).encode(with_input(x));
}

at::Tensor generated(Model& model, const at::Tensor& z) {
  model.eval();
  return dynamic_cast<Generator&>(model).generate(z);
}

at::Tensor scores(Model& model, const at::Tensor& x) {
  model.eval();
  return dynamic_cast<Critic&>(model).judge(x).score;
}

at::Tensor pictures() {
  seed(7);
  return at::rand({5, 1, 8, 8});
}

TEST(AdaptCross, AClassifierBecomesAVaesEncoder) {
  const auto cnn = small_cnn(3, {{"batch_norm", true}});
  const Json vae = small_images({{"name", "conv_vae"}, {"latent", 3}, {"batch_norm", true}});
  const auto adapted = adapt(*cnn, {.model = vae});
  const Weights own = state(*adapted.model);
  const at::Tensor mean =
      at::linear(encoded(*cnn, pictures()), own.at("latent.mean.weight"), own.at("latent.mean.bias"));
  EXPECT_TRUE(at::allclose(encoded(*adapted.model, pictures()), mean, 0, rounding));
  EXPECT_EQ(names(adapted.report.weights.unused), (std::vector<std::string>{"head.bias", "head.weight"}));
}

Json small_gan(Json more = Json::object()) {
  Json options{{"name", "dcgan"}, {"input", {1, 8, 8}}, {"channels", {4, 8}}, {"noise", 5}};
  options.update(more);
  return options;
}

const Json like_a_critic{{"downsample", "stride"}, {"activation", "leaky_relu_0.2"}, {"dense", Json::array()}};
const std::vector<LoadRule> encoder_to_critic = {{.from = "encoder.*", .to = "critic.*"}};

TEST(AdaptCross, AClassifierBecomesTheTrunkOfACritic) {
  const auto cnn = small_cnn(3, like_a_critic);
  const auto adapted = adapt(*cnn, {.model = small_gan(), .load = encoder_to_critic});
  const Weights own = state(*adapted.model);
  const at::Tensor expected =
      at::linear(encoded(*cnn, pictures()), own.at("critic.head.weight"), own.at("critic.head.bias")).squeeze(1);
  EXPECT_TRUE(at::allclose(scores(*adapted.model, pictures()), expected, 0, rounding));
  expect_error<FileError>([&] { adapt(*cnn, {.model = small_gan(), .load = encoder_to_critic, .at_least = 0.9}); },
                          {"transfer.at_least", "without generator.0.dense.weight"});
}

TEST(AdaptCross, ACriticWithSpectralNormHasAnotherNameForWeights) {
  const auto cnn = small_cnn(3, like_a_critic);
  const std::vector<LoadRule> rules = {{.from = "encoder.*.weight", .to = "critic.*.weight_orig"},
                                       {.from = "encoder.*", .to = "critic.*"}};
  const auto adapted = adapt(*cnn, {.model = small_gan({{"spectral_norm", true}}), .load = rules, .at_least = 0.1});
  EXPECT_EQ(adapted.report.weights.loaded.size(), 4u);
  EXPECT_TRUE(
      at::equal(state(*adapted.model).at("critic.0.conv.weight_orig"), state(*cnn).at("encoder.0.conv.weight")));
}

TEST(AdaptCross, ACriticBecomesAClassifier) {
  const auto gan = build({"dcgan", [] {
                            Json options = small_gan();
                            options.erase("name");
                            return options;
                          }()});
  Json cnn = small_images(like_a_critic);
  cnn["name"] = "cnn";
  const auto adapted = adapt(*gan, {.model = cnn, .load = {{.from = "critic.*", .to = "encoder.*"}}});
  const Weights own = state(*gan);
  const at::Tensor expected =
      at::linear(encoded(*adapted.model, pictures()), own.at("critic.head.weight"), own.at("critic.head.bias"));
  EXPECT_TRUE(at::allclose(scores(*gan, pictures()), expected.squeeze(1), 0, rounding));
}

// 2 sigmoid(a) − 1 = tanh(a / 2): with the last layer halved, a generator's picture in [−1, 1] is the VAE's in [0, 1].
TEST(AdaptCross, AVaesDecoderBecomesAGenerator) {
  for (bool batch_norm : {false, true}) {
    const auto vae =
        make_model("conv_vae", small_images({{"latent", 5}, {"dense", Json::array()}, {"batch_norm", batch_norm}}));
    const std::vector<LoadRule> rules = {{.from = "decoder.2.*", .to = "generator.2.*", .scale = 0.5},
                                         {.from = "decoder.*", .to = "generator.*"}};
    const auto adapted = adapt(*vae, {.model = small_gan({{"batch_norm", batch_norm}}), .load = rules});
    seed(8);
    const at::Tensor z = at::randn({6, 5});
    EXPECT_TRUE(at::allclose(generated(*adapted.model, z), 2 * generated(*vae, z) - 1, 0, rounding));
  }
}

TEST(AdaptCross, ADenseVaesDecoderToo) {
  const auto vae = make_model("vae", {{"input", {1, 4, 4}}, {"widths", {12, 8}}, {"latent", 5}});
  const Json gan{{"name", "gan"}, {"input", {1, 4, 4}}, {"widths", {12, 8}}, {"noise", 5}};
  const std::vector<LoadRule> rules = {{.from = "decoder.2.*", .to = "generator.2.*", .scale = 0.5},
                                       {.from = "decoder.*", .to = "generator.*"}};
  const auto adapted = adapt(*vae, {.model = gan, .load = rules});
  seed(8);
  const at::Tensor z = at::randn({6, 5});
  EXPECT_TRUE(at::allclose(generated(*adapted.model, z), 2 * generated(*vae, z) - 1, 0, rounding));
}

}  // namespace
}  // namespace vaetl::testing::adapt_cross_test
