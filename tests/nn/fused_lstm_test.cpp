// The fused LSTM against LibTorch's own, whose activations are within a few units in the last place; errors add over
// the steps.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>

#include "vaetl/nn/fused.hpp"

namespace vaetl::fused_lstm_test {
namespace {

struct Sizes {
  std::int64_t rows, steps, in, units, layers;
};

// Inputs in one order: x, h0, c0, then four tensors of each layer.
std::vector<at::Tensor> inputs_of(const Sizes& s) {
  std::vector<at::Tensor> result = {at::randn({s.rows, s.steps, s.in}), at::randn({s.layers, s.rows, s.units}),
                                    at::randn({s.layers, s.rows, s.units})};
  for (std::int64_t layer = 0; layer < s.layers; ++layer) {
    result.push_back(at::randn({4 * s.units, layer == 0 ? s.in : s.units}) * 0.3);
    result.push_back(at::randn({4 * s.units, s.units}) * 0.3);
    result.push_back(at::randn({4 * s.units}));
    result.push_back(at::randn({4 * s.units}));
  }
  return result;
}

// A copy of which those numbered need gradients.
std::vector<at::Tensor> wanting(const std::vector<at::Tensor>& inputs, const std::vector<bool>& wanted) {
  std::vector<at::Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(inputs[i].detach().clone().requires_grad_(wanted[i]));
  }
  return result;
}

// Output, h and c.
std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs, bool fused) {
  const std::vector<at::Tensor> weights(inputs.begin() + 3, inputs.end());
  if (fused) {
    const auto [output, state] = nn::lstm(inputs[0], {inputs[1], inputs[2]}, weights, 0);
    return {output, state.h, state.c};
  }
  const auto [output, h, c] = at::lstm(inputs[0], {inputs[1], inputs[2]}, weights, true,
                                       static_cast<std::int64_t>(weights.size() / 4), 0, true, false, true);
  return {output, h, c};
}

// Sums of n float32 products differ by about sqrt(n) roundings of the size of their terms.
void expect_near(const std::vector<at::Tensor>& found, const std::vector<at::Tensor>& expected, double terms) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_EQ(found[i].defined(), expected[i].defined());
    if (!found[i].defined()) continue;
    ASSERT_EQ(found[i].sizes(), expected[i].sizes());
    const double scale = std::max(1.0, expected[i].abs().max().item<double>());
    EXPECT_LE((found[i] - expected[i]).abs().max().item<double>(), 1.2e-7 * 8 * std::sqrt(terms) * scale);
  }
}

// Values, then gradients of all inputs.
std::vector<at::Tensor> values_and_gradients(const std::vector<at::Tensor>& inputs, const std::vector<bool>& wanted,
                                             const at::Tensor& g, bool fused) {
  const std::vector<at::Tensor> own = wanting(inputs, wanted);
  std::vector<at::Tensor> result = run(own, fused);
  ((result[0] * g).sum() + result[1].square().sum() + result[2].sum()).backward();
  for (at::Tensor& value : result) value = value.detach();
  for (const at::Tensor& input : own) result.push_back(input.grad());
  return result;
}

double terms_of(const Sizes& s) { return static_cast<double>(s.steps * s.units * s.rows * s.layers); }

// A step and a row are too few for the fused form, so that the plain one is met as well.
const std::vector<Sizes> sizes = {{1, 1, 1, 1, 1},  {1, 1, 6, 20, 2}, {1, 40, 5, 19, 1}, {40, 1, 5, 19, 2},
                                  {3, 7, 5, 19, 2}, {13, 9, 1, 1, 3}, {70, 4, 6, 32, 1}, {33, 6, 17, 48, 2}};

TEST(FusedLstm, EqualsLibTorchsInValuesAndGradients) {
  at::manual_seed(10);
  for (const Sizes& s : sizes) {
    SCOPED_TRACE(::testing::Message() << s.rows << " rows, " << s.steps << " steps, " << s.units << " units");
    const std::vector<at::Tensor> inputs = inputs_of(s);
    const std::vector<bool> all(inputs.size(), true);
    const at::Tensor g = at::randn({s.rows, s.steps, s.units});
    expect_near(values_and_gradients(inputs, all, g, true), values_and_gradients(inputs, all, g, false), terms_of(s));
  }
}

TEST(FusedLstm, GivesGradientsOfWhatNeedsThem) {
  at::manual_seed(11);
  const Sizes s = {5, 6, 7, 8, 2};
  const std::vector<at::Tensor> inputs = inputs_of(s);
  const at::Tensor g = at::randn({s.rows, s.steps, s.units});
  for (std::size_t one = 0; one < inputs.size(); ++one) {
    for (const bool others : {false, true}) {
      SCOPED_TRACE(::testing::Message() << "input " << one << (others ? " frozen" : " alone"));
      std::vector<bool> wanted(inputs.size(), others);
      wanted[one] = !others;
      expect_near(values_and_gradients(inputs, wanted, g, true), values_and_gradients(inputs, wanted, g, false),
                  terms_of(s));
    }
  }
}

// h of the last step alone, and c alone: the gradient of the others is undefined.
TEST(FusedLstm, TakesTheGradientOfOneResult) {
  at::manual_seed(12);
  const Sizes s = {4, 5, 3, 9, 1};
  const std::vector<at::Tensor> inputs = inputs_of(s);
  const std::vector<bool> all(inputs.size(), true);
  for (const std::size_t one : {0U, 1U, 2U}) {
    std::vector<std::vector<at::Tensor>> results;
    for (const bool fused : {true, false}) {
      const std::vector<at::Tensor> own = wanting(inputs, all);
      run(own, fused)[one].square().sum().backward();
      results.emplace_back();
      for (const at::Tensor& input : own) results.back().push_back(input.grad());
    }
    expect_near(results[0], results[1], terms_of(s));
  }
}

TEST(FusedLstm, KeepsNothingWithoutGradientsAndFindsTheSame) {
  at::manual_seed(13);
  for (const Sizes& s : sizes) {
    const std::vector<at::Tensor> inputs = inputs_of(s);
    const std::vector<at::Tensor> kept = run(wanting(inputs, std::vector<bool>(inputs.size(), true)), true);
    const std::vector<at::Tensor> frozen = run(inputs, true);
    const at::NoGradGuard no_grad;
    const std::vector<at::Tensor> found = run(inputs, true);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_FALSE(frozen[i].requires_grad());
      expect_near({frozen[i], found[i]}, {kept[i].detach(), kept[i].detach()}, terms_of(s));
    }
  }
}

// Each value and each sum over the examples is one thread's, in one order.
TEST(FusedLstm, GivesTheSameBitsOnAnyNumberOfThreads) {
  at::manual_seed(14);
  const Sizes s = {64, 8, 20, 40, 2};
  const std::vector<at::Tensor> inputs = inputs_of(s);
  const std::vector<bool> all(inputs.size(), true);
  const at::Tensor g = at::randn({s.rows, s.steps, s.units});
  const int before = at::get_num_threads();
  std::vector<std::vector<at::Tensor>> results;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    results.push_back(values_and_gradients(inputs, all, g, true));
  }
  at::set_num_threads(before);
  for (std::size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(at::equal(results[0][i], results[1][i]));
}

// Its own gradient is LibTorch's, which can be differentiated no further.
TEST(FusedLstm, GradientsWithAGraphEqualThoseWithout) {
  at::manual_seed(15);
  const Sizes s = {4, 5, 3, 9, 1};
  const std::vector<at::Tensor> inputs = wanting(inputs_of(s), std::vector<bool>(7, true));
  const at::Tensor loss = run(inputs, true)[0].square().sum();
  const auto with_graph = torch::autograd::grad({loss}, inputs, {}, /*retain_graph=*/true, /*create_graph=*/true);
  EXPECT_TRUE(with_graph[0].requires_grad());
  expect_near(with_graph, torch::autograd::grad({loss}, inputs), terms_of(s));
}

// Output may be overwritten in place, and a sequence may be any view.
TEST(FusedLstm, TakesViewsAndGivesWhatMayBeOverwritten) {
  at::manual_seed(16);
  const Sizes s = {6, 5, 4, 9, 1};
  const std::vector<at::Tensor> inputs = inputs_of(s);
  std::vector<std::vector<at::Tensor>> results;
  for (const bool view : {true, false}) {
    const std::vector<at::Tensor> own = wanting(inputs, std::vector<bool>(inputs.size(), true));
    std::vector<at::Tensor> given = own;
    if (view) given[0] = own[0].permute({2, 0, 1}).contiguous().permute({1, 2, 0});
    const at::Tensor output = run(given, true)[0];
    (view ? output.mul_(2) : output * 2).square().sum().backward();
    results.emplace_back();
    for (const at::Tensor& input : own) results.back().push_back(input.grad());
  }
  expect_near(results[0], results[1], terms_of(s));
}

TEST(FusedLstm, KeepsWhatIsNotANumber) {
  at::manual_seed(17);
  std::vector<at::Tensor> inputs = inputs_of({4, 5, 3, 9, 1});
  inputs[0].select(0, 1).fill_(std::numeric_limits<float>::quiet_NaN());
  const at::Tensor output = run(inputs, true)[0];
  EXPECT_TRUE(output.select(0, 1).isnan().all().item<bool>());
  EXPECT_FALSE(output.select(0, 0).isnan().any().item<bool>());
}

// Gates that are shut or open for good: no overflow on the way.
TEST(FusedLstm, TakesLargeValues) {
  at::manual_seed(18);
  std::vector<at::Tensor> inputs = inputs_of({4, 5, 3, 9, 1});
  inputs[0] *= 1000;
  const std::vector<bool> all(inputs.size(), true);
  const at::Tensor g = at::randn({4, 5, 9});
  const auto found = values_and_gradients(inputs, all, g, true);
  expect_near({found[0], found[2]}, {run(inputs, false)[0], run(inputs, false)[2]}, 180);
  for (const at::Tensor& tensor : found) EXPECT_TRUE(tensor.isfinite().all().item<bool>());
}

}  // namespace
}  // namespace vaetl::fused_lstm_test
