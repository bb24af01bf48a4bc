// Recurrent layers: names, gradients by differences, padding, state. Values against PyTorch: tests/models.
#include "vaetl/nn/recurrent.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include "nn/numeric_gradient.hpp"
#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/sequence.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing::recurrent_test {
namespace {

at::Tensor lengths(std::initializer_list<std::int64_t> values) {
  return at::tensor(at::ArrayRef<std::int64_t>(values));
}

std::vector<at::Tensor> variables_of(torch::nn::Module& module, const at::Tensor& x) {
  std::vector<at::Tensor> result = module.parameters();
  result.push_back(x);
  return result;
}

TEST(Recurrent, GradientsEqualDifferences) {
  for (const std::string cell : {"lstm", "gru"}) {
    for (const bool both : {false, true}) {
      SCOPED_TRACE(cell + (both ? " both ways" : " one way"));
      seed(3);
      nn::Recurrent rnn({.cell = cell, .in = 2, .hidden = 2, .layers = 2, .bidirectional = both});
      rnn.to(at::kDouble);
      const at::Tensor x = at::randn({2, 3, 2}, at::kDouble).requires_grad_(), ends = lengths({3, 2});
      expect_gradients([&] { return rnn.last(rnn.forward(x, ends), ends); }, variables_of(rnn, x));
    }
  }
}

TEST(Recurrent, ParametersAreNamedAndMadeAsPyTorchs) {
  seed(1);
  nn::Recurrent rnn({.in = 3, .hidden = 100, .layers = 2, .bidirectional = true});
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state(rnn)) names.push_back(name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"bias_hh_l0", "bias_hh_l0_reverse", "bias_hh_l1", "bias_hh_l1_reverse",
                                      "bias_ih_l0", "bias_ih_l0_reverse", "bias_ih_l1", "bias_ih_l1_reverse",
                                      "weight_hh_l0", "weight_hh_l0_reverse", "weight_hh_l1", "weight_hh_l1_reverse",
                                      "weight_ih_l0", "weight_ih_l0_reverse", "weight_ih_l1", "weight_ih_l1_reverse"}));
  const at::Tensor weight = state(rnn).at("weight_ih_l1");
  EXPECT_EQ(weight.sizes(), (at::IntArrayRef{400, 200}));
  // 80,000 uniform values come within a thousandth of both bounds, but for a chance of exp(−40).
  EXPECT_NEAR(weight.max().item<double>(), 0.1, 1e-4);
  EXPECT_NEAR(weight.min().item<double>(), -0.1, 1e-4);
  EXPECT_EQ(rnn.features(), 200);
}

TEST(Recurrent, WhatIsBehindTheEndDoesNotMatter) {
  for (const bool both : {false, true}) {
    seed(2);
    nn::Recurrent rnn({.in = 3, .hidden = 4, .layers = 2, .bidirectional = both});
    const at::Tensor ends = lengths({5, 2, 1}), x = at::randn({3, 5, 3});
    const at::Tensor other = at::where(nn::before_end(ends, 5).unsqueeze(2), x, at::rand({3, 5, 3}) * 1e3);
    const at::Tensor output = rnn.forward(x, ends);
    EXPECT_TRUE(at::equal(rnn.forward(other, ends), output));
    EXPECT_EQ(output[1].slice(0, 2).abs().max().item<float>(), 0);
    // Alone and without padding it is the same, but for other kernels: sums of 7 products, rounded by 2⁻²⁴ each.
    const at::Tensor alone = rnn.forward(x.slice(0, 1, 2).slice(1, 0, 2));
    EXPECT_LT((rnn.last(output, ends)[1] - rnn.last(alone)[0]).abs().max().item<double>(), 1e-5);
  }
}

TEST(Recurrent, CarriesItsStateOn) {
  for (const std::string cell : {"lstm", "gru"}) {
    seed(4);
    nn::Recurrent rnn({.cell = cell, .in = 3, .hidden = 4, .layers = 2});
    const at::Tensor x = at::randn({2, 6, 3});
    nn::Recurrent::State state;
    const at::Tensor first = rnn.forward(x.slice(1, 0, 2), state), rest = rnn.forward(x.slice(1, 2), state);
    EXPECT_LT((at::cat({first, rest}, 1) - rnn.forward(x)).abs().max().item<double>(), 1e-5);
    expect_error<DataError>([&] { rnn.forward(x.slice(0, 0, 1), state); },
                            {"recurrent layers: expected a state of", "tensors (2, 1, 4)", "(2, 2, 4)"});
  }
  nn::Recurrent both({.in = 3, .hidden = 4, .bidirectional = true});
  nn::Recurrent::State state = {at::zeros({1, 2, 4}), at::zeros({1, 2, 4})};
  expect_error<DataError>([&] { both.forward(at::randn({2, 6, 3}), state); }, {"no state, as they run both ways"});
}

TEST(Recurrent, DropoutIsBetweenTheLayersInTraining) {
  for (const bool both : {false, true}) {
    seed(5);
    nn::Recurrent rnn({.in = 3, .hidden = 8, .layers = 2, .bidirectional = both, .dropout = 0.5});
    const at::Tensor x = at::randn({2, 3, 3});
    EXPECT_FALSE(at::equal(rnn.forward(x), rnn.forward(x)));
    rnn.eval();
    EXPECT_TRUE(at::equal(rnn.forward(x), rnn.forward(x)));
    // Frozen below what is trained: gradients pass through it.
    const at::Tensor input = x.clone().requires_grad_();
    rnn.forward(input).sum().backward();
    EXPECT_TRUE(input.grad().defined());
  }
}

TEST(Recurrent, RefusesWhatWouldNotFit) {
  expect_error<ConfigError>([] { nn::Recurrent({.in = 65536, .hidden = 65536}); },
                            {"recurrent layers: expected between 1 and", "65536 units over 65536 features"});
  expect_error<ConfigError>([] { nn::Recurrent({.in = 0, .hidden = 4}); }, {"over 0 features"});
}

TEST(Sequence, LengthsAreChecked) {
  Fields fields;
  fields.set("input", at::zeros({2, 3, 1}));
  EXPECT_FALSE(nn::lengths_of(fields, 3, "it").defined());
  const auto check = [&](const at::Tensor& length) {
    fields.set("length", length);
    return nn::lengths_of(fields, 3, "it");
  };
  EXPECT_TRUE(at::equal(check(lengths({3, 1})), lengths({3, 1})));
  expect_error<DataError>(
      [&] {
        check(lengths({3, 0}));
      },
      {"it: expected lengths from 1 to 3", "found the length 0; leave empty sequences out"});
  expect_error<DataError>([&] { check(lengths({4, 1})); }, {"found the length 4; pad the sequences to the longest"});
  expect_error<DataError>([&] { check(lengths({1})); }, {"lengths of shape (2), int64", "found (1), int64"});
  expect_error<DataError>([&] { check(lengths({1, 1}).to(at::kFloat)); }, {"found (2), float32"});
}

TEST(Sequence, TokenIdsTellTheirLengths) {
  const at::Tensor ids = at::tensor(at::ArrayRef<std::int64_t>{5, 2, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0}).view({3, 4});
  EXPECT_TRUE(at::equal(nn::lengths_of_ids(ids), lengths({2, 3, 0})));  // a zero inside is no end
  expect_error<DataError>([&] { nn::check_ids(ids, 5, "it"); },
                          {"it: expected token ids from 0 to 4, of its vocabulary of 5, found the id 5"});
  expect_error<DataError>([&] { nn::check_ids(ids - 1, 9, "it"); }, {"found the id -1"});
  EXPECT_NO_THROW(nn::check_ids(ids, 6, "it"));
}

TEST(Sequence, StepsHaveTheirTargets) {
  const at::Tensor outputs = at::zeros({2, 3, 4}), labels = at::tensor(at::ArrayRef<std::int64_t>{0, 3, 9, 1, -7, 9});
  const at::Tensor found = nn::step_labels(labels.view({2, 3}), outputs, lengths({2, 1}), "it");
  EXPECT_TRUE(at::equal(found.flatten(), at::tensor(at::ArrayRef<std::int64_t>{0, 3, 0, 1, 0, 0})));
  expect_error<DataError>(
      [&] {
        nn::step_labels(labels.view({2, 3}), outputs, {}, "it");
      },
      {"it: expected labels from 0 to 3"});
  expect_error<DataError>(
      [&] {
        nn::step_labels(labels.view({3, 2}), outputs, {}, "it");
      },
      {"a label for each step, shape (2, 3)", "found a target of shape (3, 2)"});
  expect_error<DataError>(
      [&] {
        nn::step_labels(at::zeros({2, 3}), outputs, {}, "it");
      },
      {"labels of an integer type"});
  EXPECT_EQ(nn::step_values(at::zeros({2, 3}), outputs.slice(2, 0, 1), "it").sizes(), (at::IntArrayRef{2, 3, 1}));
  expect_error<DataError>(
      [&] {
        nn::step_values(at::zeros({2, 3}), outputs, "it");
      },
      {"it: expected a target of shape (2, 3, 4), as the model puts out, found (2, 3)"});
}

TEST(Sequence, MeansLeavePaddingOut) {
  Fields fields;
  const at::Tensor each = at::tensor({1.0, 3.0, 100.0, 2.0, 4.0, 6.0}).reshape({2, 3});
  fields.set("input", each);
  EXPECT_TRUE(at::equal(nn::mean_each(each, fields, "it"), each.mean(1)));
  fields.set("length", lengths({2, 3}));
  EXPECT_TRUE(at::equal(nn::mean_each(each, fields, "it"), at::tensor({2.0, 4.0})));
  EXPECT_TRUE(at::equal(nn::mean_each(at::stack({each, each + 2}, 2), fields, "it"), at::tensor({3.0, 5.0})));
  fields.set("length", lengths({2, 4}));
  // A picture of sound has a `length` too, and counts whole.
  Fields sound = fields;
  sound.set("input", at::zeros({2, 1, 3, 4}));
  EXPECT_FALSE(nn::batch_lengths(sound, "it").defined());
  EXPECT_TRUE(at::equal(nn::mean_each(at::ones({2, 1, 3, 4}), sound, "it"), at::ones({2})));
  expect_error<DataError>([&] { nn::mean_each(each, fields, "it"); }, {"it: expected"});
}

}  // namespace
}  // namespace vaetl::testing::recurrent_test
