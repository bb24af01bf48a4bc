// The image networks by the names of others. Against plain PyTorch (tests/parity/backbones.py): outputs, gradients, ten
// steps of an optimiser with running statistics. Against torchvision (tests/parity/torchvision_parameters.py): names,
// shapes, initial values, and what its models put out. What all models must do is in registered_test and learning_test.
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "models/filled.hpp"
#include "models/reduced.hpp"
#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/io/gzip.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/models/lenet.hpp"
#include "vaetl/models/mobilenet_v1.hpp"
#include "vaetl/models/mobilenet_v2.hpp"
#include "vaetl/models/resnet.hpp"
#include "vaetl/models/resnet_cifar.hpp"
#include "vaetl/models/vgg.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/train/optimizer.hpp"

namespace vaetl::testing::backbone_test {
namespace {

using Names = std::vector<std::string>;

at::Tensor logits(Model& model, const at::Tensor& x) {
  Fields fields;
  fields.set("input", x);
  auto& classifier = require<Classifier>(model);
  return classifier.classify(classifier.encode(fields));
}

Names group_names(const Model& model) {
  Names names;
  for (const auto& group : model.groups()) names.push_back(group.name);
  return names;
}

Names parameter_names(const Model& model) {
  Names names;
  for (const auto& [name, tensor] : state(model)) names.push_back(name);
  return names;
}

// ---- plain PyTorch, at reduced width

struct Case {
  std::string name;
  ModelSpec model;
  Names names;
  static constexpr auto fields() {
    return std::tuple{field("case", &Case::name, "in the file"), field("model", &Case::model, "description"),
                      field("names", &Case::names, "of parameters and buffers")};
  }
};

const TensorFile& backbone_file() {
  static const TensorFile file = read_safetensors("tests/parity/backbones.safetensors");
  return file;
}

std::vector<Case> cases() {
  std::vector<Case> result;
  for (const Json& item : parse_json(backbone_file().metadata.at("models"), "backbones")) {
    result.push_back(from_json<Case>(item));
  }
  return result;
}

// Both sides compute in float64. A relative change of the weights grows by up to 10⁵ through ten steps of the deepest
// network (measured in PyTorch), and sums of up to 10³ products round by 2⁻⁵³ √10³ each: 4e-10 in all. Anything
// computed in float32 (2⁻²⁴) would be seen.
constexpr double double_tolerance = 4e-10;

void expect_equal(const at::Tensor& found, const at::Tensor& expected, const std::string& what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  const double scale = std::max(1.0, expected.abs().max().item<double>());
  EXPECT_LE((found.detach() - expected).abs().max().item<double>(), double_tolerance * scale) << what;
}

class Backbones : public ::testing::TestWithParam<Case> {};

TEST_P(Backbones, EqualPyTorch) {
  const auto expected = [](const std::string& key) { return backbone_file().tensors.at(GetParam().name + "/" + key); };
  const auto model = build(GetParam().model);
  ASSERT_EQ(parameter_names(*model), GetParam().names);
  fill(*model);
  model->to(at::kDouble);
  std::vector<std::int64_t> shape = model->signature().inputs.at("input").shape;
  shape.insert(shape.begin(), 6);
  const at::Tensor x = filled("input", shape).to(at::kDouble), target = at::arange(6) % 5;
  ParameterSet set;
  for (const auto& item : model->named_parameters()) {
    set.names.push_back(item.key());
    set.parameters.push_back(item.value());
  }
  const auto optimizer = make<Optimizer>("sgd", {{"lr", 2e-4}, {"momentum", 0.9}, {"weight_decay", 1e-3}});
  at::Tensor losses = at::empty({10}, at::kDouble);
  for (std::int64_t step = 0; step < 10; ++step) {
    model->zero_grad();
    const at::Tensor y = logits(*model, x), loss = at::cross_entropy_loss(y, target);
    loss.backward();
    losses[step] = loss.detach();
    if (step == 0) {
      expect_equal(y, expected("logits"), "logits");
      Weights gradients;
      for (const auto& item : model->named_parameters()) gradients[item.key()] = item.value().grad();
      expect_equal(summary(gradients), expected("gradients"), "gradients");
    }
    optimizer->set_parameters({set});
    optimizer->step(1);
  }
  expect_equal(losses, expected("losses"), "losses");
  expect_equal(summary(state(*model)), expected("after"), "weights after ten steps");
  model->eval();
  expect_equal(logits(*model, x), expected("evaluated"), "logits in evaluation");
}

INSTANTIATE_TEST_SUITE_P(Reference, Backbones, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

// ---- torchvision, whole

Json torchvision() {
  ByteReader reader("tests/parity/torchvision_parameters.json.gz");
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = reader.read(buffer.data(), buffer.size())) text.append(buffer.data(), size);
  return parse_json(text, "torchvision_parameters.json.gz").at("models");
}

// The mapping that docs/models.md tells.
ModelSpec described(const std::string& name) {
  ModelSpec spec{.options = {{"input", {3, 224, 224}}, {"classes", 1000}}};
  const std::size_t digits = name.find_first_of("0123456789");
  if (name.starts_with("resnet") || name.starts_with("vgg")) {
    spec.name = name.substr(0, digits);
    spec.options["depth"] = std::stoi(name.substr(digits));
    if (name.ends_with("_bn")) spec.options["batch_norm"] = true;
  } else {
    spec.name = name;
  }
  return spec;
}

TEST(Torchvision, NamesShapesAndInitialValues) {
  const Names whole = {"resnet18", "resnet50", "vgg11_bn", "mobilenet_v2"};  // the rest by names alone, and narrow
  const Json reference = torchvision();
  for (const auto& [name, entry] : reference.items()) {
    SCOPED_TRACE(name);
    ModelSpec spec = described(name);
    const bool narrow = std::find(whole.begin(), whole.end(), name) == whole.end();
    if (narrow) spec.options["width"] = 1.0 / 64;
    const auto model = build(spec);
    const Weights own = state(*model);
    ASSERT_EQ(own.size(), entry.at("parameters").size());
    for (const auto& [key, shape] : entry.at("parameters").items()) {
      ASSERT_TRUE(own.contains(key)) << key;
      EXPECT_EQ(own.at(key).dim(), static_cast<std::int64_t>(shape.size())) << key;
      if (narrow) continue;
      EXPECT_EQ(own.at(key).sizes().vec(), shape.get<std::vector<std::int64_t>>()) << key;
    }
    if (narrow) continue;
    // The deviation of n values is off by a share of 1 / √(2n) at most (of normal ones), here and there: 5 of √2 times
    // that.
    for (const auto& [key, deviation] : entry.at("deviations").items()) {
      const double there = deviation.get<double>(), n = static_cast<double>(own.at(key).numel());
      EXPECT_NEAR(own.at(key).std().item<double>(), there, 5 * there / std::sqrt(n)) << key;
    }
  }
}

// 224 × 224 pictures differ from these in the number of pixels alone. float32 against float64: of L layers each rounds
// sums of at most n products by √n 2⁻²⁴ of their size; L √n = 50 √4608 for the deepest.
TEST(Torchvision, OutputsOnSeededWeights) {
  const Json reference = torchvision();
  for (const auto& [name, entry] : reference.items()) {
    if (!entry.contains("side")) continue;
    SCOPED_TRACE(name);
    ModelSpec spec = described(name);
    const std::int64_t side = entry.at("side");
    spec.options["input"] = {3, side, side};
    const auto model = build(spec);
    fill(*model);
    model->eval();
    const at::NoGradGuard no_grad;
    const at::Tensor y = logits(*model, filled("input", {2, 3, side, side}));
    const double tolerance = 50 * std::sqrt(4608.0) * std::ldexp(entry.at("largest").get<double>(), -24);
    for (std::int64_t n = 0; n < 2; ++n) {
      for (std::int64_t k = 0; k < 10; ++k) {
        EXPECT_NEAR(y[n][k].item<double>(), entry.at("logits")[n][k].get<double>(), tolerance) << n << ", " << k;
      }
    }
  }
}

// ---- what is ours

TEST(BackboneOptions, FieldsCover) {
  expect_fields_cover<models::ResNet::Options>();
  expect_fields_cover<models::CifarResNet::Options>();
  expect_fields_cover<models::Vgg::Options>();
  expect_fields_cover<models::MobileNetV1::Options>();
  expect_fields_cover<models::MobileNetV2::Options>();
  expect_fields_cover<models::LeNet::Options>();
}

TEST(BackboneOptions, Groups) {
  const auto of = [](const std::string& name) { return group_names(*build({name, reduced(name)})); };
  EXPECT_EQ(of("resnet"), (Names{"stem", "layer1", "layer2", "layer3", "layer4", "head"}));
  EXPECT_EQ(of("cifar_resnet"), (Names{"stem", "layer1", "layer2", "layer3", "head"}));
  EXPECT_EQ(of("vgg"), (Names{"layer1", "layer2", "layer3", "layer4", "layer5", "fc1", "fc2", "head"}));
  EXPECT_EQ(of("mobilenet_v1"), (Names{"stem", "stage1", "stage2", "stage3", "head"}));
  EXPECT_EQ(of("mobilenet_v2"),
            (Names{"stem", "layer1", "layer2", "layer3", "layer4", "layer5", "layer6", "layer7", "layer8", "head"}));
  EXPECT_EQ(of("lenet"), (Names{"conv1", "conv2", "fc1", "head"}));
}

TEST(BackboneOptions, DropoutActsInTrainingAlone) {
  for (const std::string name : {"vgg", "mobilenet_v2"}) {
    const auto model = build({name, reduced(name, {{"dropout", 0.5}})});
    const at::Tensor x = at::rand({2, 3, 32, 32});
    const at::NoGradGuard no_grad;
    const at::Tensor first = logits(*model, x);
    model->eval();
    const at::Tensor whole = logits(*model, x);
    EXPECT_FALSE(at::equal(first, whole)) << name;
    EXPECT_TRUE(at::equal(logits(*model, x), whole)) << name;
  }
}

TEST(BackboneOptions, ConvPoolDenseIsACnn) {
  const auto model = build({"cnn", {{"channels", {32}}, {"dense", {128}}}});
  EXPECT_EQ(parameter_count(*model), 32 * 10 + (32 * 14 * 14 + 1) * 128 + 129 * 10);
}

TEST(BackboneOptions, RefusedByName) {
  const auto refuse = [](const std::string& name, const Json& options, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { build({name, options}); }, parts);
  };
  refuse("resnet", {{"depth", 20}},
         {"depth: expected 18, 34, 50, 101 or 152, found 20; cifar_resnet has those of 6n + 2"});
  refuse("cifar_resnet", {{"depth", 18}}, {"depth: expected 6n + 2 (20, 32, 44, 56, …), found 18; resnet has 18, 34"});
  refuse("vgg", {{"depth", 12}}, {"depth: expected 11, 13, 16 or 19, found 12"});
  refuse("vgg", {{"input", {3, 64, 31}}},
         {"layer layer5: expected an image of at least 2 × 2, found 4 × 1 of an input of 64 × 31; use larger images"});
  refuse("lenet", {{"input", {1, 12, 12}}},
         {"layer conv2: expected an image of at least 6 × 6, found 4 × 4 of an input of 12 × 12; use larger images"});
  refuse("lenet", {{"channels", Json::array()}}, {"channels: expected at least one convolution, found none"});
  refuse("mobilenet_v2", {{"input", {32, 32}}},
         {"input: expected 3 dimensions: channels, height, width, found (32, 32)"});
  refuse("mobilenet_v1", {{"width", 0}}, {"model.width", "found 0"});
  refuse("resnet", {{"classes", 1}}, {"classes: expected 0 (features alone) or at least 2, found 1"});
  refuse("resnet", {{"insert", {{{"after", "layer5"}, {"name", "glu"}}}}, {"width", 0.125}},
         {"insert[0].after: expected a layer group before the head (stem, layer1, layer2, layer3, layer4), found "
          "\"layer5\"; did you mean"});
}

}  // namespace
}  // namespace vaetl::testing::backbone_test
