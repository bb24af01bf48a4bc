// Next tokens over lanes, and a label or values for every step: the loss, what is carried, padding, errors. Against
// PyTorch through ten steps: tests/models/lstm_parity_test.cpp.
#include "vaetl/objectives/language_model.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include "nn/numeric_gradient.hpp"
#include "objectives/support.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/models/lstm.hpp"
#include "vaetl/objectives/per_step.hpp"

namespace vaetl::testing::language_model_test {
namespace {

using models::Lstm;
using objectives::LanguageModel;
using objectives::PerStep;

constexpr std::int64_t vocabulary = 7;

at::Tensor whole(std::initializer_list<std::int64_t> values) { return at::tensor(at::ArrayRef<std::int64_t>(values)); }

std::shared_ptr<Lstm> language(bool bidirectional = false) {
  seed(1);
  auto model = make<Lstm>({.input = {-1},
                           .vocabulary = vocabulary,
                           .embedding = 3,
                           .hidden = 4,
                           .bidirectional = bidirectional,
                           .per_step = true,
                           .classes = vocabulary});
  model->to(at::kDouble);
  return model;
}

// Rows of a text of `windows` windows of 5 tokens.
struct Text {
  explicit Text(std::int64_t windows) : windows_(windows) {
    seed(2);
    ids_ = at::randint(1, vocabulary, {windows * 5 + 1}, at::kLong);
  }
  Fields rows(const at::Tensor& which, bool index = true) const {
    Fields fields;
    fields.set("input", shifted(0).index_select(0, which));
    fields.set("target", shifted(1).index_select(0, which));
    if (index) fields.set("index", which);
    return fields;
  }
  Fields rows(std::initializer_list<std::int64_t> which, bool index = true) const { return rows(whole(which), index); }
  at::Tensor shifted(std::int64_t by) const { return ids_.narrow(0, by, windows_ * 5).view({windows_, 5}); }

 private:
  std::int64_t windows_;
  at::Tensor ids_;
};

// −log p of every token, from an empty state.
at::Tensor losses(Lstm& model, const at::Tensor& input, const at::Tensor& target) {
  std::vector<at::Tensor> state;
  Fields fields;
  fields.set("input", input);
  const at::Tensor logits = model.unroll(fields, state);
  return at::cross_entropy_loss(logits.transpose(1, 2), target, {}, at::Reduction::None);
}

double term(Objective& objective, Model& model, const Fields& fields, bool first = false) {
  const Batch data = {{"train", fields}};
  Pass pass(model, data, {.first_in_epoch = first});
  return objective.terms(0, pass).total().item<double>();
}

TEST(LanguageModel, OptionsAreDescribed) { expect_fields_cover<LanguageModel::Options>(); }

TEST(LanguageModel, RowsGoOnWhereTheyStopped) {
  const auto model = language();
  const Text text(6);
  auto objective = make<LanguageModel>();
  objective->bind(*model, {{"train", text.rows({0, 3})}});
  // Lanes of three windows: the second loss is that of tokens 5 … 9 of ten read at once.
  const at::Tensor lanes = text.shifted(0).view({2, 15}), next = text.shifted(1).view({2, 15});
  const at::Tensor expected = losses(*model, lanes, next);
  for (std::int64_t step = 0; step < 3; ++step) {
    EXPECT_NEAR(term(*objective, *model, text.rows({step, step + 3}), step == 0),
                expected.slice(1, 5 * step, 5 * step + 5).mean().item<double>(), 1e-12);
  }
  // A new epoch, windows that do not follow, and fewer rows than lanes.
  EXPECT_NEAR(term(*objective, *model, text.rows({0, 3}), true), expected.slice(1, 0, 5).mean().item<double>(), 1e-12);
  const at::Tensor alone = losses(*model, text.shifted(0), text.shifted(1)).mean(1);
  EXPECT_NEAR(term(*objective, *model, text.rows({5, 4})),
              0.5 * (alone[5].item<double>() + expected[1].slice(0, 5, 10).mean().item<double>()), 1e-12);
  EXPECT_NEAR(term(*objective, *model, text.rows({2})), alone[2].item<double>(), 1e-12);
}

TEST(LanguageModel, TheStateHasNoGradient) {
  const auto model = language();
  const Text text(4);
  auto objective = make<LanguageModel>();
  objective->bind(*model, {{"train", text.rows({0, 2})}});
  for (std::int64_t step = 0; step < 2; ++step) {
    const Batch data = {{"train", text.rows({step, step + 2})}};
    Pass pass(*model, data, {.first_in_epoch = step == 0});
    objective->terms(0, pass).total().backward();  // a graph that was freed would throw
  }
  for (const auto& buffer : objective->buffers()) EXPECT_FALSE(buffer.requires_grad());
  EXPECT_EQ(objective->buffers().size(), 3u);  // h, c, next
}

TEST(LanguageModel, WithoutCarryingEveryWindowStandsForItself) {
  const auto model = language();
  const Text text(4);
  auto objective = make<LanguageModel>({.carry = false});
  objective->bind(*model, {{"train", text.rows({0, 2})}});
  term(*objective, *model, text.rows({0, 2}), true);
  EXPECT_NEAR(term(*objective, *model, text.rows({1, 3})),
              losses(*model, text.shifted(0), text.shifted(1)).index_select(0, whole({1, 3})).mean().item<double>(),
              1e-12);
}

TEST(LanguageModel, WeightsCount) {
  const auto model = language();
  const Text text(4);
  auto objective = make<LanguageModel>();
  Fields fields = text.rows({0, 2});
  fields.set("weight", at::tensor(at::ArrayRef<double>{3, 1}));
  objective->bind(*model, {{"train", fields}});
  const at::Tensor alone = losses(*model, text.shifted(0), text.shifted(1)).mean(1);
  EXPECT_NEAR(term(*objective, *model, fields, true), 0.75 * alone[0].item<double>() + 0.25 * alone[2].item<double>(),
              1e-12);
}

TEST(LanguageModel, GradientsEqualDifferences) {
  const auto model = language();
  const Batch data = {{"train", Text(2).rows({0, 1}, false)}};
  auto objective = make<LanguageModel>();
  objective->bind(*model, data);
  expect_gradients(
      [&] {
        Pass pass(*model, data, {.first_in_epoch = true});
        return objective->terms(0, pass).total();
      },
      model->parameters());
}

TEST(LanguageModel, SaysWhatItWants) {
  const auto model = language();
  const Text text(4);
  const auto bind = [](Model& to, Fields fields) { make<LanguageModel>()->bind(to, {{"train", std::move(fields)}}); };
  Fields wrong = text.rows({0, 1});
  wrong.set("target", at::full({2, 5}, vocabulary, at::kLong));
  expect_error<DataError>([&] { bind(*model, wrong); }, {"objective language_model: expected labels from 0 to 6"});
  wrong.set("target", whole({1, 2}));
  expect_error<DataError>([&] { bind(*model, wrong); }, {"a label for each step, shape (2, 5)", "shape (2)"});
  Fields padded = text.rows({0, 1});
  padded.set("length", whole({5, 3}));
  expect_error<ConfigError>([&] { bind(*model, padded); },
                            {"windows of one text", "a length each; use the objective per_step"});
  expect_error<ConfigError>(
      [&] {
        bind(*language(true), text.rows({0, 1}));
      },
      {"read one way", "both ways", "set bidirectional to false"});
  ToyModel toy(4, 2);
  expect_error<ConfigError>([&] { bind(toy, text.rows({0, 1})); }, {"language_model", "SequenceModel"});
}

// ---- a label or values for every step

std::shared_ptr<Lstm> tagger(std::int64_t classes, std::int64_t outputs = 0) {
  seed(3);
  auto model = make<Lstm>(
      {.input = {-1, 2}, .hidden = 4, .bidirectional = true, .per_step = true, .classes = classes, .outputs = outputs});
  model->to(at::kDouble);
  return model;
}

Fields sequences() {
  seed(4);
  Fields fields;
  fields.set("input", at::randn({3, 4, 2}, at::kDouble));
  fields.set("target", at::randint(0, 3, {3, 4}, at::kLong));
  fields.set("length", whole({4, 1, 2}));
  return fields;
}

TEST(PerStep, EveryStepCountsAlike) {
  const auto model = tagger(3);
  Fields fields = sequences();
  auto objective = make<PerStep>();
  objective->bind(*model, {{"train", fields}});
  std::vector<at::Tensor> none;
  const at::Tensor logits = model->unroll(fields, none);
  const at::Tensor each = at::cross_entropy_loss(logits.transpose(1, 2), fields.target(), {}, at::Reduction::None);
  const at::Tensor mask = whole({1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0}).view({3, 4});
  EXPECT_NEAR(term(*objective, *model, fields), ((each * mask).sum() / 7).item<double>(), 1e-12);
  fields.set("weight", at::tensor(at::ArrayRef<double>{1, 2, 0}));
  EXPECT_NEAR(term(*objective, *model, fields), ((each * mask).select(0, 0).sum() + 2 * each[1][0]).item<double>() / 6,
              1e-12);
  fields.set("weight", at::zeros({3}, at::kDouble));
  EXPECT_EQ(term(*objective, *model, fields), 0);
  // Labels behind an end are not read.
  fields.set("target", at::where(mask.eq(0), at::full_like(mask, -100), fields.target()));
  EXPECT_NO_THROW(objective->bind(*model, {{"train", fields}}));
}

TEST(PerStep, OfValues) {
  const auto model = tagger(0, 2);
  Fields fields = sequences();
  fields.set("target", at::randn({3, 4, 2}, at::kDouble));
  auto objective = make<PerStep>();
  objective->bind(*model, {{"train", fields}});
  std::vector<at::Tensor> none;
  const at::Tensor squares = (model->unroll(fields, none) - fields.target()).square();
  const double sum = squares[0].sum().item<double>() + squares[1][0].sum().item<double>() +
                     squares[2].slice(0, 0, 2).sum().item<double>();
  EXPECT_NEAR(term(*objective, *model, fields), sum / 14, 1e-12);
  const Batch data = {{"train", fields}};
  Pass pass(*model, data);
  const auto metric = make<Metric>("step_rmse", Json::object());
  metric->update(pass);
  EXPECT_NEAR(metric->result(), std::sqrt(sum / 14), 1e-12);
  fields.set("target", at::randn({3, 4}, at::kDouble));
  expect_error<DataError>(
      [&] {
        objective->bind(*model, {{"train", fields}});
      },
      {"objective per_step: expected a target of shape (3, 4, 2)", "found (3, 4)"});
}

// Targets that the model sees as (v − mean) / scale, a scale for each value: errors are in the values' own units.
TEST(StepRmse, IsInTheTargetsOwnUnits) {
  const auto model = tagger(0, 2);
  Fields fields = sequences();
  const at::Tensor values = at::randn({3, 4, 2}, at::kDouble);
  std::vector<at::Tensor> none;
  const at::Tensor outputs = model->unroll(fields, none);
  const auto rmse = [&](const at::Tensor& scale) {
    fields.set("target", values);
    fields.set("target.scale", scale);
    const Batch data = {{"train", fields}};
    Pass pass(*model, data);
    const auto metric = make<Metric>("step_rmse", Json::object());
    metric->update(pass);
    return metric->result();
  };
  const auto expected = [&](const at::Tensor& scale) {
    const at::Tensor squares = ((outputs - values) * scale).square();
    const double sum = squares[0].sum().item<double>() + squares[1][0].sum().item<double>() +
                       squares[2].slice(0, 0, 2).sum().item<double>();
    return std::sqrt(sum / 14);
  };
  const at::Tensor each = 1 + at::rand({3, 4, 2}, at::kDouble), one = at::tensor({2.0, 30.0}, at::kDouble);
  EXPECT_NEAR(rmse(each), expected(each), 1e-12);
  EXPECT_NEAR(rmse(one.expand({3, 2})), expected(one), 1e-10);  // a scale for each output alone
}

// By the transform that standardises them: each place of a step has its mean and deviation, of one value a step too.
TEST(StepRmse, UndoesTheStandardisationOfTargets) {
  at::manual_seed(8);
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{3, 4, 2}, {3, 4}}) {
    const bool two = shape.size() == 3;
    const auto model = tagger(0, two ? 2 : 1);
    Fields fields = sequences();
    const at::Tensor values = at::randn(shape, at::kDouble) * 50 + 1000;
    const at::Tensor mean = values.mean(two ? at::IntArrayRef{0, 2} : at::IntArrayRef{0}, /*keepdim=*/true);
    const at::Tensor scale = at::full_like(mean, 50) * (1 + at::arange(4, at::kDouble)).view_as(mean);
    fields.set("target", (values - mean) / scale);
    fields.set("target.scale", scale.expand_as(values));
    std::vector<at::Tensor> none;
    const at::Tensor own = model->unroll(fields, none).view_as(values) * scale + mean;
    const at::Tensor squares = (own - values).square().view({3, 4, -1}).mean(2);
    const double sum =
        squares[0].sum().item<double>() + squares[1][0].item<double>() + squares[2].slice(0, 0, 2).sum().item<double>();
    const Batch data = {{"train", fields}};
    Pass pass(*model, data);
    const auto metric = make<Metric>("step_rmse", Json::object());
    metric->update(pass);
    EXPECT_NEAR(metric->result(), std::sqrt(sum / 7), 1e-9);
  }
}

TEST(StepAccuracy, CountsStepsBeforeTheEnd) {
  const auto model = tagger(3);
  Fields fields = sequences();
  std::vector<at::Tensor> none;
  at::Tensor right = model->unroll(fields, none).argmax(2);
  right[1].slice(0, 1).fill_(7);  // padding
  right[2][1] = (right[2][1] + 1) % 3;
  fields.set("target", right);
  const Batch data = {{"train", fields}};
  Pass pass(*model, data);
  const auto metric = make<Metric>("step_accuracy", Json::object());
  metric->update(pass);
  EXPECT_NEAR(metric->result(), 6.0 / 7, 1e-12);
}

// ---- scores

// −log p of every token of the text, read as the metric says: by batches of windows in 16 lanes.
double score(Model& model, const Text& text, std::vector<std::pair<std::int64_t, std::int64_t>> batches) {
  const auto metric = make<Metric>("nats_per_token", Json::object());
  for (const auto& [begin, end] : batches) {
    const Batch data = {{"train", text.rows(at::arange(begin, end), false)}};
    Pass pass(model, data);
    metric->update(pass);
  }
  return metric->result();
}

TEST(NatsPerToken, ReadsOneTextThrough) {
  const auto model = language();
  const Text text(9);
  const at::Tensor one = losses(*model, text.shifted(0).view({1, 45}), text.shifted(1).view({1, 45}));
  std::vector<std::pair<std::int64_t, std::int64_t>> single;
  for (std::int64_t window = 0; window < 9; ++window) single.emplace_back(window, window + 1);
  EXPECT_NEAR(score(*model, text, single), one.mean().item<double>(), 1e-12);
}

TEST(NatsPerToken, LanesHaveAWindowOfContext) {
  const auto model = language();
  const Text text(35);
  // 16 lanes of two windows, then three more of the last: each lane begins one window early.
  double sum = 0;
  for (std::int64_t lane = 0; lane < 16; ++lane) {
    const std::int64_t first = std::max<std::int64_t>(0, 2 * lane - 1), last = lane == 15 ? 35 : 2 * lane + 2;
    const auto part = [&](std::int64_t by) { return text.shifted(by).slice(0, first, last).reshape({1, -1}); };
    sum += losses(*model, part(0), part(1)).slice(1, 5 * (2 * lane - first)).sum().item<double>();
  }
  EXPECT_NEAR(score(*model, text, {{0, 35}}), sum / (35 * 5), 1e-12);
}

TEST(NatsPerToken, OfAModelThatReadsOneWay) {
  const auto model = language(true);
  expect_error<ConfigError>([&] { score(*model, Text(4), {{0, 4}}); }, {"metric nats_per_token", "reads one way"});
}

}  // namespace
}  // namespace vaetl::testing::language_model_test
