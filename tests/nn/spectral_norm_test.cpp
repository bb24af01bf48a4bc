#include "vaetl/nn/spectral_norm.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linalg_svdvals.h>

#include "nn/numeric_gradient.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/nn/statistics.hpp"

namespace vaetl::testing::spectral_norm_test {
namespace {

double largest_singular_value(const at::Tensor& weight) {
  return at::linalg_svdvals(weight.flatten(1)).max().item<double>();
}

std::vector<std::string> names_in(const torch::nn::Module& module) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state(module)) names.push_back(name);
  return names;
}

// Values against torch.nn.utils.spectral_norm: tests/models/gan_test, conv_hinge_projection.
TEST(SpectralNorm, BearsPyTorchsNames) {
  EXPECT_EQ(names_in(nn::Linear(3, 2, true)),
            (std::vector<std::string>{"bias", "weight_orig", "weight_u", "weight_v"}));
  EXPECT_EQ(names_in(nn::Conv2d({.in = 2, .out = 3, .bias = false, .spectral_norm = true})),
            (std::vector<std::string>{"weight_orig", "weight_u", "weight_v"}));
  EXPECT_EQ(names_in(nn::Embedding(3, 2, true)), (std::vector<std::string>{"weight_orig", "weight_u", "weight_v"}));
  EXPECT_EQ(names_in(nn::Embedding(3, 2)), (std::vector<std::string>{"weight"}));
}

TEST(SpectralNorm, TrainingFindsTheLargestSingularValueAndEvaluationKeepsIt) {
  seed(1);
  nn::Linear layer(6, 5, true);
  const at::Tensor unit = at::eye(6);
  const auto effective = [&] { return (layer.forward(unit) - layer.bias).t(); };
  for (int i = 0; i < 200; ++i) effective();
  EXPECT_NEAR(largest_singular_value(effective()), 1, 1e-5);
  EXPECT_GT(std::abs(largest_singular_value(layer.weight) - 1), 0.05);
  layer.eval();
  const at::Tensor u = state(layer).at("weight_u").clone();
  layer.weight.set_data(3 * layer.weight.detach());
  EXPECT_NEAR(largest_singular_value(effective()), 1, 1e-5) << "σ is of the weight as it is now";
  EXPECT_TRUE(at::equal(state(layer).at("weight_u"), u));
}

TEST(SpectralNorm, GradientsEqualDifferences) {
  seed(2);
  nn::Linear linear(3, 4, true);
  nn::Conv2d conv({.in = 2, .out = 3, .kernel = 3, .padding = 1, .spectral_norm = true});
  nn::Embedding embedding(4, 3, true);
  for (torch::nn::Module* module : std::initializer_list<torch::nn::Module*>{&linear, &conv, &embedding}) {
    module->to(at::kDouble);
  }
  const at::Tensor x = at::randn({2, 3}, at::kDouble).requires_grad_();
  const at::Tensor image = at::randn({2, 2, 3, 3}, at::kDouble).requires_grad_();
  const at::Tensor ids = at::tensor({1, 3, 1});
  for (int i = 0; i < 9; ++i) {  // σ of random u and v may be next to 0
    linear.forward(x);
    conv.forward(image);
    embedding.forward(ids);
  }
  for (torch::nn::Module* module : std::initializer_list<torch::nn::Module*>{&linear, &conv, &embedding}) {
    module->eval();  // u and v stand still
  }
  expect_gradients([&] { return linear.forward(x); }, {x, linear.weight, linear.bias});
  expect_gradients([&] { return conv.forward(image); }, {image, conv.weight});
  expect_gradients([&] { return embedding.forward(ids); }, {embedding.weight});
}

TEST(SpectralNorm, TwoForwardPassesBeforeABackward) {
  seed(3);
  nn::Linear layer(3, 2, true);
  const at::Tensor first = layer.forward(at::randn({4, 3})), second = layer.forward(at::randn({4, 3}));
  EXPECT_NO_THROW((first - second).sum().backward());
}

TEST(KeepStatistics, NothingIsLeftBehind) {
  seed(4);
  nn::BatchNorm norm(3);
  nn::Linear layer(3, 3, true);
  const at::Tensor x = 2 * at::randn({8, 3}) + 1;
  const auto states = [&] {
    Weights all = state(layer);
    for (const auto& [name, tensor] : state(norm)) all["norm." + name] = tensor;
    for (auto& [name, tensor] : all) tensor = tensor.detach().clone();
    return all;
  };
  const Weights before = states();
  at::Tensor kept;
  {
    const nn::KeepStatistics keep;
    EXPECT_TRUE(nn::KeepStatistics::active());
    kept = norm.forward(x);
    layer.forward(x);
  }
  EXPECT_FALSE(nn::KeepStatistics::active());
  for (const auto& [name, tensor] : states()) EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
  EXPECT_TRUE(at::allclose(norm.forward(x), kept)) << "the batch's own statistics count either way";
  layer.forward(x);
  EXPECT_FALSE(at::equal(states().at("weight_u"), before.at("weight_u")));
  EXPECT_FALSE(at::equal(states().at("norm.running_mean"), before.at("norm.running_mean")));
}

TEST(Embedding, GivesRowsOfItsWeight) {
  nn::Embedding embedding(4, 3);
  const at::Tensor ids = at::tensor({1, 3, 0, 1}).view({2, 2});
  EXPECT_EQ(embedding.forward(ids).sizes(), at::IntArrayRef({2, 2, 3}));
  EXPECT_TRUE(at::equal(embedding.forward(ids)[0][1], embedding.weight[3]));
}

}  // namespace
}  // namespace vaetl::testing::spectral_norm_test
