// The components against plain PyTorch (tests/parity/components.py), and inserted into models: names, groups, freezing,
// pretrained weights. Their numeric gradients and errors are in tests/nn/components_test.
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "models/filled.hpp"
#include "models/reduced.hpp"
#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/component.hpp"
#include "vaetl/transfer/adapt.hpp"

namespace vaetl::testing::components_test {
namespace {

using Names = std::vector<std::string>;

struct Case {
  std::string name;
  Spec<nn::Component> component;
  std::vector<std::int64_t> shape;
  static constexpr auto fields() {
    return std::tuple{field("case", &Case::name, "in the file"), field("component", &Case::component, "description"),
                      field("shape", &Case::shape, "of one input")};
  }
};

const TensorFile& component_file() {
  static const TensorFile file = read_safetensors("tests/parity/components.safetensors");
  return file;
}

std::vector<Case> cases() {
  std::vector<Case> result;
  for (const Json& item : parse_json(component_file().metadata.at("components"), "components")) {
    result.push_back(from_json<Case>(item));
  }
  return result;
}

class Components : public ::testing::TestWithParam<Case> {};

// float64 on both sides, a few sums of at most 40 products: 40 · 2⁻⁵³ and some.
TEST_P(Components, EqualPyTorch) {
  const auto& tensors = component_file().tensors;
  const std::string prefix = GetParam().name + "/";
  const auto expect_equal = [&](const at::Tensor& found, const std::string& key) {
    const at::Tensor& expected = tensors.at(prefix + key);
    ASSERT_EQ(found.sizes(), expected.sizes()) << key;
    EXPECT_LE((found - expected).abs().max().item<double>(), 1e-13 * std::max(1.0, expected.abs().max().item<double>()))
        << key;
  };
  const auto component = registry<nn::Component>().make(GetParam().component);
  component->bind(GetParam().shape);
  fill(*component);
  component->to(at::kDouble);
  std::vector<std::int64_t> shape = GetParam().shape;
  shape.insert(shape.begin(), 2);
  const at::Tensor x = filled("input", shape).to(at::kDouble).requires_grad_();
  const at::Tensor y = component->forward(x);
  expect_equal(y.detach(), "output");
  (y * filled("probe", y.sizes())).sum().backward();
  expect_equal(x.grad(), "grad.input");
  std::size_t gradients = 2;
  for (const auto& item : component->named_parameters()) {
    expect_equal(item.value().grad(), "grad." + item.key());
    ++gradients;
  }
  for (const auto& [key, tensor] : tensors) gradients -= key.starts_with(prefix);
  EXPECT_EQ(gradients, 0u) << "names differ";
}

INSTANTIATE_TEST_SUITE_P(Reference, Components, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

Names group_names(const Model& model) {
  Names names;
  for (const auto& group : model.groups()) names.push_back(group.name);
  return names;
}

// What a model makes of x, and of noise where it is a generator.
std::vector<at::Tensor> results(Model& model, const at::Tensor& x) {
  if (!offers(model, Encoder::capability)) {
    auto& generator = require<Generator>(model);
    const at::Tensor noise = filled("noise", {2, generator.noise_size()});
    return {generator.generate(noise), require<Critic>(model).judge(x).score};
  }
  Fields fields;
  fields.set("input", x);
  return {require<Encoder>(model).encode(fields)};
}

const Json gated_attention{{"name", "residual"}, {"of", {{"name", "self_attention"}, {"heads", 2}}}};

Json after(const std::string& group, Json component) {
  component["after"] = group;
  return component;
}

TEST(Insertion, FormsGroupsOfItsOwnAndRenamesNothing) {
  const Json options{{"input", {1, 12, 12}}, {"channels", {4, 8}}, {"dense", {16}}, {"classes", 3}};
  Json more = options;
  more["insert"] = {after("encoder.1", gated_attention), after("encoder.1", {{"name", "squeeze_excitation"}}),
                    after("encoder.2", {{"name", "highway"}})};
  const auto plain = build({"cnn", options}), inserted = build({"cnn", more});
  EXPECT_EQ(group_names(*inserted),
            (Names{"encoder.0", "encoder.1", "inserted.encoder.1", "encoder.2", "inserted.encoder.2", "head"}));
  const Weights own = state(*inserted);
  for (const auto& [name, tensor] : state(*plain)) EXPECT_TRUE(own.contains(name)) << name;
  EXPECT_TRUE(own.contains("encoder.1_inserted.0.of.in_proj_weight"));
  EXPECT_TRUE(own.contains("encoder.1_inserted.1.fc1.weight"));
  EXPECT_TRUE(own.contains("encoder.2_inserted.0.gate.bias"));
  EXPECT_EQ(match_groups(*inserted, "inserted.*", "test").size(), 2u);
  // Written out with every default, and made again.
  const auto again = build(inserted->spec());
  EXPECT_EQ(again->spec().options, inserted->spec().options);
  EXPECT_EQ(inserted->spec().options.at("insert")[1].at("reduction"), 16);
}

// Every model that has the option, after its first group: a gated residual starts as the identity, so a pretrained
// network computes what it did; and its weights load unrenamed.
TEST(Insertion, KeepsAPretrainedNetworksFunction) {
  int models = 0;
  for (const auto& name : registry<Model>().names()) {
    if (!registry<Model>().schema(name).at("properties").contains("insert")) continue;
    SCOPED_TRACE(name);
    ++models;
    const auto plain = build({name, reduced(name)});
    const Json change{{"insert", {after(plain->groups().front().name, {{"name", "residual"}})}}};
    const Adapted adapted = adapt(*plain, {.model = change, .freeze = {"*"}, .tuning = {{.groups = "inserted.*"}}});
    EXPECT_EQ(adapted.report.weights.unused.size(), 0u);
    EXPECT_EQ(adapted.report.trained, Names{"inserted." + plain->groups().front().name});
    std::vector<std::int64_t> shape = plain->signature().inputs.at("input").shape;
    shape.insert(shape.begin(), 2);
    const at::Tensor x = at::rand(shape);
    plain->eval();
    adapted.model->eval();
    const auto before = results(*plain, x), now = results(*adapted.model, x);
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(at::equal(before[i], now[i]));
    if (!offers(*adapted.model, Encoder::capability)) continue;
    // The classifier that shares the encoder has the component too.
    const auto target = build(require<Encoder>(*adapted.model).classifier(5));
    const Weights shared = state(*target);
    for (const auto& [key, tensor] : state(*adapted.model)) {
      EXPECT_TRUE(shared.contains(key) || !group_of(*adapted.model, key).starts_with("inserted.")) << key;
    }
  }
  EXPECT_GE(models, 17);
}

TEST(Insertion, RefusedByName) {
  const auto refuse = [](const Json& insert, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { build({"cnn", {{"insert", Json::array({insert})}}}); }, parts);
  };
  refuse(after("encoder.9", {{"name", "glu"}}),
         {"insert[0].after: expected a layer group before the head (encoder.0, encoder.1, encoder.2), found "
          "\"encoder.9\""});
  refuse(after("encoder.0", {{"name", "glue"}}),
         {"model.insert[0]: expected the name of a known component, found \"glue\"; did you mean \"glu\"?"});
  refuse({{"name", "glu"}}, {"model.insert[0].after: expected the layer group that it stands after, found none"});
  refuse("glu", {"model.insert[0]", "an object with \"after\" and \"name\""});
  refuse(after("encoder.0", {{"name", "squeeze_excitation"}, {"reduce", 4}}), {"model.insert[0]", "\"reduction\""});
  refuse(after("encoder.2", {{"name", "self_attention"}}),
         {"self_attention: expected a sequence (T, F) or a picture (C, H, W), found (256)"});
  refuse(after("encoder.0", {{"name", "self_attention"}, {"heads", 5}}),
         {"self_attention.heads: expected a divisor of the 32 features, found 5"});
}

}  // namespace
}  // namespace vaetl::testing::components_test
