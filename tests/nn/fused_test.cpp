#include "vaetl/nn/fused.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>

namespace vaetl::fused_test {
namespace {

using nn::Activation;

at::Tensor random(std::vector<std::int64_t> shape) { return at::randn(shape); }

at::Tensor wanted(const at::Tensor& x) { return x.detach().clone().requires_grad_(true); }

// Sums of n float32 products differ by about sqrt(n) roundings of the size of their terms.
void expect_near(const at::Tensor& found, const at::Tensor& expected, double terms) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  const double scale = std::max(1.0, expected.abs().max().item<double>());
  EXPECT_LE((found - expected).abs().max().item<double>(), 1.2e-7 * 8 * std::sqrt(terms) * scale);
}

class Dense : public ::testing::TestWithParam<std::string> {};

at::Tensor dense(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b, const Activation& activation) {
  const nn::DenseLayer layer{w, b, activation};
  return nn::dense(x, {&layer, 1});
}

at::Tensor dense_by_parts(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b, const std::string& name) {
  const at::Tensor y = at::linear(x, w, b);
  if (name == "relu") return at::relu(y);
  if (name == "leaky_relu") return at::leaky_relu(y);
  if (name == "leaky_relu_0.2") return at::leaky_relu(y, 0.2);
  if (name == "tanh") return at::tanh(y);
  if (name == "sigmoid") return at::sigmoid(y);
  if (name == "gelu") return at::gelu(y);
  if (name == "elu") return at::elu(y);
  if (name == "silu") return at::silu(y);
  return y;
}

Activation activation(const std::string& name) { return name.empty() ? Activation() : Activation(name); }

TEST_P(Dense, EqualsItsPartsInValuesAndGradients) {
  at::manual_seed(0);
  const std::vector<std::array<std::int64_t, 3>> sizes = {{1, 1, 1}, {7, 33, 19}, {130, 50, 300}};
  for (const auto& [rows, in, out] : sizes) {
    const at::Tensor x = random({rows, in}), w = random({out, in}), b = random({out}), g = random({rows, out});
    const std::vector<at::Tensor> ours = {wanted(x), wanted(w), wanted(b)}, theirs = {wanted(x), wanted(w), wanted(b)};
    const at::Tensor y = dense(ours[0], ours[1], ours[2], activation(GetParam()));
    const at::Tensor expected = dense_by_parts(theirs[0], theirs[1], theirs[2], GetParam());
    expect_near(y, expected, static_cast<double>(in));
    y.backward(g);
    expected.backward(g);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      expect_near(ours[i].grad(), theirs[i].grad(), static_cast<double>(in + out + rows));
    }
  }
}

TEST_P(Dense, CanBeDifferentiatedTwice) {
  at::manual_seed(1);
  const at::Tensor x = random({5, 4}), w = random({3, 4}), b = random({3});
  std::vector<at::Tensor> seconds;
  for (const bool fused : {true, false}) {
    const at::Tensor input = wanted(x), weight = wanted(w);
    const at::Tensor y =
        fused ? dense(input, weight, b, activation(GetParam())) : dense_by_parts(input, weight, b, GetParam());
    const auto first = torch::autograd::grad({y.square().sum()}, {input}, {}, true, true)[0];
    seconds.push_back(torch::autograd::grad({first.square().sum()}, {weight})[0]);
  }
  expect_near(seconds[0], seconds[1], 100);
}

INSTANTIATE_TEST_SUITE_P(Activations, Dense,
                         ::testing::Values("", "relu", "leaky_relu", "leaky_relu_0.2", "tanh", "sigmoid", "gelu", "elu",
                                           "silu"));

struct DenseChain {
  std::vector<std::string> activations = {"sigmoid", "", "leaky_relu"};
  std::vector<at::Tensor> weights, biases;

  explicit DenseChain(const std::vector<std::int64_t>& widths = {64, 96, 80, 3}) {
    for (std::size_t l = 0; l < activations.size(); ++l) {
      weights.push_back(random({widths[l + 1], widths[l]}) / 8);
      biases.push_back(random({widths[l + 1]}));
    }
  }
  // Of parameter i, the weights before the biases.
  at::Tensor& parameter(std::size_t i) { return i < 3 ? weights[i] : biases[i - 3]; }
  at::Tensor forward(const at::Tensor& x) const {
    std::vector<nn::DenseLayer> layers;
    for (std::size_t l = 0; l < weights.size(); ++l)
      layers.push_back({weights[l], biases[l], activation(activations[l])});
    return nn::dense(x, layers);
  }
  at::Tensor by_parts(const at::Tensor& x) const {
    at::Tensor h = x;
    for (std::size_t l = 0; l < weights.size(); ++l) h = dense_by_parts(h, weights[l], biases[l], activations[l]);
    return h;
  }
};

// Of 2^7 ways to freeze x and the parameters; rows enough for several threads.
class FrozenParts : public ::testing::TestWithParam<int> {};

TEST_P(FrozenParts, OfDenseLayersGetNoGradientAndTheOthersTheirs) {
  const auto wants = [](std::size_t i) { return (GetParam() >> i & 1) != 0; };
  at::manual_seed(20);
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  DenseChain ours, theirs;
  const at::Tensor values = random({150, 64}), g = random({150, 3});
  std::vector<at::Tensor> x;
  for (DenseChain* chain : {&ours, &theirs}) {
    for (std::size_t i = 0; i < 6; ++i) {
      chain->parameter(i) = ours.parameter(i).detach().clone().requires_grad_(wants(i));
    }
    x.push_back(values.clone().requires_grad_(wants(6)));
  }
  const at::Tensor y = ours.forward(x[0]), expected = theirs.by_parts(x[1]);
  expect_near(y, expected, 96);
  if (y.requires_grad()) {
    y.backward(g);
    expected.backward(g);
  }
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < 7; ++i) {
    const at::Tensor &found = i < 6 ? ours.parameter(i) : x[0], &known = i < 6 ? theirs.parameter(i) : x[1];
    ASSERT_EQ(found.grad().defined(), wants(i)) << i;
    if (wants(i)) expect_near(found.grad(), known.grad(), 400);
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, FrozenParts,
                         ::testing::Values(0, 0b1111111, 0b0111111, 0b1000000, 0b0000100, 0b0010000, 0b0100010,
                                           0b1101101));

// Few rows and large weights, which threads share out by their outputs; between them a small one.
TEST(Fused, DenseLayersEqualTheirPartsForFewRows) {
  at::manual_seed(23);
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  DenseChain chain({512, 384, 3, 700});
  const at::Tensor x = wanted(random({8, 512})), g = random({8, 700});
  const at::Tensor y = chain.forward(x), expected = chain.by_parts(x);
  expect_near(y, expected, 512);
  for (at::Tensor& weight : chain.weights) weight.requires_grad_(true);
  const auto gradients = [&](const at::Tensor& result) {
    return torch::autograd::grad({result}, {x, chain.weights[0], chain.weights[1], chain.weights[2]}, {g});
  };
  const auto found = gradients(chain.forward(x)), known = gradients(chain.by_parts(x));
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < found.size(); ++i) expect_near(found[i], known[i], 1000);
}

TEST(Fused, DenseLayersCanBeDifferentiatedTwice) {
  at::manual_seed(21);
  DenseChain chain;
  const at::Tensor x = wanted(random({5, 64}));
  std::vector<at::Tensor> seconds;
  for (const bool fused : {true, false}) {
    chain.weights[0] = wanted(chain.weights[0]);
    const at::Tensor y = fused ? chain.forward(x) : chain.by_parts(x);
    const auto first = torch::autograd::grad({y.square().sum()}, {x}, {}, true, true)[0];
    seconds.push_back(torch::autograd::grad({first.square().sum()}, {chain.weights[0]})[0]);
  }
  expect_near(seconds[0], seconds[1], 400);
}

// A weight that is read at several places has a gradient from each, and each is counted once.
TEST(Fused, DenseLayersThatShareAWeightCanBeDifferentiatedTwice) {
  at::manual_seed(24);
  const at::Tensor x = random({6, 5}), w = wanted(random({5, 5})), b = random({5});
  std::vector<at::Tensor> firsts, seconds;
  for (const bool fused : {true, false}) {
    const std::vector<nn::DenseLayer> layers(2, {w, b, Activation("tanh")});
    const auto once = [&](const at::Tensor& h) {
      return fused ? nn::dense(h, layers) : dense_by_parts(dense_by_parts(h, w, b, "tanh"), w, b, "tanh");
    };
    const at::Tensor y = once(once(x));
    firsts.push_back(torch::autograd::grad({y.square().sum()}, {w}, {}, true, /*create_graph=*/true)[0]);
    seconds.push_back(torch::autograd::grad({firsts.back().square().sum()}, {w})[0]);
  }
  expect_near(firsts[0], firsts[1], 100);
  expect_near(seconds[0], seconds[1], 1000);
}

TEST(Fused, DenseTakesSequencesAndForeignLayouts) {
  at::manual_seed(2);
  const at::Tensor w = random({6, 4}), b = random({6}), steps = random({3, 5, 4});
  expect_near(dense(steps, w, b, {}), at::linear(steps, w, b), 4);
  const at::Tensor columns = random({4, 9}).t();
  expect_near(dense(columns, w, b, {}), at::linear(columns, w, b), 4);
  const at::Tensor doubled = columns.to(at::kDouble);
  EXPECT_EQ(dense(doubled, w.to(at::kDouble), b.to(at::kDouble), {}).scalar_type(), at::kDouble);
  EXPECT_EQ(dense(at::empty({0, 4}), w, b, {}).sizes(), at::IntArrayRef({0, 6}));
}

TEST(Fused, DenseKeepsWhatIsNotANumber) {
  const at::Tensor x = at::full({2, 3}, std::numeric_limits<double>::quiet_NaN()), w = at::ones({4, 3}),
                   b = at::zeros({4});
  EXPECT_TRUE(dense(x, w, b, Activation("relu")).isnan().all().item<bool>());
}

TEST(Fused, WhatFollowsALinearLayerMayOverwriteItsResult) {
  at::manual_seed(12);
  const at::Tensor x = random({5, 4}), w = random({3, 4}), b = random({3});
  const at::Tensor ours = wanted(w), theirs = wanted(w);
  at::Tensor y = dense(x, ours, b, {});
  at::relu_(y).sum().backward();
  at::relu(at::linear(x, theirs, b)).sum().backward();
  expect_near(ours.grad(), theirs.grad(), 5);
}

TEST(Fused, ReluOfMinusInfinityIsZero) {
  const at::Tensor x = at::full({1, 2}, 1e38), w = at::full({3, 2}, -1e10), b = at::zeros({3});
  EXPECT_TRUE(dense(x, w, b, Activation("relu")).equal(at::zeros({1, 3})));
}

// As LibTorch's operators do, by which they then go.
TEST(Fused, BiasesOfAnotherShapeAreBroadcastOrRefused) {
  const at::Tensor x = at::ones({2, 4}), w = at::ones({3, 4});
  EXPECT_TRUE(dense(x, w, {}, {}).equal(at::linear(x, w)));
  EXPECT_TRUE(dense(x, w, at::ones({1}), {}).equal(at::linear(x, w) + 1));
  EXPECT_THROW(dense(x, w, at::ones({2}), {}), c10::Error);
  EXPECT_THROW(nn::conv_relu_pool(at::ones({1, 1, 4, 4}), at::ones({32, 1, 3, 3}), at::ones({16})), c10::Error);
}

TEST(Fused, AFrozenWeightGetsNoGradient) {
  at::manual_seed(3);
  const at::Tensor x = wanted(random({5, 4})), w = random({3, 4}), b = wanted(random({3}));
  dense(x, w, b, Activation("relu")).sum().backward();
  EXPECT_FALSE(w.grad().defined());
  EXPECT_TRUE(x.grad().defined() && b.grad().defined());
}

at::Tensor bernoulli_by_parts(const at::Tensor& logits, const at::Tensor& x) {
  return -at::binary_cross_entropy_with_logits(logits, x, {}, {}, at::Reduction::None).flatten(1).sum(1);
}

TEST(Fused, BernoulliEqualsItsParts) {
  at::manual_seed(4);
  for (const std::int64_t size : {1, 31, 32, 784}) {
    const at::Tensor logits = random({9, 1, size}) * 20, x = at::rand({9, 1, size});
    const at::Tensor ours = wanted(logits), theirs = wanted(logits), g = random({9});
    const at::Tensor found = nn::bernoulli_log_prob(ours, x), expected = bernoulli_by_parts(theirs, x);
    expect_near(found, expected, static_cast<double>(size));
    found.backward(g);
    expected.backward(g);
    expect_near(ours.grad(), theirs.grad(), 1);
  }
}

TEST(Fused, BernoulliStandsExtremes) {
  const at::Tensor logits = at::tensor({-200.0F, -88.0F, 0.0F, 88.0F, 200.0F}).view({1, 5});
  for (const double value : {0.0, 1.0}) {
    const at::Tensor x = at::full({1, 5}, value), own = wanted(logits);
    const at::Tensor found = nn::bernoulli_log_prob(own, x);
    EXPECT_NEAR(found.item<double>(), bernoulli_by_parts(logits, x).item<double>(), 1e-4);
    found.sum().backward();
    expect_near(own.grad(), x - at::sigmoid(logits), 1);
  }
  const at::Tensor nan = at::full({1, 40}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(nn::bernoulli_log_prob(nan, at::ones({1, 40})).isnan().item<bool>());
}

TEST(Fused, BernoulliCanBeDifferentiatedTwice) {
  at::manual_seed(5);
  const at::Tensor x = at::rand({4, 6}), logits = random({4, 6});
  std::vector<at::Tensor> seconds;
  for (const bool fused : {true, false}) {
    const at::Tensor l = wanted(logits);
    const at::Tensor y = fused ? nn::bernoulli_log_prob(l, x) : bernoulli_by_parts(l, x);
    const auto first = torch::autograd::grad({y.square().sum()}, {l}, {}, true, true)[0];
    seconds.push_back(torch::autograd::grad({first.square().sum()}, {l})[0]);
  }
  expect_near(seconds[0], seconds[1], 100);
}

// LibTorch's own: values, gradients, gradients of gradients; of 1, 3 and 70 classes.
TEST(Fused, CrossEntropyEqualsLibTorchs) {
  at::manual_seed(22);
  for (const std::int64_t classes : {1, 3, 70}) {
    for (const double smoothing : {0.0, 0.3}) {
      const at::Tensor logits = random({9, classes}) * 10, labels = at::randint(classes, {9}), g = random({9});
      std::vector<at::Tensor> firsts, seconds;
      for (const bool fused : {true, false}) {
        const at::Tensor l = wanted(logits);
        const auto losses = [&] {
          return fused ? nn::cross_entropy(l, labels, smoothing).losses
                       : at::cross_entropy_loss(l, labels, {}, at::Reduction::None, -100, smoothing);
        };
        firsts.push_back(losses());
        firsts.push_back(torch::autograd::grad({losses()}, {l}, {g})[0]);
        const auto again = torch::autograd::grad({losses()}, {l}, {g}, true, /*create_graph=*/true)[0];
        seconds.push_back(torch::autograd::grad({again.square().sum()}, {l})[0]);
      }
      expect_near(firsts[0], firsts[2], static_cast<double>(classes));
      expect_near(firsts[1], firsts[3], 4);
      expect_near(seconds[0], seconds[1], static_cast<double>(classes));
      const at::Tensor right = nn::cross_entropy(logits, labels, smoothing).right;
      EXPECT_TRUE(right.equal(logits.argmax(1).eq(labels).to(at::kFloat)));
    }
  }
}

TEST(Fused, CrossEntropyStandsExtremes) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor logits = at::tensor({1e4F, -1e4F, 0.0F, 0.0F, nan, 0.0F, 0.0F, nan}).view({4, 2});
  const auto [losses, right] = nn::cross_entropy(logits, at::tensor({1, 1, 1, 0}, at::kLong), 0);
  EXPECT_EQ(losses[0].item<float>(), 2e4F);
  EXPECT_NEAR(losses[1].item<float>(), std::log(2.0), 1e-6);
  EXPECT_TRUE(losses.slice(0, 2).isnan().all().item<bool>());
  EXPECT_TRUE(right.slice(0, 0, 2).equal(at::zeros(2)));  // of equal logits the first is the largest
  EXPECT_THROW(nn::cross_entropy(logits, at::tensor({0, 1, 2, 0}, at::kLong)), c10::Error);
}

TEST(Fused, SquaredDistanceOfASigmoidEqualsItsParts) {
  at::manual_seed(13);
  const at::Tensor logits = random({9, 2, 35}) * 4, x = at::rand({9, 2, 35}), g = random({9});
  const at::Tensor ours = wanted(logits), theirs = wanted(logits);
  const at::Tensor found = nn::sigmoid_squared_distance(ours, x);
  const at::Tensor expected = (at::sigmoid(theirs) - x).square().flatten(1).sum(1);
  expect_near(found, expected, 70);
  found.backward(g);
  expected.backward(g);
  expect_near(ours.grad(), theirs.grad(), 4);
  std::vector<at::Tensor> seconds;
  for (const bool fused : {true, false}) {
    const at::Tensor l = wanted(logits);
    const at::Tensor y = fused ? nn::sigmoid_squared_distance(l, x) : (at::sigmoid(l) - x).square().flatten(1).sum(1);
    const auto first = torch::autograd::grad({y.square().sum()}, {l}, {}, true, true)[0];
    seconds.push_back(torch::autograd::grad({first.square().sum()}, {l})[0]);
  }
  expect_near(seconds[0], seconds[1], 1000);
}

TEST(Fused, SquaredDistanceEqualsItsParts) {
  at::manual_seed(6);
  const at::Tensor a = random({9, 3, 35}), b = random({9, 3, 35}), g = random({9});
  const std::vector<at::Tensor> ours = {wanted(a), wanted(b)}, theirs = {wanted(a), wanted(b)};
  const at::Tensor found = nn::squared_distance(ours[0], ours[1]);
  const at::Tensor expected = (theirs[0] - theirs[1]).square().flatten(1).sum(1);
  expect_near(found, expected, 105);
  found.backward(g);
  expected.backward(g);
  for (std::size_t i = 0; i < 2; ++i) expect_near(ours[i].grad(), theirs[i].grad(), 1);
}

struct Images {
  std::int64_t channels, kernel, height, width, out;
};

class Convolution : public ::testing::TestWithParam<Images> {};

at::Tensor conv_by_parts(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
  return at::max_pool2d(at::relu(at::conv2d(x, w, b, 1, w.size(2) / 2)), {2, 2});
}

TEST_P(Convolution, EqualsItsPartsInValuesAndGradients) {
  at::manual_seed(7);
  const Images o = GetParam();
  const at::Tensor x = random({5, o.channels, o.height, o.width});
  const at::Tensor w = random({o.out, o.channels, o.kernel, o.kernel}), b = random({o.out});
  const std::vector<at::Tensor> ours = {wanted(w), wanted(b)}, theirs = {wanted(w), wanted(b)};
  const at::Tensor found = nn::conv_relu_pool(x, ours[0], ours[1]), expected = conv_by_parts(x, theirs[0], theirs[1]);
  const double taps = static_cast<double>(o.channels * o.kernel * o.kernel);
  expect_near(found, expected, taps);
  const at::Tensor g = at::randn_like(expected);
  found.backward(g);
  expected.backward(g);
  for (std::size_t i = 0; i < 2; ++i) {
    expect_near(ours[i].grad(), theirs[i].grad(), 5 * static_cast<double>(o.height * o.width));
  }
}

// Kernels of their own; channels that fill no block, odd sizes; and what has no kernel.
INSTANTIATE_TEST_SUITE_P(Shapes, Convolution,
                         ::testing::Values(Images{1, 3, 28, 28, 32}, Images{1, 3, 7, 9, 5}, Images{3, 3, 8, 6, 20},
                                           Images{1, 5, 12, 12, 16}, Images{1, 3, 2, 2, 1}, Images{2, 3, 8, 8, 4},
                                           Images{1, 7, 8, 8, 4}));

TEST(Fused, ConvolutionGivesTheSameBitsOnAnyNumberOfThreads) {
  at::manual_seed(8);
  const at::Tensor x = random({37, 1, 12, 12}), w = random({8, 1, 3, 3}), b = random({8});
  const int threads = at::get_num_threads();
  std::vector<at::Tensor> gradients;
  for (const int count : {1, 2}) {
    at::set_num_threads(count);
    const at::Tensor own = wanted(w);
    nn::conv_relu_pool(x, own, b).square().sum().backward();
    gradients.push_back(own.grad());
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(gradients[0].equal(gradients[1]));
}

TEST(Fused, ConvolutionKeepsWhatIsNotANumber) {
  at::Tensor x = at::zeros({1, 1, 4, 4});
  x[0][0][3][3] = std::numeric_limits<double>::quiet_NaN();
  const at::Tensor w = at::ones({2, 1, 3, 3}), b = at::zeros({2});
  EXPECT_TRUE(nn::conv_relu_pool(x, w, b).isnan().equal(conv_by_parts(x, w, b).isnan()));
}

TEST(Fused, ConvolutionCanBeDifferentiatedTwice) {
  at::manual_seed(9);
  const at::Tensor x = random({2, 1, 6, 6}), w = random({3, 1, 3, 3}), b = random({3});
  std::vector<at::Tensor> seconds;
  for (const bool fused : {true, false}) {
    const at::Tensor own = wanted(w);
    const at::Tensor y = fused ? nn::conv_relu_pool(x, own, b) : conv_by_parts(x, own, b);
    const auto first = torch::autograd::grad({y.square().sum()}, {own}, {}, true, true)[0];
    seconds.push_back(torch::autograd::grad({first.square().sum()}, {own})[0]);
  }
  expect_near(seconds[0], seconds[1], 100);
}

}  // namespace
}  // namespace vaetl::fused_test
