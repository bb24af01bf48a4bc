// Values against PyTorch's are in tests/models/components_test; here are gradients, how components start, and errors.
#include "vaetl/nn/components.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "nn/numeric_gradient.hpp"
#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/second_gradients.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing::components_test {
namespace {

using Shape = std::vector<std::int64_t>;

std::shared_ptr<nn::Component> bound(const Json& description, const Shape& shape) {
  Spec<nn::Component> spec;
  Codec<Spec<nn::Component>>::read(description, "component", spec, {});
  auto component = registry<nn::Component>().make(spec);
  component->bind(shape);
  return component;
}

at::Tensor batch_of(Shape shape, at::ScalarType type = at::kFloat) {
  shape.insert(shape.begin(), 2);
  return at::randn(shape, type);
}

TEST(Components, FieldsCover) {
  expect_fields_cover<nn::SelfAttention::Options>();
  expect_fields_cover<nn::Highway::Options>();
  expect_fields_cover<nn::FeedForward::Options>();
  expect_fields_cover<nn::Layer::Options>();
  expect_fields_cover<nn::Residual::Options>();
  expect_fields_cover<nn::SqueezeExcitation::Options>();
}

TEST(Components, KeepTheirInputsShape) {
  for (const auto& name : registry<nn::Component>().names()) {
    for (const Shape& shape : {Shape{8}, Shape{3, 8}, Shape{8, 4, 3}}) {
      if (name == "self_attention" && shape.size() == 1) continue;
      const at::Tensor x = batch_of(shape);
      EXPECT_EQ(bound(name, shape)->forward(x).sizes(), x.sizes()) << name;
    }
  }
}

TEST(Components, GradientsAreTheirDifferences) {
  seed(0);
  const std::vector<Json> smooth = {{{"name", "self_attention"}, {"heads", 2}},
                                    {{"name", "glu"}},
                                    {{"name", "highway"}, {"activation", "tanh"}},
                                    {{"name", "feed_forward"}, {"hidden", 3}, {"activation", "silu"}},
                                    {{"name", "layer"}, {"activation", "silu"}},
                                    {{"name", "residual"}, {"of", "glu"}},
                                    {{"name", "squeeze_excitation"}, {"reduction", 2}}};
  for (const Json& description : smooth) {
    for (const Shape& shape : {Shape{3, 4}, Shape{4, 2, 2}}) {
      const auto component = bound(description, shape);
      component->to(at::kDouble);
      const at::Tensor x = batch_of(shape, at::kDouble).requires_grad_();
      std::vector<at::Tensor> variables = component->parameters();
      variables.push_back(x);
      expect_gradients([&] { return component->forward(x); }, variables);
    }
  }
}

// As a penalty on a critic's gradient needs: the gradient of a gradient, by differences of the gradient.
TEST(Components, HaveSecondGradientsWhereTheyAreWanted) {
  seed(1);
  for (const Shape& shape : {Shape{3, 4}, Shape{4, 2, 2}}) {
    const auto component = bound({{"name", "residual"}, {"of", {{"name", "self_attention"}, {"heads", 2}}}}, shape);
    component->to(at::kDouble);
    component->named_parameters()["gate"].data().fill_(0.5);
    const at::Tensor x = batch_of(shape, at::kDouble).requires_grad_();
    const auto slope = [&] {
      const at::AutoGradMode with_gradients(true);  // where differences are taken too
      const nn::SecondGradients wanted;
      const at::Tensor y = component->forward(x).square().sum();
      return torch::autograd::grad({y}, {x}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0];
    };
    expect_gradients(slope, component->parameters());
  }
  EXPECT_FALSE(nn::SecondGradients::wanted());
}

// Sequences that end early: what is behind their ends is as if it were not there.
TEST(Components, SeeNoPadding) {
  seed(2);
  for (const auto& name : registry<nn::Component>().names()) {
    SCOPED_TRACE(name);
    const auto component = bound(name, {-1, 8});
    const at::Tensor x = at::randn({2, 5, 8}), ends = at::tensor(at::ArrayRef<std::int64_t>{5, 3});
    const at::Tensor y = component->over_steps(x, ends);
    EXPECT_TRUE(at::allclose(y.slice(0, 1, 2).slice(1, 0, 3),
                             component->over_steps(x.slice(0, 1, 2).slice(1, 0, 3), {}), 1e-4, 1e-5));
    at::Tensor later = x.clone();
    later[0][4].fill_(3);
    const bool moved = !at::equal(component->over_steps(later, ends)[0][0], y[0][0]);
    EXPECT_EQ(moved, component->sees_other_steps());
  }
  EXPECT_TRUE(bound("self_attention", {-1, 8})->sees_other_steps());
  EXPECT_TRUE(bound({{"name", "residual"}, {"of", "self_attention"}}, {-1, 8})->sees_other_steps());
}

TEST(Components, StartWhereTheirPapersSay) {
  seed(0);
  const Shape shape = {5, 16};
  const at::Tensor x = batch_of(shape);
  EXPECT_TRUE(at::equal(bound({{"name", "residual"}, {"of", "self_attention"}}, shape)->forward(x), x));
  const at::Tensor positive = at::relu(x), picture = at::relu(batch_of({4, 5, 6}));
  EXPECT_TRUE(at::equal(bound("layer", shape)->forward(positive), positive));
  EXPECT_TRUE(at::equal(bound({{"name", "layer"}, {"kernel", 3}}, {4, 5, 6})->forward(picture), picture));
  EXPECT_FALSE(at::allclose(bound({{"name", "residual"}, {"gate", false}}, shape)->forward(x), x));
  EXPECT_TRUE(at::allclose(bound({{"name", "highway"}, {"bias", -20}}, shape)->forward(x), x, 1e-4, 1e-4));
  EXPECT_FALSE(at::allclose(bound({{"name", "highway"}, {"bias", 2}}, shape)->forward(x), x, 1e-2, 1e-2));
  const Weights attention = state(*bound("self_attention", shape));
  EXPECT_EQ(attention.at("in_proj_bias").abs().sum().item<float>(), 0);
  EXPECT_EQ(attention.at("out_proj.bias").abs().sum().item<float>(), 0);
  // U(−b, b), b² = 6 / (16 + 48), has variance b² / 3; 5 deviations of the estimate from 768 values.
  const double square = 6.0 / 64;
  EXPECT_NEAR(attention.at("in_proj_weight").square().mean().item<double>(), square / 3,
              5 * square * std::sqrt(4 / (45 * 768.0)));
  EXPECT_EQ(bound({{"name", "squeeze_excitation"}, {"reduction", 64}}, shape)->parameters().at(0).size(0), 1);
}

TEST(Components, SayWhatTheyCannotTake) {
  const auto refuse = [](const Json& description, const Shape& shape, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { bound(description, shape); }, parts);
  };
  refuse("glu", {2, 3, 4, 5},
         {"glu: expected a vector (F), a sequence (T, F) or a picture (C, H, W), found (2, 3, 4, 5); insert it after"});
  refuse("self_attention", {8}, {"self_attention: expected a sequence (T, F) or a picture (C, H, W), found (8)"});
  refuse({{"name", "self_attention"}, {"heads", 3}}, {4, 8},
         {"self_attention.heads: expected a divisor of the 8 features, found 3"});
  refuse({{"name", "feed_forward"}, {"kernel", 2}}, {8}, {"kernel: expected an odd size, found 2"});
  refuse({{"name", "feed_forward"}, {"kernel", 3}}, {8},
         {"feed_forward.kernel: expected 1 where the input is no picture, found 3"});
  refuse({{"name", "layer"}, {"kernel", 4}}, {8, 4, 4}, {"kernel: expected an odd size, found 4"});
  refuse({{"name", "layer"}, {"kernel", 3}}, {8}, {"layer.kernel: expected 1 where the input is no picture, found 3"});
  refuse({{"name", "residual"}, {"of", "glued"}}, {8}, {"residual.of", "found \"glued\"; did you mean \"glu\""});
}

}  // namespace
}  // namespace vaetl::testing::components_test
