// The models over sequences: what their options do and refuse, padding, any length, state, texts. Values against
// PyTorch: lstm_parity_test.
#include "vaetl/models/lstm.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/models/sequence_autoencoder.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/nn/taps.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/iwae.hpp"
#include "vaetl/objectives/language_model.hpp"
#include "vaetl/objectives/reconstruction.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::lstm_test {
namespace {

using models::Lstm;
using models::SequenceAutoencoder;
using models::SequenceVae;

Fields fields_of(const at::Tensor& input, const at::Tensor& length = {}) {
  Fields fields;
  fields.set("input", input);
  if (length.defined()) fields.set("length", length);
  return fields;
}

at::Tensor whole(std::initializer_list<std::int64_t> values) { return at::tensor(at::ArrayRef<std::int64_t>(values)); }

// Sums of a few dozen products of order 1, rounded by 2⁻²⁴ each, by other kernels.
constexpr double other_kernels = 1e-5;

void expect_close(const at::Tensor& found, const at::Tensor& expected, double tolerance = other_kernels) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LE((found - expected).abs().max().item<double>(), tolerance);
}

std::vector<std::string> group_names(const Model& model) {
  std::vector<std::string> names;
  for (const auto& group : model.groups()) names.push_back(group.name);
  return names;
}

TEST(Lstm, OptionsAreDescribed) {
  expect_fields_cover<Lstm::Options>();
  expect_fields_cover<SequenceVae::Options>();
  expect_defaults_round_trip<Lstm::Options>();
  expect_defaults_round_trip<SequenceVae::Options>();
}

TEST(Lstm, RefusesWhatDoesNotGoTogether) {
  const auto refuse = [](const Json& options, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { registry<Model>().make({"lstm", options}, "model"); }, parts);
  };
  refuse({{"input", {28}}}, {"input: expected (T, F), steps of values", "found (28)", "vocabulary"});
  refuse({{"input", {28, -1}}}, {"input: expected sizes of at least 1; for the steps also -1", "found (28, any)"});
  refuse({{"input", {0, 3}}}, {"found (0, 3)"});
  refuse({{"input", {5, 3}}, {"vocabulary", 9}}, {"(T), a sequence of token ids", "(5, 3) and a vocabulary of 9"});
  refuse({{"input", {5}}, {"vocabulary", 1}}, {"vocabulary of at least 2"});
  refuse({{"classes", 3}, {"outputs", 2}}, {"outputs: expected 0 where there are classes, found 2"});
  refuse({{"classes", 1}}, {"classes"});
  refuse({{"classes", 0}, {"per_step", true}},
         {"per_step: expected classes or outputs, for every step, found neither"});
  refuse({{"cell", "rnn"}}, {"cell", "lstm", "gru"});
  refuse({{"classes", 0}, {"outputs", 3}, {"continues", {0, 1}}}, {"divide the 3 outputs, found 2"});
  refuse({{"classes", 0}, {"outputs", 2}, {"continues", {28}}}, {"continues: expected features below 28, found 28"});
  refuse({{"per_step", true}, {"continues", {0}}}, {"continues: expected a forecaster of values (T, F)"});
  refuse({{"word_dropout", 0.1}}, {"word_dropout: expected 0 where the input holds values, found 0.1"});
  refuse({{"pool", "sum"}}, {"pool", "last", "mean", "max", "concat"});
  refuse({{"embedding", 32}}, {"embedding: expected a vocabulary of token ids, found none"});
  refuse({{"dropout", 0.5}, {"classes", 0}}, {"dropout: expected 0 where there is one layer and no head"});
  refuse({{"insert", {{{"after", "head"}, {"name", "glu"}}}}}, {"insert[0].after", "encoder.rnn"});
}

TEST(Lstm, ItsHeadFollowsFromItsOptions) {
  seed(1);
  // 128 units over 100 steps of 784 features with a dense 10 at each step.
  Lstm tagger({.input = {100, 784}, .per_step = true, .classes = 10});
  std::vector<at::Tensor> none;
  EXPECT_EQ(tagger.unroll(fields_of(at::rand({2, 100, 784})), none).sizes(), (at::IntArrayRef{2, 100, 10}));
  EXPECT_EQ(parameter_count(tagger), 4 * 128 * (784 + 128 + 2) + 10 * 129);
  EXPECT_EQ(capabilities(tagger), (std::vector<std::string>{"Encoder", "SequenceModel"}));
  EXPECT_EQ(capabilities(Lstm({})), (std::vector<std::string>{"Encoder", "Classifier"}));
  EXPECT_EQ(capabilities(Lstm({.classes = 0, .outputs = 2})), (std::vector<std::string>{"Encoder", "Regressor"}));
  expect_error<ConfigError>([&] { Lstm({}).unroll(fields_of(at::rand({2, 28, 28})), none); }, {"SequenceModel"});
  expect_error<ConfigError>([&] { tagger.classify(at::rand({2, 128})); }, {"Classifier"});
}

TEST(Lstm, PaddingDoesNotLeak) {
  seed(2);
  Lstm model({.input = {6, 3}, .hidden = 4, .layers = 2, .bidirectional = true, .classes = 3});
  const at::Tensor ends = whole({6, 2, 1}), x = at::randn({3, 6, 3});
  at::Tensor other = x.clone();
  other[1].slice(0, 2).fill_(1e3);
  other[2].slice(0, 1).fill_(-1e3);
  const auto gradients = [&](const at::Tensor& input) {
    model.zero_grad();
    model.classify(model.encode(fields_of(input, ends))).square().sum().backward();
    std::vector<at::Tensor> result;
    for (const auto& parameter : model.parameters()) result.push_back(parameter.grad().clone());
    return result;
  };
  EXPECT_TRUE(at::equal(model.encode(fields_of(other, ends)), model.encode(fields_of(x, ends))));
  const auto expected = gradients(x), found = gradients(other);
  // 0 · 1000 is 0: to the gradients, padding adds nothing at all.
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(at::equal(found[i], expected[i])) << i;
  Lstm any({.input = {-1, 3}, .hidden = 4, .layers = 2, .bidirectional = true, .classes = 3});
  load_strict(any, state(model), "copy");
  expect_close(any.encode(fields_of(x.slice(0, 1, 2).slice(1, 0, 2))), model.encode(fields_of(x, ends)).slice(0, 1, 2));
}

TEST(Lstm, TokensTellTheirPadding) {
  seed(3);
  Lstm model({.input = {-1}, .vocabulary = 9, .embedding = 3, .hidden = 4, .bidirectional = true, .classes = 2});
  const at::Tensor text = whole({4, 8, 1}).unsqueeze(0), padded = at::cat({text, at::zeros({1, 4}, at::kLong)}, 1);
  expect_close(model.encode(fields_of(padded)), model.encode(fields_of(text)));
  EXPECT_TRUE(at::equal(model.encode(fields_of(padded, whole({3}))), model.encode(fields_of(padded))));
}

// What is made of the steps, from the steps' own features and their ends.
TEST(Lstm, PoolsItsSteps) {
  const at::Tensor x = at::randn({3, 6, 3}), ends = whole({6, 2, 1});
  for (const bool both_ways : {false, true}) {
    auto pooled = [&](const std::string& pool) {
      seed(6);
      return Lstm({.input = {6, 3}, .hidden = 4, .bidirectional = both_ways, .pool = pool, .classes = 2});
    };
    seed(6);
    Lstm stepwise({.input = {6, 3}, .hidden = 4, .bidirectional = both_ways, .per_step = true, .classes = 2});
    const nn::Taps taps(stepwise, {"encoder.rnn"});
    std::vector<at::Tensor> none;
    stepwise.unroll(fields_of(x, ends), none);
    const at::Tensor steps = taps["encoder.rnn"];
    std::vector<at::Tensor> mean, most;
    for (std::int64_t i = 0; i < 3; ++i) {
      const at::Tensor own = steps[i].slice(0, 0, ends[i].item<std::int64_t>());
      mean.push_back(own.mean(0));
      most.push_back(own.amax(0));
    }
    const at::Tensor last = pooled("last").encode(fields_of(x, ends));
    expect_close(pooled("mean").encode(fields_of(x, ends)), at::stack(mean));
    expect_close(pooled("max").encode(fields_of(x, ends)), at::stack(most));
    Lstm all = pooled("concat");
    EXPECT_EQ(all.feature_size(), 3 * last.size(1));
    expect_close(all.encode(fields_of(x, ends)), at::cat({last, at::stack(most), at::stack(mean)}, 1));
    EXPECT_EQ(all.classify(all.encode(fields_of(x, ends))).sizes(), (at::IntArrayRef{3, 2}));
  }
}

TEST(Lstm, WhatIsDroppedIsDroppedInTrainingAlone) {
  const at::Tensor ids = at::randint(1, 9, {64, 20}, at::kLong);
  seed(7);
  Lstm plain({.input = {-1}, .vocabulary = 9, .hidden = 4, .classes = 2});
  const at::Tensor expected = plain.encode(fields_of(ids)), hidden = plain.encode(fields_of(at::ones_like(ids)));
  for (const auto& [words, inputs] : {std::pair{0.3, 0.0}, std::pair{0.0, 0.3}}) {
    Lstm model(
        {.input = {-1}, .vocabulary = 9, .hidden = 4, .word_dropout = words, .input_dropout = inputs, .classes = 2});
    load_strict(model, state(plain), "copy");
    EXPECT_FALSE(at::equal(model.encode(fields_of(ids)), expected));
    model.eval();
    EXPECT_TRUE(at::equal(model.encode(fields_of(ids)), expected));
  }
  // All words but a few are the unknown one.
  Lstm most({.input = {-1}, .vocabulary = 9, .hidden = 4, .word_dropout = 0.99, .classes = 2});
  load_strict(most, state(plain), "copy");
  const at::Tensor as_unknown = (most.encode(fields_of(ids)) - hidden).abs().amax(1).le(other_kernels);
  EXPECT_GT(as_unknown.to(at::kDouble).mean().item<double>(), 0.6);  // 0.99²⁰ = 0.82 of the rows
  EXPECT_LT(as_unknown.to(at::kDouble).mean().item<double>(), 1);
}

// Its windows are as long as they were cut; the texts that are classified next need not be.
TEST(Lstm, ALanguageModelsClassifierReadsTextsOfAnyLength) {
  Lstm language({.input = {8}, .vocabulary = 9, .hidden = 5, .pool = "concat", .per_step = true, .classes = 9});
  const auto classifier = build(language.classifier(3));
  EXPECT_EQ(classifier->spec().options["input"], Json::array({-1}));
  EXPECT_EQ(classifier->spec().options["pool"], "concat");
  auto& model = dynamic_cast<Lstm&>(*classifier);
  EXPECT_EQ(model.classify(model.encode(fields_of(at::randint(1, 9, {2, 21}, at::kLong)))).sizes(),
            (at::IntArrayRef{2, 3}));
}

// Steps behind the longest sequence are not computed, unless somebody looks at all of them.
TEST(Lstm, PaddingOfAllCostsNothing) {
  seed(8);
  Lstm model({.input = {50, 3}, .hidden = 4, .classes = 2});
  const at::Tensor x = at::randn({2, 50, 3}), ends = whole({7, 4});
  const at::Tensor features = model.encode(fields_of(x, ends));
  const nn::Taps taps(model, {"encoder.rnn"});
  EXPECT_TRUE(at::equal(model.encode(fields_of(x, ends)), features));
  EXPECT_EQ(taps["encoder.rnn"].size(1), 50);
}

TEST(Lstm, CarriesItsState) {
  seed(4);
  Lstm model({.input = {8}, .vocabulary = 9, .hidden = 5, .layers = 2, .per_step = true, .classes = 9});
  const at::Tensor ids = at::randint(1, 9, {2, 8}, at::kLong);
  std::vector<at::Tensor> all, state;
  const at::Tensor expected = model.unroll(fields_of(ids), all);
  const at::Tensor first = model.unroll(fields_of(ids.slice(1, 0, 3)), state);
  expect_close(at::cat({first, model.unroll(fields_of(ids.slice(1, 3)), state)}, 1), expected);
  for (std::size_t i = 0; i < 2; ++i) expect_close(state[i], all[i]);
}

TEST(Lstm, BadSequencesAreOneClearLine) {
  seed(5);
  Lstm values({.input = {-1, 3}, .hidden = 4, .classes = 2});
  const auto refuse = [](Lstm& model, const Fields& fields, std::initializer_list<std::string_view> parts) {
    expect_error<DataError>([&] { model.encode(fields); }, parts);
  };
  refuse(values, fields_of(at::zeros({2, 0, 3})),
         {"model \"lstm\": expected sequences of at least one step, found empty"});
  refuse(values, fields_of(at::zeros({2, 5, 4})), {"expected input of shape (N, any, 3), float32, found (2, 5, 4)"});
  refuse(values, fields_of(at::zeros({2, 5, 3}), whole({5, 0})), {"lengths from 1 to 5", "the length 0"});
  refuse(values, fields_of(at::zeros({2, 5, 3}), whole({6, 1})), {"lengths from 1 to 5", "the length 6"});
  Lstm tokens({.input = {-1}, .vocabulary = 9, .hidden = 4, .classes = 2});
  refuse(tokens, fields_of(at::full({1, 3}, 9, at::kLong)),
         {"model \"lstm\": expected token ids from 0 to 8", "the id 9"});
  refuse(tokens, fields_of(at::zeros({1, 0}, at::kLong)), {"sequences of at least one step"});
  refuse(tokens, fields_of(at::zeros({1, 3})), {"expected input of shape (N, any), int64, found (1, 3), float32"});
}

TEST(Lstm, ContinuesFeaturesWhereverTheyAre) {
  seed(6);
  Lstm model({.input = {5, 3}, .hidden = 4, .classes = 0, .outputs = 4, .continues = {2, 0}});
  const at::Tensor x = at::randn({2, 5, 3}), level = at::tensor(at::ArrayRef<float>{10, 20, 30});
  const at::Tensor found = model.regress(model.encode(fields_of(x))),
                   lifted = model.regress(model.encode(fields_of(x + level)));
  // Row by row, feature by feature: what goes on with feature 2 is lifted by 30, with feature 0 by 10. Sums near 30 are
  // rounded by 2⁻¹⁹.
  expect_close(lifted - found, at::tensor(at::ArrayRef<float>{30, 10, 30, 10}).expand({2, 4}), 1e-4);
  EXPECT_EQ(model.feature_size(), 8);
  expect_error<DataError>([&] { model.encode(fields_of(x, whole({5, 3}))); }, {"windows of equal length", "continues"});
}

TEST(Lstm, InsertedComponentsSeeSingleSteps) {
  const auto model = build({"lstm", parse_json(R"({"input": [-1, 3], "hidden": 4, "per_step": true, "classes": 2,
                                                  "insert": [{"after": "encoder.rnn", "name": "highway"}]})",
                                               "model")});
  EXPECT_EQ(group_names(*model), (std::vector<std::string>{"encoder.rnn", "inserted.encoder.rnn", "head"}));
  auto& steps = require<SequenceModel>(*model);
  const at::Tensor x = at::randn({1, 4, 3});
  std::vector<at::Tensor> all, one;
  expect_close(steps.unroll(fields_of(x), all).slice(1, 0, 1), steps.unroll(fields_of(x.slice(1, 0, 1)), one));
}

// ---- attention over time

const Json attention = parse_json(R"([{"after": "encoder.rnn", "name": "residual", "gate": false,
                                       "of": {"name": "self_attention", "heads": 2}},
                                      {"after": "encoder.rnn", "name": "highway"}])",
                                  "insert");

std::shared_ptr<Model> attentive(Json options) {
  options.update({{"input", {-1, 3}}, {"hidden", 4}, {"insert", attention}});
  return build({"lstm", options});
}

// What stands behind the ends moves nothing, and a sequence alone gives what it gives beside longer ones; what stands
// before them moves all.
TEST(AttentionOverTime, SeesAllStepsAndNoPadding) {
  for (const bool both : {false, true}) {
    SCOPED_TRACE(both ? "both ways" : "one way");
    seed(21);
    const auto model = attentive({{"bidirectional", both}, {"classes", 3}});
    auto& encoder = require<Encoder>(*model);
    EXPECT_EQ(group_names(*model), (std::vector<std::string>{"encoder.rnn", "inserted.encoder.rnn", "head"}));
    const at::Tensor ends = whole({6, 2, 1}), x = at::randn({3, 6, 3});
    at::Tensor other = x.clone();
    other[1].slice(0, 2).fill_(1e3);
    other[2].slice(0, 1).fill_(-1e3);
    const at::Tensor found = encoder.encode(fields_of(x, ends));
    EXPECT_TRUE(at::equal(encoder.encode(fields_of(other, ends)), found));
    for (std::int64_t i = 0; i < 3; ++i) {
      const std::int64_t end = ends[i].item<std::int64_t>();
      expect_close(encoder.encode(fields_of(x.slice(0, i, i + 1).slice(1, 0, end))), found.slice(0, i, i + 1));
    }
    const auto gradients = [&](const at::Tensor& input) {
      model->zero_grad();
      const at::Tensor values = input.clone().requires_grad_();
      encoder.encode(fields_of(values, ends)).square().sum().backward();
      std::vector<at::Tensor> result = {values.grad()};
      for (const auto& item : model->named_parameters()) {
        if (item.key().starts_with("encoder")) result.push_back(item.value().grad().clone());
      }
      return result;
    };
    const auto expected = gradients(x), moved = gradients(other);
    for (std::size_t i = 0; i < moved.size(); ++i) EXPECT_TRUE(at::equal(moved[i], expected[i])) << i;
    EXPECT_EQ(expected[0][1].slice(0, 2).abs().sum().item<float>(), 0);
    EXPECT_GT(expected[0][0].abs().amin().item<float>(), 0);
  }
}

TEST(AttentionOverTime, TokensTellTheirPadding) {
  seed(22);
  const Json options = {{"input", {-1}},    {"vocabulary", 9}, {"embedding", 3},        {"hidden", 4},
                        {"per_step", true}, {"classes", 2},    {"bidirectional", true}, {"insert", attention}};
  const auto model = build({"lstm", options});
  auto& steps = require<SequenceModel>(*model);
  const at::Tensor text = whole({4, 8, 1}).unsqueeze(0), padded = at::cat({text, at::zeros({1, 4}, at::kLong)}, 1);
  std::vector<at::Tensor> none;
  expect_close(steps.unroll(fields_of(padded), none).slice(1, 0, 3), steps.unroll(fields_of(text), none));
}

// Each step's output sees all others, which what is read forwards and carries its state cannot.
TEST(AttentionOverTime, OfEveryStepNeedsTheWholeSequence) {
  seed(23);
  const auto model = attentive({{"bidirectional", true}, {"per_step", true}, {"classes", 2}});
  at::Tensor x = at::randn({1, 5, 3}).requires_grad_();
  std::vector<at::Tensor> none;
  require<SequenceModel>(*model).unroll(fields_of(x), none)[0][1].sum().backward();
  EXPECT_GT(x.grad().abs().amin().item<float>(), 0);
  expect_error<ConfigError>(
      [] {
        attentive({{"per_step", true}, {"classes", 2}});
      },
      {"insert: expected components that see single steps", "found one that sees all steps", "set bidirectional"});
}

TEST(AttentionOverTime, SharedByTheCoders) {
  seed(24);
  const Json options = {{"input", {5, 3}}, {"hidden", 4}, {"latent", 2}, {"insert", attention}};
  const auto coder = build({"sequence_autoencoder", options});
  const auto target = build(require<Encoder>(*coder).classifier(2));
  const Weights shared = state(*target);
  for (const auto& [name, tensor] : state(*coder)) {
    EXPECT_EQ(shared.contains(name), name.starts_with("encoder")) << name;
  }
  const at::Tensor x = at::randn({2, 5, 3}), ends = whole({5, 2});
  at::Tensor other = x.clone();
  other[1].slice(0, 2).fill_(1e3);
  auto& encoder = require<Encoder>(*coder);
  EXPECT_TRUE(at::equal(encoder.encode(fields_of(other, ends)), encoder.encode(fields_of(x, ends))));
}

// ---- a text, and a run over it

constexpr std::int64_t window = 6, vocabulary = 7;

// Each token says which one comes next but one.
Dataset text(std::int64_t windows) {
  std::vector<std::int64_t> ids = {2, 3};
  auto generator = make_generator(5);
  const at::Tensor noise = at::randint(0, 2, {windows * window + 1}, generator, at::TensorOptions(at::kLong));
  while (static_cast<std::int64_t>(ids.size()) <= windows * window) {
    const std::int64_t place = static_cast<std::int64_t>(ids.size());
    ids.push_back(2 + (ids[ids.size() - 2] * 3 + noise[place].item<std::int64_t>()) % (vocabulary - 2));
  }
  const at::Tensor all = at::tensor(at::ArrayRef<std::int64_t>(ids));
  Fields fields;
  fields.set("input", all.slice(0, 0, windows * window).view({windows, window}).to(at::kInt));
  fields.set("target", all.slice(0, 1, windows * window + 1).view({windows, window}));
  return Dataset::from_tensors(std::move(fields), {.name = "text"});
}

std::shared_ptr<Model> writer(std::uint64_t key = 1) {
  seed(key);
  return make<Lstm>({.input = {-1},
                     .vocabulary = vocabulary,
                     .embedding = 4,
                     .cell = "gru",
                     .hidden = 8,
                     .dropout = 0.1,
                     .per_step = true,
                     .classes = vocabulary});
}

Run train(const std::shared_ptr<Model>& model, bool carry, const std::string& directory = {}, std::int64_t stop = 0) {
  std::vector<std::shared_ptr<Callback>> callbacks;
  if (stop > 0) callbacks.push_back(std::make_shared<StopAt>(stop));
  Trainer trainer({.epochs = 3,
                   .batch_size = 4,
                   .optimizer = {"adam", {{"lr", 1e-2}}},
                   .device = "cpu",
                   .directory = directory,
                   .resume = directory.empty() ? "never" : "auto",
                   .checkpoint_every = 4},
                  callbacks);
  return trainer.fit(model, make<objectives::LanguageModel>({.carry = carry}),
                     Pipeline({{.data = text(21), .order = "lanes"}}));
}

TEST(LanguageModelRun, ResumesInTheMiddleOfAnEpoch) {
  auto straight = writer(), forgetful = writer();
  train(straight, true);
  train(forgetful, false);
  EXPECT_FALSE(checksum(*forgetful) == checksum(*straight)) << "the state does nothing";
  for (const std::int64_t stop : {1, 3, 8}) {  // 5 steps an epoch
    TemporaryFolder folder;
    EXPECT_TRUE(train(writer(), true, folder.path(), stop).interrupted);
    auto second = writer(99);
    EXPECT_EQ(train(second, true, folder.path()).resumed_from, stop);
    EXPECT_EQ(checksum(*second), checksum(*straight)) << "stopped after " << stop;
  }
}

TEST(LanguageModelRun, LearnsAndIsScored) {
  auto model = writer();
  const Dataset held = text(200);
  const double before = evaluate(*model, held, {"nats_per_token"}).at("nats_per_token");
  for (int more = 0; more < 4; ++more) train(model, true);
  const auto scores = evaluate(*model, held, {"nats_per_token", "bits_per_token", "perplexity", "step_accuracy"});
  EXPECT_LT(scores.at("nats_per_token"), before - 0.1);
  EXPECT_NEAR(scores.at("bits_per_token"), scores.at("nats_per_token") / std::log(2.0), 1e-9);
  EXPECT_NEAR(scores.at("perplexity"), std::exp(scores.at("nats_per_token")), 1e-9);
}

// ---- autoencoders

TEST(SequenceCoder, RefusesWhatDoesNotGoTogether) {
  const auto refuse = [](const Json& options, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { registry<Model>().make({"sequence_vae", options}, "model"); }, parts);
  };
  refuse({{"input", {-1, 3}}}, {"input: expected the number of steps, all of which are decoded, found -1, any"});
  refuse({{"word_dropout", 0.5}}, {"word_dropout: expected 0 without a vocabulary"});
  refuse({{"input", {5}}, {"vocabulary", 9}, {"padded", true}},
         {"padded: expected false: of token ids, id 0 is padding"});
  refuse({{"input", {5}}, {"vocabulary", 9}, {"likelihood", "gaussian"}}, {"likelihood: expected none of values"});
  refuse({{"dropout", 0.5}}, {"dropout: expected 0 where there is one layer"});
  refuse({{"sigma", 0.5}}, {"sigma: expected the likelihood gaussian, found \"bernoulli\""});
}

TEST(SequenceCoder, AllTextsTogetherHaveProbabilityOne) {
  seed(7);
  SequenceVae model({.input = {2}, .vocabulary = 4, .embedding = 3, .hidden = 4, .latent = 2});
  const at::Tensor z = at::randn({1, 2});
  double total = 0;
  for (std::int64_t first = 0; first < 4; ++first) {
    for (std::int64_t second = 0; second < (first == 0 ? 1 : 4); ++second) {
      total += model.decode(z)->log_prob(whole({first, second}).unsqueeze(0)).exp().item<double>();
    }
  }
  EXPECT_NEAR(total, 1, 1e-5);
}

TEST(SequenceCoder, WritesTextsThatEnd) {
  seed(8);
  SequenceVae model({.input = {30}, .vocabulary = 4, .embedding = 3, .hidden = 4, .latent = 2});
  const auto likelihood = model.decode(at::randn({20, 2}));
  const at::Tensor drawn = likelihood->sample();
  EXPECT_EQ(drawn.sizes(), (at::IntArrayRef{20, 30}));
  EXPECT_EQ(drawn.scalar_type(), at::kLong);
  const at::Tensor ended = drawn.eq(0).cumsum(1).gt(0);
  EXPECT_TRUE(at::equal(ended, drawn.eq(0))) << "a token stands behind the end";
  EXPECT_TRUE(ended.any().item<bool>());
  EXPECT_TRUE(at::equal(likelihood->mean(), likelihood->mean()));
  // The most probable token after those before it.
  const at::Tensor best = likelihood->mean();
  const double first = likelihood->log_prob(best.slice(1, 0, 1).expand({20, 30}).contiguous())[0].item<double>();
  EXPECT_TRUE(std::isfinite(first));
  EXPECT_TRUE(at::equal(model.generate(at::zeros({3, 2})), model.decode(at::zeros({3, 2}))->mean()));
}

TEST(SequenceCoder, WordDropoutHidesTokensInTraining) {
  seed(9);
  SequenceVae model({.input = {6}, .vocabulary = 9, .hidden = 4, .latent = 2, .word_dropout = 0.5});
  const at::Tensor ids = at::randint(2, 9, {3, 6}, at::kLong), z = at::randn({3, 2});
  const auto score = [&] { return model.decode(z)->log_prob(ids); };
  EXPECT_FALSE(at::equal(score(), score()));
  model.eval();
  EXPECT_TRUE(at::equal(score(), score()));
}

TEST(SequenceCoder, PaddingIsNotReconstructed) {
  for (const std::string likelihood : {"bernoulli", "gaussian", "learned_gaussian", "discretised_logistic"}) {
    seed(10);
    const SequenceVae::Options options{.input = {4, 3}, .hidden = 4, .latent = 2, .likelihood = likelihood};
    SequenceVae::Options padded = options;
    padded.padded = true;
    SequenceVae whole_model(options), model(padded);
    load_strict(model, state(whole_model), "copy");
    at::Tensor x = at::rand({2, 4, 3});
    const at::Tensor z = at::randn({2, 2});
    expect_close(model.decode(z)->log_prob(x), whole_model.decode(z)->log_prob(x), 1e-3);
    EXPECT_TRUE(at::equal(model.decode(z)->mean(), whole_model.decode(z)->mean()));
    x[1].slice(0, 2).zero_();
    at::Tensor log_prob = model.decode(z)->log_prob(x);
    log_prob[1].backward();
    // The steps that count are the first two: what the last two add is the difference to the whole.
    const at::Tensor all = whole_model.decode(z)->log_prob(x);
    EXPECT_NE(all[1].item<float>(), log_prob[1].item<float>());
    EXPECT_NEAR(all[0].item<float>(), log_prob[0].item<float>(), 1e-3);
  }
}

// `length` says where sequences end, of models that are `padded` too: not zeros, which are values like others.
TEST(SequenceCoder, LengthsSayWhatIsPadding) {
  for (const bool padded : {false, true}) {
    SCOPED_TRACE(padded);
    seed(13);
    SequenceVae model({.input = {4, 3}, .hidden = 4, .latent = 2, .likelihood = "bernoulli", .padded = padded});
    at::Tensor x = at::rand({2, 4, 3});
    x[0].slice(0, 2).zero_();  // four steps, the last two of which are zeros
    x[1].slice(0, 2).fill_(0.5);
    const at::Tensor ends = whole({4, 2});
    const auto expected = [&] {  // by each sequence alone
      const auto of = [&](std::int64_t i) {
        const std::int64_t end = ends[i].item<std::int64_t>();
        const at::Tensor z = model.encode(fields_of(x, ends)).slice(0, i, i + 1);
        const at::Tensor mean = model.decode(z)->mean()[0].slice(0, 0, end), value = x[i].slice(0, 0, end);
        return (value * mean.log() + (1 - value) * (1 - mean).log()).sum();
      };
      return at::stack({of(0), of(1)});
    }();
    const Batch data = {{"train", fields_of(x, ends)}};
    Pass pass(model, data);
    const at::Tensor elements = at::tensor(at::ArrayRef<float>{12, 6});
    for (const std::string loss : {"likelihood", "cross_entropy"}) {
      const auto objective = make<objectives::Reconstruction>({.loss = loss});
      objective->bind(model, data);
      // As the encoder is variational, its code is the posterior's mean.
      expect_close(objective->terms(0, pass).total(), -(expected / elements).mean());
    }
    const auto metric = make<Metric>("reconstruction_bce", Json::object());
    metric->update(pass);
    EXPECT_NEAR(metric->result(), -(expected / elements).mean().item<double>(), other_kernels);
    const auto elbo = make<objectives::Elbo>();
    seed(14);
    const at::Tensor z = pass.posterior().rsample();
    seed(14);
    const Terms terms = elbo->terms(0, pass);
    const at::Tensor each = model.decode(z)->log_prob_each(x);
    const at::Tensor sum = each[0].sum() + each[1].slice(0, 0, 2).sum();
    expect_close(terms.minimised().front().second, -sum / 2);
    // What stands behind the ends moves neither.
    at::Tensor other = x.clone();
    other[1].slice(0, 2).fill_(0.9);
    const Batch moved = {{"train", fields_of(other, ends)}};
    for (const std::string name : {"reconstruction_bce", "reconstruction_mse", "elbo", "nll"}) {
      const auto score = [&](const Batch& batch) {
        Pass one(model, batch);
        const auto scored = make<Metric>(name, Json::object());
        scored->update(one);
        return scored->result();
      };
      EXPECT_EQ(score(moved), score(data)) << name;
    }
    const auto iwae = make<objectives::Iwae>({.samples = 3});
    const auto bound = [&](const Batch& batch) {
      Pass one(model, batch);
      seed(15);
      return iwae->terms(0, one).total();
    };
    EXPECT_TRUE(at::equal(bound(moved), bound(data)));
  }
}

// Of a text the tokens and the padding that ends it count, whatever stands behind a told length.
TEST(SequenceCoder, TextsAreMeansOverTheirTokens) {
  seed(16);
  SequenceAutoencoder model({.input = {6}, .vocabulary = 9, .embedding = 4, .hidden = 8, .latent = 3});
  const at::Tensor text = at::cat({at::randint(1, 9, {1, 3}, at::kLong), at::zeros({1, 3}, at::kLong)}, 1);
  const auto loss = [&](const Fields& fields) {
    const Batch data = {{"train", fields}};
    Pass pass(model, data);
    return make<objectives::Reconstruction>({.loss = "likelihood"})->terms(0, pass).total();
  };
  const at::Tensor log_prob = model.decode(model.encode(fields_of(text)))->log_prob(text);
  expect_close(loss(fields_of(text)), -log_prob.mean() / 4);
  at::Tensor longer = text.clone();
  longer[0].slice(0, 3).fill_(5);
  EXPECT_TRUE(at::equal(loss(fields_of(longer, whole({3}))), loss(fields_of(text, whole({3})))));
}

TEST(SequenceCoder, TokensAreRebuiltByTheirLikelihood) {
  seed(12);
  SequenceAutoencoder model({.input = {6}, .vocabulary = 9, .embedding = 4, .hidden = 8, .latent = 3});
  const Batch data = {{"train", fields_of(at::randint(1, 9, {4, 6}, at::kLong))}};
  Pass pass(model, data);
  auto objective = make<objectives::Reconstruction>({.loss = "likelihood"});
  objective->bind(model, data);
  const at::Tensor expected = -model.decode(pass.features())->log_prob(data.at("train").input()).mean() / 6;
  expect_close(objective->terms(0, pass).total(), expected);
  expect_error<ConfigError>([&] { make<objectives::Reconstruction>()->terms(0, pass); },
                            {"objective reconstruction", "token ids", "set loss to likelihood"});
}

TEST(SequenceCoder, PicturesComeBackAsPictures) {
  seed(11);
  SequenceAutoencoder model({.input = {2, 3, 4}, .hidden = 5, .latent = 2});
  const at::Tensor x = at::rand({3, 2, 3, 4});
  const auto likelihood = model.decode(model.encode(fields_of(x)));
  EXPECT_EQ(likelihood->mean().sizes(), x.sizes());
  const models::SequenceShape shape{.input = {2, 3, 4}};
  EXPECT_TRUE(at::equal(shape.from_steps(shape.to_steps(x)), x));
  EXPECT_TRUE(at::equal(shape.to_steps(x)[1][2], at::cat({x[1][0][2], x[1][1][2]})));  // a row of all channels
}

}  // namespace
}  // namespace vaetl::testing::lstm_test
