#include "vaetl/transfer/grow.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "transfer/fixture.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::grow_test {
namespace {

using vaetl::testing::make_model;

constexpr double paper_bound = 1e-5;

// Values as training leaves them: outputs that differ from input to input, nothing that happens to be 0 or 1.
void roughen(Model& model) {
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : state(model)) {
    if (!tensor.is_floating_point()) continue;
    const bool variance = name.ends_with("running_var"), of_norm = tensor.dim() == 1;
    if (!of_norm) tensor.mul_(2);
    if (of_norm) tensor.copy_(variance ? at::rand_like(tensor) + 0.5 : tensor + 0.3 * at::randn_like(tensor));
  }
}

std::shared_ptr<Model> trained(const std::string& name, Json options) {
  auto model = make_model(name, std::move(options));
  roughen(*model);
  model->eval();
  return model;
}

// Inputs on both sides of 0, not drawn by what is tested.
std::vector<at::Tensor> outputs_of(Model& model) {
  const at::NoGradGuard no_grad;
  seed(11);
  Fields fields;
  const auto inputs = model.signature().inputs;
  if (const auto input = inputs.find("input"); input != inputs.end()) {
    std::vector<std::int64_t> shape{5};
    for (const std::int64_t size : input->second.shape) shape.push_back(size < 0 ? 7 : size);
    fields.set("input", 2 * at::randn(shape));
  }
  if (auto* variational = dynamic_cast<Variational*>(&model)) {
    const Gaussian q = variational->posterior(fields);
    return {q.mean, q.log_var, variational->decode(q.mean)->mean()};
  }
  if (auto* critic = dynamic_cast<Critic*>(&model)) {
    auto& generator = require<Generator>(model);
    const at::Tensor made = generator.generate(at::randn({5, generator.noise_size()}));
    return {made, critic->judge(made).score, critic->judge(at::randn_like(made)).score};
  }
  if (offers(model, SequenceModel::capability)) {
    std::vector<at::Tensor> carried;
    return {require<SequenceModel>(model).unroll(fields, carried)};
  }
  const at::Tensor features = require<Encoder>(model).encode(fields);
  if (auto* decoder = dynamic_cast<Decoder*>(&model)) return {decoder->decode(features)->mean()};
  if (offers(model, Regressor::capability)) return {require<Regressor>(model).regress(features)};
  return {require<Classifier>(model).classify(features)};
}

double largest_difference(Model& a, Model& b) {
  const auto of_a = outputs_of(a), of_b = outputs_of(b);
  EXPECT_EQ(of_a.size(), of_b.size());
  double most = 0;
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    EXPECT_EQ(of_a[i].sizes(), of_b[i].sizes());
    EXPECT_GT(of_a[i].std().item<double>(), 1e-4) << "an output that says nothing";
    const double scale = std::max(1.0, of_a[i].abs().max().item<double>());
    most = std::max(most, (of_a[i] - of_b[i]).abs().max().item<double>() / scale);
  }
  return most;
}

struct Case {
  std::string title, model;
  Json options, change;
  std::vector<std::string> wider;  // layers that must be among those told
  std::vector<MovedNames> load = {};
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.title; }

const Json image = Json::array({1, 8, 8});
const Json per_step_lstm{{"input", {-1, 4}}, {"hidden", 5}, {"per_step", true}, {"head", {7}}, {"classes", 3}};

std::vector<Case> cases() {
  const Json cnn{{"input", image}, {"channels", {4, 6}}, {"dense", {10}}, {"classes", 3}};
  const auto with = [](Json json, const Json& more) {
    json.update(more);
    return json;
  };
  const Json wide{{"channels", {7, 12}}, {"dense", {23}}};
  return {
      {"mlp", "mlp", {{"input", {6}}, {"widths", {5, 4}}, {"classes", 3}}, {{"widths", {9, 11}}}, {"encoder.0.dense"}},
      {"mlp_norm",
       "mlp",
       {{"input", {6}}, {"widths", {5, 4}}, {"batch_norm", true}, {"classes", 3}},
       {{"widths", {10, 9}}},
       {"encoder.1.dense"}},
      {"mlp_hidden_head",
       "mlp",
       {{"input", {6}}, {"widths", {5}}, {"head", {4}}, {"classes", 3}},
       {{"widths", {8}}, {"head", {6}}},
       {"head.0"}},
      {"mlp_regression",
       "mlp",
       {{"input", {6}}, {"widths", {5}}, {"classes", 0}, {"outputs", 2}},
       {{"widths", {8}}},
       {}},
      {"cnn", "cnn", cnn, wide, {"encoder.0.conv", "encoder.1.conv", "encoder.2.dense"}},
      {"cnn_norm", "cnn", with(cnn, {{"batch_norm", true}, {"downsample", "stride"}}), wide, {"encoder.1.conv"}},
      {"cnn_without_dense", "cnn", with(cnn, {{"dense", Json::array()}}), {{"channels", {4, 9}}}, {"encoder.1.conv"}},
      {"autoencoder_code",
       "autoencoder",
       {{"input", {12}}, {"widths", {8}}, {"latent", 3}},
       {{"widths", {13}}, {"latent", 5}},
       {}},
      {"conv_autoencoder",
       "conv_autoencoder",
       {{"input", image}, {"channels", {4, 6}}, {"dense", {10}}, {"latent", 3}},
       wide,
       {}},
      {"vae", "vae", {{"input", {12}}, {"widths", {8, 6}}, {"latent", 3}}, {{"widths", {16, 9}}}, {"decoder.0.dense"}},
      {"conv_vae",
       "conv_vae",
       {{"input", image}, {"channels", {4, 6}}, {"dense", {10}}, {"latent", 3}, {"batch_norm", true}},
       wide,
       {"decoder.1.dense", "decoder.2.conv"}},
      {"gan", "gan", {{"input", image}, {"widths", {10, 6}}, {"noise", 4}}, {{"widths", {12, 9}}}, {"critic.0.dense"}},
      {"dcgan",
       "dcgan",
       {{"input", image}, {"channels", {4, 6}}, {"dense", {10}}, {"noise", 4}},
       wide,
       {"critic.0.conv", "generator.1.dense"}},
      {"residual_network",
       "cifar_resnet",
       {{"input", {3, 16, 16}}, {"depth", 8}, {"shortcut", "conv"}, {"width", 0.25}, {"classes", 3}},
       {{"width", 0.5}},
       {"conv1", "layer2.0.conv1", "layer3.0.conv2"}},
      {"depthwise", "mobilenet_v1", {{"input", {3, 32, 32}}, {"width", 0.25}, {"classes", 3}}, {{"width", 0.5}}, {}},
      {"deeper", "mlp", {{"input", {6}}, {"widths", {5}}, {"classes", 3}}, {{"widths", {5, 5, 5}}}, {}},
      {"wider_and_deeper", "cnn", cnn, {{"channels", {7, 12}}, {"dense", {23, 17}}}, {"encoder.2.dense"}},
      {"deeper_decoder",
       "autoencoder",
       {{"input", {12}}, {"widths", {8}}, {"latent", 3}},
       {{"widths", {8, 8}}},
       {},
       {{.from = "encoder.1.*", .to = "encoder.2.*"}, {.from = "decoder.1.*", .to = "decoder.2.*"}}},
      {"inserted",
       "cnn",
       cnn,
       {{"channels", {7, 12}},
        {"insert",
         {{{"after", "encoder.0"}, {"name", "layer"}, {"kernel", 3}}, {{"after", "encoder.2"}, {"name", "layer"}}}}},
       {"encoder.0.conv"}},
      {"steps", "lstm", per_step_lstm, {{"head", {12}}}, {"head.0"}},
      {"inserted_excitation",
       "cnn",
       with(cnn, {{"insert", {{{"after", "encoder.1"}, {"name", "squeeze_excitation"}, {"reduction", 2}}}}}),
       {{"channels", {7, 12}}},
       {"encoder.1.conv", "encoder.1_inserted.0.fc2"}},
  };
}

class Grows : public ::testing::TestWithParam<Case> {};

TEST_P(Grows, AndComputesWhatItDid) {
  const Case& given = GetParam();
  const auto source = trained(given.model, given.options);
  const Weights before = testing::copied(*source);
  seed(7);
  const Grown grown = grow(*source, {.model = given.change, .load = given.load});
  EXPECT_GT(parameter_count(*grown.model), parameter_count(*source));
  const double difference = largest_difference(*source, *grown.model);
  EXPECT_LE(difference, paper_bound);
  EXPECT_LE(grown.difference, paper_bound);
  for (const std::string& layer : given.wider) EXPECT_TRUE(grown.json["wider"].contains(layer)) << grown.json.dump();
  for (const auto& [name, tensor] : state(*source)) EXPECT_TRUE(tensor.equal(before.at(name))) << name;
}

INSTANTIATE_TEST_SUITE_P(Models, Grows, ::testing::ValuesIn(cases()),
                         [](const auto& each) { return each.param.title; });

std::shared_ptr<Model> small_mlp(Json more = Json::object()) {
  Json options{{"input", {6}}, {"widths", {5}}, {"classes", 3}};
  options.update(more);
  return trained("mlp", options);
}

// Rows of copies are equal; what reads them tells them apart, so that training does too.
TEST(Grow, CopiesGetGradientsOfTheirOwn) {
  const auto source = small_mlp();
  const auto gradients_differ = [&](double noise) {
    seed(7);
    const auto model = grow(*source, {.model = {{"widths", {10}}}, .noise = noise}).model;
    const at::Tensor weight = state(*model).at("encoder.0.dense.weight");
    auto& classifier = require<Classifier>(*model, "test");
    Fields fields;
    fields.set("input", at::rand({16, 6}));
    classifier.classify(classifier.encode(fields)).select(1, 0).pow(2).sum().backward();
    for (std::int64_t copy = 5; copy < 10; ++copy) {
      for (std::int64_t unit = 0; unit < 5; ++unit) {
        if (!weight[copy].equal(weight[unit])) continue;
        const at::Tensor a = weight.grad()[copy], b = weight.grad()[unit];
        if (a.norm().item<double>() > 0 && !at::allclose(a, b, 1e-3)) return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(gradients_differ(0.1));
  EXPECT_FALSE(gradients_differ(0));
}

TEST(Grow, KeepsPreprocessingAndMode) {
  const auto source = small_mlp();
  source->set_preprocess(Json::array({Json{{"name", "scale"}, {"from", {0, 255}}, {"to", {0, 1}}}}));
  source->train();
  const Grown grown = grow(*source, {.model = {{"widths", {7}}}});
  EXPECT_EQ(grown.model->preprocess(), source->preprocess());
  EXPECT_TRUE(grown.model->is_training());
}

TEST(Grow, SaysWhatGrew) {
  const Grown grown = grow(*small_mlp(), {.model = {{"widths", {7, 7}}}});
  EXPECT_EQ(grown.json["wider"], (Json{{"encoder.0.dense", {5, 7}}}));
  EXPECT_EQ(grown.json["deeper"], Json::array({"encoder.1.dense"}));
  EXPECT_TRUE(grown.text.starts_with("grown: encoder.0.dense from 5 to 7 units, ")) << grown.text;
}

void refuses(const std::shared_ptr<Model>& source, const Json& change, std::string_view text,
             const std::vector<MovedNames>& load = {}) {
  testing::expect_error<ConfigError>([&] { grow(*source, {.model = change, .load = load}); }, {text});
}

TEST(Grow, RefusesWhatIsNotWiderOrDeeper) {
  refuses(small_mlp(), {{"widths", {4}}}, "at least 5 units");
  refuses(small_mlp(), {{"classes", 5}}, "they are what the model puts out");
  refuses(small_mlp(), {{"input", {7}}}, "leave sizes of inputs, kernels and outputs as they are");
  refuses(small_mlp(), {{"widths", Json::array()}}, "none for \"encoder.0.dense.bias\"");
  refuses(small_mlp({{"batch_norm", true}}), {{"widths", {5, 5}}}, "without a norm of their own");
  refuses(small_mlp({{"adapters", {"lora"}}}), {{"widths", {9}}}, "merge them first");
  refuses(small_mlp(), {{"name", "cnn"}}, "leave the name out");
  refuses(small_mlp(), {{"widths", {5, 5}}}, "a pattern that matches a tensor of the source, found \"encode.0.*\"",
          {{.from = "encode.0.*", .to = "encoder.1.*"}});
  refuses(trained("cifar_resnet", {{"depth", 8}, {"width", 0.25}}), {{"width", 0.5}}, "are read together");
}

TEST(Grow, RefusesUnitsThatAreNotAlone) {
  refuses(small_mlp({{"layer_norm", true}}), {{"widths", {9}}}, "encoder.0.norm");
  const Json glu = Json::array({Json{{"after", "encoder.0"}, {"name", "glu"}}});
  refuses(small_mlp({{"insert", glu}}), {{"widths", {9}}}, "head has 9 of them, others 18");
  const Json attention = Json::array({Json{{"after", "encoder.0"}, {"name", "self_attention"}, {"heads", 2}}});
  refuses(testing::small_cnn(3, {{"insert", attention}}), {{"channels", {6, 8}}}, "takes all of them together");
  refuses(trained("vae", {{"input", {12}}, {"widths", {8}}, {"latent", 3}}), {{"latent", 4}},
          "what the model puts out");
  refuses(trained("vae", {{"input", {12}}, {"widths", {8}}, {"latent", 3}, {"conditions", 3}}), {{"widths", {9}}},
          "of them, others");
  refuses(trained("gan", {{"input", image}, {"widths", {6}}, {"noise", 4}, {"spectral_norm", true}}), {{"widths", {9}}},
          "no plain dense or convolutional layer");
  refuses(trained("lstm", per_step_lstm), {{"hidden", 6}}, "no plain dense or convolutional layer");
  refuses(trained("autoencoder", {{"input", {12}}, {"widths", {8}}, {"latent", 6}, {"top_k", 2}}), {{"latent", 9}},
          "no function of single units");
}

// What computes something else for some input is seen, whatever the range that is declared.
TEST(Grow, ComparesForInputsOfBothSigns) {
  const std::string_view relu = "added layers stand behind relu";
  refuses(small_mlp({{"activation", "tanh"}}), {{"widths", {5, 5}}}, relu);
  refuses(small_mlp(), {{"widths", {6, 6}}}, relu, {{.from = "encoder.0.*", .to = "encoder.1.*"}});
  refuses(trained("lstm",
                  [] {
                    Json without = per_step_lstm;
                    without.erase("head");
                    return without;
                  }()),
          {{"head", {5}}}, relu, {{.from = "head.*", .to = "head.2.*"}});
  const auto leaky = small_mlp({{"activation", "leaky_relu"}});
  for (auto& [name, tensor] : state(*leaky)) tensor.detach().abs_();
  refuses(leaky, {{"activation", "relu"}}, "no function of single units");
}

TEST(Grow, RefusesOutputsThatCannotBeCompared) {
  const auto broken = small_mlp();
  state(*broken).at("head.bias").detach().fill_(std::numeric_limits<float>::quiet_NaN());
  refuses(broken, {{"widths", {9}}}, "nan; what stands");
  refuses(trained("lstm", per_step_lstm), {{"per_step", false}}, "as the source's");
}

}  // namespace
}  // namespace vaetl::grow_test
