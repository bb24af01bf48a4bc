// Reconstruction and its corruptions; values against PyTorch are in tests/models/autoencoder_test.cpp.
#include "vaetl/objectives/reconstruction.hpp"

#include "nn/numeric_gradient.hpp"
#include "objectives/support.hpp"
#include "support/fields_cover.hpp"

namespace vaetl::testing::reconstruction_test {
namespace {

// x (N, F) → code x E → logits or mean (code D), both matrices a test's own.
class LinearCoder final : public Model, public Encoder, public Decoder {
 public:
  LinearCoder(std::int64_t size, std::int64_t code, bool logits = true)
      : Model({"linear_coder", Json::object()}), size_(size), logits_(logits) {
    encoder = register_parameter("encoder", at::randn({size, code}, at::kDouble));
    decoder = register_parameter("decoder", at::randn({code, size}, at::kDouble));
  }
  std::vector<LayerGroup> layer_groups() const override { return {{"encoder", {"encoder"}}, {"decoder", {"decoder"}}}; }
  Signature signature() const override { return {{{"input", {{size_}, at::kDouble, low, high}}}}; }
  at::Tensor encode(const Fields& fields) override {
    seen = fields.input();
    return seen.matmul(encoder);
  }
  std::int64_t feature_size() const override { return encoder.size(1); }
  ModelSpec classifier(std::int64_t) const override { return spec(); }
  std::shared_ptr<Likelihood> decode(const at::Tensor& z, const at::Tensor& = {}) override {
    if (logits_) return std::make_shared<nn::Bernoulli>(z.matmul(decoder));
    return std::make_shared<nn::FixedGaussian>(z.matmul(decoder));
  }
  std::int64_t latent_size() const override { return decoder.size(0); }

  at::Tensor encoder, decoder, seen;
  double low = 0, high = 1;

 private:
  std::int64_t size_;
  bool logits_;
};

std::shared_ptr<Objective> denoising(const Json& corrupt) {
  return make_objective(Json{{"name", "reconstruction"}, {"corrupt", corrupt}});
}

double share_of(const at::Tensor& condition) { return condition.to(at::kDouble).mean().item<double>(); }

struct Bound {
  Bound(const Json& corrupt, std::int64_t count = 40) : objective(denoising(corrupt)) {
    at::manual_seed(2);
    data = batch({{"input", 0.2 + 0.6 * at::rand({count, 250}, at::kDouble)}});
    objective->bind(model, data);
  }
  at::Tensor terms() {
    Pass pass(model, data);
    return objective->terms(0, pass).total();
  }
  const at::Tensor& x() const { return data.begin()->second.input(); }

  LinearCoder model{250, 3};
  std::shared_ptr<Objective> objective;
  Batch data;
};

TEST(Reconstruction, OptionsAreDescribed) {
  expect_fields_cover<objectives::Reconstruction::Options>();
  expect_fields_cover<corruptions::Gaussian::Options>();
  expect_fields_cover<corruptions::Masking::Options>();
  expect_fields_cover<corruptions::SaltAndPepper::Options>();
}

TEST(Reconstruction, OptionsAreWrittenOut) {
  const Json full = complete_objective(Json{{"name", "reconstruction"}, {"corrupt", "masking"}});
  EXPECT_EQ(full,
            (Json{{"name", "reconstruction"}, {"loss", "mse"}, {"corrupt", {{"name", "masking"}, {"share", 0.3}}}}));
  EXPECT_EQ(complete_objective("reconstruction"), (Json{{"name", "reconstruction"}, {"loss", "mse"}}));
}

// The target stays clean: what is compared is the input, what is encoded is not.
TEST(Reconstruction, TheTargetIsClean) {
  Bound c({{"name", "masking"}, {"share", 1}});
  const at::Tensor loss = c.terms();
  EXPECT_EQ(share_of(c.model.seen.eq(0)), 1);
  expect_near(loss, (c.x() - 0.5).square().mean());
}

// 10,000 values: a share of 0.3 is within 0.02 of it but for one run in 10⁵; the seed is fixed.
TEST(Reconstruction, MaskingSetsItsShareToZero) {
  Bound c({{"name", "masking"}, {"share", 0.3}});
  c.terms();
  EXPECT_NEAR(share_of(c.model.seen.eq(0)), 0.3, 0.02);
  EXPECT_EQ(share_of(c.model.seen.eq(0).logical_or(c.model.seen.eq(c.x()))), 1);
}

TEST(Reconstruction, SaltAndPepperAreTheEndsOfTheRange) {
  for (const double low : {0.0, -1.0}) {
    Bound c({{"name", "salt_and_pepper"}, {"share", 0.4}});
    c.model.low = low;
    c.objective->bind(c.model, c.data);
    c.terms();
    EXPECT_NEAR(share_of(c.model.seen.eq(low)), 0.2, 0.02);
    EXPECT_NEAR(share_of(c.model.seen.eq(1)), 0.2, 0.02);
    EXPECT_NEAR(share_of(c.model.seen.eq(c.x())), 0.6, 0.02);
  }
  Bound open({{"name", "salt_and_pepper"}, {"share", 0.4}});
  open.model.low = open.model.high = 0;  // the range is not declared
  open.objective->bind(open.model, open.data);
  open.terms();
  EXPECT_NEAR(share_of(open.model.seen.eq(open.x().max())), 0.2, 0.02);
  EXPECT_NEAR(share_of(open.model.seen.eq(open.x().min())), 0.2, 0.02);
}

TEST(Reconstruction, GaussianNoiseHasItsDeviation) {
  Bound c({{"name", "gaussian"}, {"sigma", 0.5}});
  c.terms();
  const at::Tensor noise = c.model.seen - c.x();
  EXPECT_NEAR(noise.mean().item<double>(), 0, 0.02);
  EXPECT_NEAR(noise.std().item<double>(), 0.5, 0.02);
}

TEST(Reconstruction, NoiseComesFromTheSeed) {
  Bound c("gaussian");
  at::manual_seed(5);
  const at::Tensor first = c.terms(), second = c.terms();
  at::manual_seed(5);
  expect_near(c.terms(), first.detach());
  EXPECT_NE(first.item<double>(), second.item<double>());
}

TEST(Reconstruction, GradientsEqualDifferences) {
  at::manual_seed(1);
  for (const Json& options : {Json{{"loss", "mse"}}, Json{{"loss", "cross_entropy"}, {"corrupt", "gaussian"}}}) {
    LinearCoder model(4, 2);
    const Batch data = batch({{"input", at::rand({3, 4}, at::kDouble)}});
    Json json = options;
    json["name"] = "reconstruction";
    const auto objective = make_objective(json);
    auto loss = [&] {
      at::manual_seed(3);  // the same noise each time
      Pass pass(model, data);
      return objective->terms(0, pass).total();
    };
    expect_gradients(loss, {model.encoder, model.decoder});
  }
}

TEST(Reconstruction, InstanceWeightsCount) {
  LinearCoder model(4, 2);
  const at::Tensor x = at::rand({2, 4}, at::kDouble);
  const Batch data = batch({{"input", x}, {"weight", at::tensor({1.0, 0.0}, at::kDouble)}});
  const Batch first = batch({{"input", x.slice(0, 0, 1)}});
  const auto objective = make<objectives::Reconstruction>();
  Pass weighted(model, data), alone(model, first);
  expect_near(objective->terms(0, weighted).total(), objective->terms(0, alone).total().detach());
}

TEST(Reconstruction, SaysWhatIsMissing) {
  const BareModel bare;
  const auto objective = make<objectives::Reconstruction>({.loss = "cross_entropy"});
  expect_error<ConfigError>([&] { check_needs(objective->needs(), bare, {}, "objective reconstruction"); },
                            {"objective reconstruction: expected a model that offers Encoder"});
  const Batch data = batch({{"input", at::rand({2, 4}, at::kDouble)}});
  LinearCoder gaussian(4, 2, /*logits=*/false);
  expect_error<ConfigError>(
      [&] {
        Pass pass(gaussian, data);
        objective->terms(0, pass);
      },
      {"a decoder that puts out logits, for the loss cross_entropy", "set the model's output to sigmoid"});
  LinearCoder torn(4, 2);
  torn.decoder.set_data(at::zeros({3, 4}, at::kDouble));
  expect_error<ConfigError>(
      [&] {
        Pass pass(torn, data);
        objective->terms(0, pass);
      },
      {"objective reconstruction: expected codes (N, 3), as the decoder takes, found (2, 2) of \"linear_coder\""});
  auto refuse = [](const Json& json, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { make_objective(json); }, parts);
  };
  refuse({{"name", "reconstruction"}, {"loss", "bce"}}, {"objective.loss", "\"mse\"", "\"cross_entropy\"", "\"bce\""});
  refuse({{"name", "reconstruction"}, {"corrupt", "maskin"}},
         {"objective.corrupt", "corruption", "did you mean \"masking\"?"});
  refuse({{"name", "reconstruction"}, {"corrupt", {{"name", "masking"}, {"share", 2}}}},
         {"objective.corrupt.share", "between 0 and 1", "found 2"});
}

}  // namespace
}  // namespace vaetl::testing::reconstruction_test
