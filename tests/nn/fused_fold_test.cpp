#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/layers.hpp"

namespace vaetl::fused_fold_test {
namespace {

// Between `many` channels of (height, width) and `few` of a larger map.
struct Maps {
  std::int64_t images, many, few, kernel, stride, padding, height, width;
  std::array<std::int64_t, 2> output_padding = {0, 0};

  std::int64_t larger(std::int64_t size, std::size_t axis) const {
    return (size - 1) * stride - 2 * padding + kernel + output_padding[axis];
  }
};

at::Tensor random(std::vector<std::int64_t> shape) { return at::randn(shape); }

// Sums of n float32 products differ by about sqrt(n) roundings of the size of their terms.
void expect_near(const at::Tensor& found, const at::Tensor& expected, double terms) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  const double scale = std::max(1.0, expected.abs().max().item<double>());
  EXPECT_LE((found - expected).abs().max().item<double>(), 1.2e-7 * 8 * std::sqrt(terms) * scale);
}

using Tensors = std::vector<at::Tensor>;

// x, weight and bias, and the convolution by both ways.
struct Transposed {
  static Tensors inputs(const Maps& m) {
    return {random({m.images, m.many, m.height, m.width}), random({m.many, m.few, m.kernel, m.kernel}),
            random({m.few})};
  }
  static at::Tensor ours(const Maps& m, const Tensors& in) {
    return nn::convolve_transposed(nn::channels_last(in[0]), in[1], in[2], m.stride, m.padding, m.output_padding, 1);
  }
  static at::Tensor theirs(const Maps& m, const Tensors& in) {
    return at::conv_transpose2d(in[0], in[1], in[2], m.stride, m.padding, m.output_padding);
  }
};

struct Plain {
  static Tensors inputs(const Maps& m) {
    return {random({m.images, m.few, m.larger(m.height, 0), m.larger(m.width, 1)}),
            random({m.many, m.few, m.kernel, m.kernel}), random({m.many})};
  }
  static at::Tensor ours(const Maps& m, const Tensors& in) {
    return nn::convolve(nn::channels_last(in[0]), in[1], in[2], m.stride, m.padding, 1);
  }
  static at::Tensor theirs(const Maps& m, const Tensors& in) {
    return at::conv2d(in[0], in[1], in[2], m.stride, m.padding);
  }
};

// Bits of `wanted` say which of the inputs have a gradient.
Tensors leaves(const Tensors& inputs, int wanted) {
  Tensors result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(inputs[i].detach().clone().requires_grad_((wanted >> i & 1) != 0));
  }
  return result;
}

double terms_of(const Maps& m) {
  return static_cast<double>(m.kernel * m.kernel * m.many + m.images * m.larger(m.height, 0) * m.larger(m.width, 1));
}

template <class Way>
void expect_equal_ways(const Maps& m, int wanted) {
  const Tensors inputs = Way::inputs(m), ours = leaves(inputs, wanted), theirs = leaves(inputs, wanted);
  const at::Tensor found = Way::ours(m, ours), expected = Way::theirs(m, theirs);
  expect_near(found, expected, terms_of(m));
  ASSERT_EQ(found.requires_grad(), wanted != 0);
  if (wanted == 0) return;
  const at::Tensor g = at::randn_like(expected);
  found.backward(g);
  expected.backward(g);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ASSERT_EQ(ours[i].grad().defined(), ours[i].requires_grad()) << i;
    if (ours[i].requires_grad()) expect_near(ours[i].grad(), theirs[i].grad(), terms_of(m));
  }
}

template <class Way>
void expect_equal_second_gradients(const Maps& m) {
  const Tensors inputs = Way::inputs(m);
  std::vector<Tensors> seconds;
  for (const bool fused : {true, false}) {
    const Tensors in = leaves(inputs, 0b111);
    const at::Tensor y = fused ? Way::ours(m, in) : Way::theirs(m, in);
    const at::Tensor of_x = torch::autograd::grad({y.square().sum()}, {in[0]}, {}, true, true)[0];
    seconds.push_back(torch::autograd::grad({of_x.square().sum()}, {in[0], in[1], in[2]}));
  }
  for (std::size_t i = 0; i < 3; ++i) expect_near(seconds[0][i], seconds[1][i], 100 * terms_of(m));
}

class Fold : public ::testing::TestWithParam<Maps> {};

TEST_P(Fold, OfATransposedConvolutionEqualsTheOperator) {
  at::manual_seed(0);
  expect_equal_ways<Transposed>(GetParam(), 0b111);
}

TEST_P(Fold, OfAGradientEqualsTheOperator) {
  at::manual_seed(1);
  expect_equal_ways<Plain>(GetParam(), 0b111);
}

TEST_P(Fold, CanBeDifferentiatedTwice) {
  at::manual_seed(2);
  expect_equal_second_gradients<Transposed>(GetParam());
  expect_equal_second_gradients<Plain>(GetParam());
}

// images, many, few, kernel, stride, padding, height, width: the bench's; padding none and wide; several images in the
// cache at a time and images larger than it; strides beyond the kernel; and what goes by the operator.
INSTANTIATE_TEST_SUITE_P(Shapes, Fold,
                         ::testing::Values(Maps{30, 32, 1, 4, 2, 1, 14, 14}, Maps{19, 32, 1, 3, 2, 1, 14, 14, {1, 1}},
                                           Maps{1, 4, 1, 4, 2, 1, 5, 3}, Maps{3, 12, 3, 4, 2, 1, 7, 5},
                                           Maps{2, 8, 2, 2, 2, 0, 6, 9}, Maps{2, 16, 4, 6, 2, 2, 5, 5},
                                           Maps{5, 33, 3, 5, 1, 2, 9, 7}, Maps{1, 20, 4, 5, 1, 0, 21, 17},
                                           Maps{2, 8, 1, 5, 3, 4, 6, 7, {2, 1}}, Maps{2, 8, 2, 2, 3, 0, 4, 5, {2, 0}},
                                           Maps{2, 9, 2, 3, 3, 0, 1, 2}, Maps{2, 40, 8, 3, 1, 1, 6, 6},
                                           Maps{1, 12, 3, 6, 2, 5, 8, 9}, Maps{1, 12, 3, 6, 3, 1, 1, 1},
                                           Maps{3, 12, 3, 3, 2, 0, 5, 4, {1, 0}}, Maps{2, 16, 2, 1, 1, 0, 5, 6},
                                           Maps{2, 16, 2, 1, 2, 0, 5, 6, {1, 1}}, Maps{2, 5, 3, 4, 2, 1, 5, 6}));

// Of 2^3 ways to freeze x, weight and bias.
class FrozenMaps : public ::testing::TestWithParam<int> {};

TEST_P(FrozenMaps, GetNoGradientAndTheOthersTheirs) {
  at::manual_seed(3);
  for (const Maps& m : {Maps{9, 32, 1, 4, 2, 1, 7, 7}, Maps{3, 12, 3, 3, 2, 1, 6, 5}}) {
    expect_equal_ways<Transposed>(m, GetParam());
    expect_equal_ways<Plain>(m, GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, FrozenMaps, ::testing::Range(0, 8));

// The convolution's result and the gradient of x.
Tensors by_threads(int threads, const Maps& m, const Tensors& up, const Tensors& down) {
  at::set_num_threads(threads);
  const Tensors x = leaves(down, 0b001);
  const at::Tensor y = Plain::ours(m, x);
  return {Transposed::ours(m, up), torch::autograd::grad({y.square().sum()}, {x[0]})[0]};
}

TEST(Fold, GivesTheSameBitsOnAnyNumberOfThreads) {
  at::manual_seed(4);
  const int threads = at::get_num_threads();
  for (const Maps& m :
       {Maps{37, 32, 1, 4, 2, 1, 14, 14}, Maps{1, 64, 3, 4, 2, 1, 32, 32}, Maps{5, 12, 3, 3, 1, 1, 9, 7}}) {
    const Tensors up = Transposed::inputs(m), down = Plain::inputs(m);
    const Tensors one = by_threads(1, m, up, down), two = by_threads(2, m, up, down);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(one[i].equal(two[i])) << m.images << " " << i;
  }
  at::set_num_threads(threads);
}

TEST(Fold, WorksWithoutABias) {
  at::manual_seed(5);
  const Maps m{3, 16, 2, 4, 2, 1, 5, 6};
  Tensors in = Transposed::inputs(m), images = leaves(Plain::inputs(m), 0b001);
  in[2] = images[2] = at::Tensor();
  expect_near(Transposed::ours(m, in), Transposed::theirs(m, in), terms_of(m));
  const at::Tensor y = Plain::ours(m, images), g = at::randn_like(y);
  const at::Tensor found = torch::autograd::grad({y}, {images[0]}, {g})[0];
  expect_near(found, torch::autograd::grad({Plain::theirs(m, images)}, {images[0]}, {g})[0], terms_of(m));
}

TEST(Fold, KeepsWhatIsNotANumber) {
  const Maps m{2, 16, 1, 4, 2, 1, 5, 6};
  Tensors in = Transposed::inputs(m);
  in[0][1][3][2][4] = std::numeric_limits<double>::quiet_NaN();
  const at::Tensor found = Transposed::ours(m, in);
  EXPECT_TRUE(found.isnan().equal(Transposed::theirs(m, in).isnan()));
  EXPECT_EQ(found.isnan().sum().item<std::int64_t>(), 16);
}

TEST(Fold, TakesForeignLayoutsAndExpandedGradients) {
  at::manual_seed(6);
  const Maps m{3, 16, 2, 4, 2, 1, 5, 6};
  const Tensors up = Transposed::inputs(m), down = leaves(Plain::inputs(m), 0b001);
  const at::Tensor planes = nn::convolve_transposed(up[0], up[1], up[2], m.stride, m.padding, {0, 0}, 1);
  expect_near(planes, Transposed::theirs(m, up), terms_of(m));
  const at::Tensor found = torch::autograd::grad({Plain::ours(m, down).sum()}, {down[0]})[0];
  expect_near(found, torch::autograd::grad({Plain::theirs(m, down).sum()}, {down[0]})[0], terms_of(m));
  const at::Tensor wide = up[0].to(at::kDouble);
  const at::Tensor y =
      nn::convolve_transposed(wide, up[1].to(at::kDouble), up[2].to(at::kDouble), m.stride, m.padding, {0, 0}, 1);
  EXPECT_EQ(y.scalar_type(), at::kDouble);
}

TEST(Fold, ResultHasChannelsLastAndMayBeOverwritten) {
  at::manual_seed(7);
  const Maps m{3, 16, 2, 4, 2, 1, 5, 6};
  const Tensors inputs = Transposed::inputs(m), ours = leaves(inputs, 0b111), theirs = leaves(inputs, 0b111);
  at::Tensor y = Transposed::ours(m, ours);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  at::relu_(y).sum().backward();
  at::relu(Transposed::theirs(m, theirs)).sum().backward();
  for (std::size_t i = 0; i < 3; ++i) expect_near(ours[i].grad(), theirs[i].grad(), terms_of(m));
}

TEST(Fold, OfNoImagesIsEmpty) {
  const Maps m{0, 16, 2, 4, 2, 1, 5, 6};
  EXPECT_EQ(Transposed::ours(m, Transposed::inputs(m)).sizes(), at::IntArrayRef({0, 2, 10, 12}));
  const Tensors in = leaves(Plain::inputs(m), 0b111);
  Plain::ours(m, in).sum().backward();
  EXPECT_EQ(in[0].grad().sizes(), in[0].sizes());
  EXPECT_TRUE(in[1].grad().equal(at::zeros_like(in[1])));
}

// As LibTorch's operators do, by which they then go.
TEST(Fold, RefusesWhatDoesNotFit) {
  const Maps m{2, 16, 2, 4, 2, 1, 5, 6};
  Tensors in = Transposed::inputs(m);
  EXPECT_THROW(nn::convolve_transposed(in[0], in[1], at::ones({3}), 2, 1, {0, 0}, 1), c10::Error);
  EXPECT_THROW(nn::convolve_transposed(in[0].narrow(1, 0, 8), in[1], in[2], 2, 1, {0, 0}, 1), c10::Error);
  EXPECT_THROW(nn::convolve_transposed(in[0], in[1], in[2], 2, 1, {2, 0}, 1), c10::Error);
}

TEST(Fold, LayersGoByIt) {
  at::manual_seed(8);
  nn::ConvTranspose2d up({.in = 16, .out = 1, .kernel = 4, .stride = 2, .padding = 1}, {1, 0});
  const at::Tensor h = random({3, 16, 5, 6});
  const at::Tensor y = up.forward(h);
  EXPECT_EQ(y.grad_fn()->name().find("Convolution"), std::string::npos) << y.grad_fn()->name();
  expect_near(y, at::conv_transpose2d(h, up.weight, up.bias, 2, 1, {1, 0}), 256);
  nn::Conv2d down({.in = 1, .out = 16, .kernel = 3, .stride = 2, .padding = 1});
  const at::Tensor x = random({3, 1, 9, 8});
  EXPECT_NE(down.forward(x).grad_fn()->name().find("Convolution"), std::string::npos);
  const at::Tensor own = x.clone().requires_grad_(true);
  EXPECT_EQ(down.forward(own).grad_fn()->name().find("Convolution"), std::string::npos);
  expect_near(down.forward(own), at::conv2d(x, down.weight, down.bias, 2, 1), 9);
}

}  // namespace
}  // namespace vaetl::fused_fold_test
