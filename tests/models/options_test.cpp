// What the architectures' options do and what they refuse.
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "models/reduced.hpp"
#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/models/cnn.hpp"
#include "vaetl/models/conv_vae.hpp"
#include "vaetl/models/mlp.hpp"
#include "vaetl/models/vae.hpp"
#include "vaetl/nn/likelihood.hpp"
#include "vaetl/nn/restorer.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing::options_test {
namespace {

using models::Cnn;
using models::ConvVae;
using models::Mlp;
using models::Vae;
using Names = std::vector<std::string>;

Names group_names(const Model& model) {
  Names names;
  for (const auto& group : model.groups()) names.push_back(group.name);
  return names;
}

Fields images(std::vector<std::int64_t> shape) {
  shape.insert(shape.begin(), 2);
  Fields fields;
  fields.set("input", at::rand(shape));
  return fields;
}

TEST(Options, FieldsCover) {
  expect_fields_cover<Mlp::Options>();
  expect_fields_cover<Cnn::Options>();
  expect_fields_cover<Vae::Options>();
  expect_fields_cover<ConvVae::Options>();
}

TEST(Options, GroupsFollowThem) {
  EXPECT_EQ(group_names(*make<Mlp>({.widths = {3, 4}})), (Names{"encoder.0", "encoder.1", "head"}));
  EXPECT_EQ(group_names(*make<Mlp>({.widths = {}})), Names{"head"});
  EXPECT_EQ(group_names(*make<Cnn>({.classes = 0})), (Names{"encoder.0", "encoder.1", "encoder.2"}));
  EXPECT_EQ(group_names(*make<Vae>()), (Names{"encoder.0", "latent", "decoder.0", "decoder.1"}));
  EXPECT_EQ(group_names(*make<ConvVae>()), (Names{"encoder.0", "encoder.1", "encoder.2", "latent", "decoder.0",
                                                  "decoder.1", "decoder.2", "decoder.3"}));
}

TEST(Options, MlpWithoutWidthsIsLogisticRegression) {
  auto model = make<Mlp>({.input = {2, 3}, .widths = {}, .classes = 4});
  EXPECT_EQ(parameter_count(*model), 6 * 4 + 4);
  const Fields fields = images({2, 3});
  EXPECT_TRUE(at::equal(model->encode(fields), fields.input().flatten(1)));
}

TEST(Options, ConvVaeGivesBackAnySize) {
  for (std::int64_t side : {28, 32, 17}) {
    for (const std::string down : {"max_pool", "stride"}) {
      auto model =
          make<ConvVae>({.input = {2, side, side + 3}, .channels = {3, 4, 5}, .downsample = down, .dense = {6}});
      const Fields fields = images({2, side, side + 3});
      EXPECT_EQ(model->generate(model->encode(fields)).sizes(), fields.input().sizes()) << side << " " << down;
    }
  }
}

TEST(Options, LikelihoodDecidesWhatIsGenerated) {
  seed(0);
  auto model = make<Vae>({.input = {4}, .widths = {}, .latent = 2});
  const at::Tensor bounded = model->generate(100 * at::randn({9, 2}));
  EXPECT_GE(bounded.min().item<float>(), 0);
  EXPECT_LE(bounded.max().item<float>(), 1);
  auto gaussian = make<Vae>({.input = {4}, .widths = {}, .latent = 2, .likelihood = "gaussian"});
  EXPECT_GT(gaussian->generate(100 * at::randn({9, 2})).abs().max().item<float>(), 1);
}

TEST(Options, DropoutActsInTrainingAlone) {
  for (const std::string name : {"mlp", "cnn"}) {
    auto model = build({name, {{"dropout", 0.5}}});
    auto& classifier = require<Classifier>(*model);
    const Fields fields = images({1, 28, 28});
    auto logits = [&] { return classifier.classify(classifier.encode(fields)); };
    EXPECT_FALSE(at::equal(logits(), logits())) << name;
    model->eval();
    EXPECT_TRUE(at::equal(logits(), logits())) << name;
  }
}

std::string fingerprint(const std::string& name, const Json& options) {
  seed(4);
  auto model = build({name, options});
  std::string text;
  for (const auto& [key, tensor] : state(*model)) text += key + shape_text(tensor.sizes().vec()) + " ";
  const Fields fields = images(model->signature().inputs.at("input").shape);
  const at::Tensor classes = offers(*model, "Conditional") ? at::zeros({fields.size()}, at::kLong) : at::Tensor();
  if (auto* critic = dynamic_cast<Critic*>(model.get())) {
    const at::Tensor z = at::randn({fields.size(), require<Generator>(*model).noise_size()});
    text += fmt::format(" {}", critic->judge(fields.input(), classes).score.sum().item<double>());
    return text + fmt::format(" {}", require<Generator>(*model).generate(z, classes).sum().item<double>());
  }
  if (auto* restorer = dynamic_cast<Restorer*>(model.get())) {
    return text + fmt::format(" {}", restorer->restore(fields).sum().item<double>());
  }
  auto& encoder = require<Encoder>(*model);
  const at::Tensor features = encoder.encode(fields);
  text += fmt::format(" {} {}", features.sum().item<double>(), model->signature().inputs.at("input").shape.size());
  if (auto* classifier = dynamic_cast<Classifier*>(model.get()); classifier && classifier->classes() > 0) {
    text += fmt::format(" {}", classifier->classify(features).sum().item<double>());
  }
  if (auto* decoder = dynamic_cast<Decoder*>(model.get())) {
    const at::Tensor z = features.slice(1, 0, decoder->latent_size());
    text += fmt::format(" {}", decoder->decode(z)->mean().sum().item<double>());
  }
  if (auto* generator = dynamic_cast<Generator*>(model.get())) {
    text += fmt::format(" {}", generator->generate(features.slice(1, 0, generator->noise_size())).sum().item<double>());
  }
  return text;
}

const Json& new_values() {
  static const Json values = {{"input", {1, 36, 40}},
                              {"widths", {30}},
                              {"activation", "tanh"},
                              {"dropout", 0.3},
                              {"batch_norm", true},
                              {"classes", 4},
                              {"channels", {8}},
                              {"kernel", 7},
                              {"downsample", "stride"},
                              {"dense", {30, 20}},
                              {"likelihood", "gaussian"},
                              {"latent", 3},
                              {"width", 0.25},
                              {"stem", "cifar"},
                              {"shortcut", "conv"},
                              {"slope", 0},
                              {"code", {{"size", 5}}},
                              {"top_k", 2},
                              {"code_activation", "elu"},
                              {"code_batch_norm", true},
                              {"output", "identity"},
                              {"noise", 5},
                              {"critic_activation", "tanh"},
                              {"critic_batch_norm", true},
                              {"spectral_norm", true},
                              {"conditions", 3}};
  return values;
}

// Where the accepted values differ among the models: the first that this one accepts.
const std::map<std::string, std::vector<Json>> candidates = {{"depth", {34, 26, 13}}};

Json changed(const std::string& name, const std::string& key) {
  Json options = reduced(name);
  if (key == "insert") {
    const std::string first = build({name, options})->groups().front().name;
    options[key] = {{{"after", first}, {"name", "glu"}}};
  } else if (candidates.contains(key)) {
    for (const Json& value : candidates.at(key)) {
      options[key] = value;
      try {
        build({name, options});
        break;
      } catch (const ConfigError&) {
      }
    }
  } else if (key == "condition_size" || key == "critic_condition") {
    options.update({{"conditions", 3}, {key, key == "condition_size" ? Json(5) : Json("projection")}});
  } else if (key == "top_k_factor") {
    options.update({{"top_k", 2}, {key, 3}});  // alone it is refused; what it does is in autoencoder_test
  } else {
    options[key] = new_values().at(key);
    const Json plain = build({name, reduced(name)})->spec().options.at(key);
    if (plain == options[key]) options[key] = !plain.get<bool>();
  }
  return options;
}

TEST(Options, EachChangesTheModel) {
  // Names and shapes, and outputs of the same seed where those are equal.
  for (const auto& name : registry<Model>().names()) {
    const std::string plain = fingerprint(name, reduced(name));
    EXPECT_EQ(plain, fingerprint(name, reduced(name)));
    for (const auto& [key, described] : registry<Model>().schema(name).at("properties").items()) {
      ASSERT_TRUE(key == "insert" || key == "top_k_factor" || key == "condition_size" || key == "critic_condition" ||
                  candidates.contains(key) || new_values().contains(key))
          << name << " has the option " << key << " that this test does not change";
      EXPECT_NE(fingerprint(name, changed(name, key)), plain) << name << "." << key;
    }
  }
}

TEST(Options, RefusedByName) {
  auto refuse = [](const std::string& name, const Json& options, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { build({name, options}); }, parts);
  };
  refuse("cnn", {{"input", {28, 28}}}, {"input: expected 3 dimensions: channels, height, width, found (28, 28)"});
  refuse(
      "conv_vae", {{"channels", {4, 4, 4, 4, 4}}},
      {"channels: expected at most 4 blocks, as each halves 28 × 28, found 5; leave some out, or use larger images"});
  refuse("cnn", {{"channels", Json::array()}}, {"channels: expected at least one convolutional block, found none"});
  refuse("cnn", {{"kernel", 4}}, {"kernel: expected an odd size, found 4"});
  refuse("cnn", {{"downsample", "pool"}}, {"model.downsample", "\"max_pool\"", "\"stride\"", "\"pool\""});
  refuse("cnn", {{"classes", 0}, {"dropout", 0.5}}, {"dropout: expected 0 where classes is 0, found 0.5"});
  refuse("mlp", {{"classes", 1}}, {"classes: expected 0 (features alone) or at least 2, found 1"});
  refuse("mlp", {{"widths", {0}}}, {"model.widths[0]", "between 1 and 65536", "found 0"});
  refuse("mlp", {{"input", Json::array()}}, {"input: expected a shape of 1 to 268435456 values, found ()"});
  refuse("mlp", {{"input", {65536, 65536}}}, {"input", "found (65536, 65536)"});
  refuse("mlp", {{"widths", Json::array()}, {"batch_norm", true}},
         {"batch_norm: expected false where widths is empty"});
  refuse("mlp", {{"widths", Json::array()}, {"dropout", 0.5}},
         {"dropout: expected 0 where widths is empty, found 0.5"});
  refuse("vae", {{"latent", 0}}, {"model.latent", "between 1 and 65536", "found 0"});
  refuse("vae", {{"activation", "rely"}}, {"model.activation", "\"rely\"", "did you mean \"relu\"?"});
}

TEST(Options, MadeInCodeAreCheckedToo) {
  expect_error<ConfigError>([] { make<Cnn>({.kernel = 2}); }, {"kernel: expected an odd size, found 2"});
  expect_error<ConfigError>([] { make<Vae>({.latent = 0}); }, {"vae.latent", "between 1 and 65536"});
  expect_error<ConfigError>([] { make<ConvVae>({.likelihood = "poisson"}); }, {"conv_vae.likelihood", "\"poisson\""});
}

}  // namespace
}  // namespace vaetl::testing::options_test
