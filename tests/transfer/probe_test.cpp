// The probe against scikit-learn's optimum (tests/parity/features.py), and how it chooses its penalty.
#include "vaetl/transfer/probe.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "transfer/fixture.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/train/evaluate.hpp"
#include "vaetl/train/features.hpp"

namespace vaetl::testing::probe_test {
namespace {

at::Tensor of_case(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/features.safetensors");
  return file.tensors.at(name);
}

struct ProbeCase {
  std::string name;
  std::int64_t classes;
};

class Probe : public ::testing::TestWithParam<ProbeCase> {
 protected:
  at::Tensor part(const std::string& key) const { return of_case(GetParam().name + "." + key); }
  SolvedHead solved() const {
    return solve_probe(part("features"), part("labels"), GetParam().classes, {.l2 = {part("l2").item<double>()}}, 0,
                       part("weights"));
  }
};

// The loss is flat at its minimum: with derivatives below 1e-7 it is off by less than 1e-10. The weights are float32.
TEST_P(Probe, IsAtTheOptimumThatScikitLearnFinds) {
  const SolvedHead head = solved();
  EXPECT_LT(head.gradient, 1e-7);
  EXPECT_NEAR(head.loss, part("loss").item<double>(), 1e-9);
  const at::Tensor weight = head.weight.to(at::kDouble), bias = head.bias.to(at::kDouble);
  const double scale = part("weight").abs().max().item<double>();
  EXPECT_LE((weight - part("weight")).abs().max().item<double>(), 1e-5 * scale);
  // A constant may be added to all logits of an example.
  const at::Tensor logits = at::addmm(bias, part("features"), weight.t());
  const at::Tensor centred = logits - logits.mean(1, true);
  EXPECT_LE((centred - part("logits")).abs().max().item<double>(), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Cases, Probe,
                         ::testing::Values(ProbeCase{"strong", 4}, ProbeCase{"weak", 4}, ProbeCase{"wide", 3},
                                           ProbeCase{"weighted", 3}),
                         [](const auto& each) { return each.param.name; });

struct Blobs {
  at::Tensor features, labels;
};

// Two directions tell the class, the others are noise: with few examples a weak penalty follows the noise.
Blobs noisy_blobs(std::int64_t count, std::int64_t features, std::uint64_t key) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(key);
  const at::Tensor labels = at::arange(count, at::kLong).remainder(3);
  at::Tensor x = at::randn({count, features}, generator);
  const at::Tensor angle = labels.to(at::kFloat) * 2.0944;
  x.select(1, 0).add_(2.5 * angle.cos());
  x.select(1, 1).add_(2.5 * angle.sin());
  return {x, labels};
}

double accuracy_of(const SolvedHead& head, const Blobs& blobs) {
  return at::addmm(head.bias, blobs.features, head.weight.t())
      .argmax(1)
      .eq(blobs.labels)
      .to(at::kDouble)
      .mean()
      .item<double>();
}

double cross_entropy_of(const SolvedHead& head, const Blobs& blobs) {
  return at::cross_entropy_loss(at::addmm(head.bias, blobs.features, head.weight.t()), blobs.labels).item<double>();
}

TEST(ProbeChoice, ThePenaltyIsChosenOnWhatIsHeldOut) {
  const Blobs train = noisy_blobs(45, 40, 1), test = noisy_blobs(600, 40, 2);
  const SolvedHead chosen = solve_probe(train.features, train.labels, 3);
  double best = 1e300;
  for (const auto& tried : chosen.tried) best = std::min(best, tried.cross_entropy);
  EXPECT_EQ(*chosen.cross_entropy, best);
  EXPECT_GT(chosen.tried.size(), 3u);
  EXPECT_LT(chosen.tried.size(), ProbeOptions().l2.size()) << "the weakest, which are slow, were not needed";
  EXPECT_GT(chosen.tried[0].l2, chosen.tried[1].l2) << "from the strongest on";
  const SolvedHead weak = solve_probe(train.features, train.labels, 3, {.l2 = {1e-6}});
  EXPECT_FALSE(weak.accuracy) << "a single strength needs no choice";
  EXPECT_LT(cross_entropy_of(chosen, test), 0.5 * cross_entropy_of(weak, test));
  EXPECT_GT(accuracy_of(chosen, test), 0.75);
}

TEST(ProbeChoice, RepeatsItsBits) {
  const Blobs train = noisy_blobs(60, 10, 3);
  const SolvedHead first = solve_probe(train.features, train.labels, 3, {}, 7);
  const SolvedHead second = solve_probe(train.features, train.labels, 3, {}, 7);
  EXPECT_TRUE(at::equal(first.weight, second.weight));
  EXPECT_TRUE(at::equal(first.bias, second.bias));
  EXPECT_EQ(first.json()["tried"], second.json()["tried"]);
}

TEST(ProbeChoice, WithOneLabelAClassTheFirstIsTaken) {
  const Blobs train = noisy_blobs(3, 10, 3);
  const SolvedHead head = solve_probe(train.features, train.labels, 3, {.l2 = {0.5, 5}});
  EXPECT_EQ(head.l2, 0.5);
  EXPECT_FALSE(head.accuracy);
  EXPECT_NE(head.text().find("no example could be held out"), std::string::npos);
  EXPECT_TRUE(head.json()["validation"]["accuracy"].is_null());
  expect_error<DataError>([&] { solve_probe(train.features, train.labels, 3, {.folds = 3}); },
                          {"fold", "at least 3 examples of every class"});
}

TEST(ProbeChoice, AShareOrFoldsAreHeldOut) {
  const Blobs train = noisy_blobs(60, 10, 3);
  const auto tried = [&](const ProbeOptions& options) {
    return solve_probe(train.features, train.labels, 3, options, 1).tried.front().accuracy;
  };
  const double once = tried({.validation = 0.25}), twice = tried({.folds = 2});
  EXPECT_NEAR(once * 15, std::round(once * 15), 1e-9) << "of 15 examples";
  EXPECT_NEAR(twice * 60, std::round(twice * 60), 1e-9) << "of all 60";
}

TEST(ProbeChoice, AConstantFeatureHasNoPart) {
  Blobs train = noisy_blobs(60, 4, 3);
  train.features.select(1, 3).fill_(7);
  const SolvedHead head = solve_probe(train.features, train.labels, 3);
  EXPECT_TRUE(head.weight.isfinite().all().item<bool>());
  EXPECT_LT(head.weight.select(1, 3).abs().max().item<float>(), 1e-7F);
}

TEST(ProbeChoice, RefusesWhatHasNoOptimum) {
  const at::Tensor labels = at::arange(4, at::kLong).remainder(2);
  expect_error<DataError>(
      [&] {
        solve_probe(at::full({4, 2}, NAN), labels, 2);
      },
      {"solve_head: expected finite features"});
  expect_error<DataError>(
      [&] {
        solve_probe(at::zeros({3, 2}), labels, 2);
      },
      {"solve_head: expected 3 labels, one an example, found 4"});
  expect_error<DataError>([&] { solve_probe(at::zeros({4, 2}), labels, 1); }, {"at least two classes"});
  expect_error<DataError>([&] { solve_probe(at::zeros({0, 2}), labels, 2); }, {"features of shape (N, F)"});
  expect_error<ConfigError>(
      [&] {
        solve_probe(at::zeros({4, 2}), labels, 2, {.l2 = {}});
      },
      {"solve_head.l2: expected at least one strength"});
  expect_error<ConfigError>(
      [&] {
        solve_probe(at::zeros({4, 2}), labels, 2, {.validation = 0.2, .folds = 2});
      },
      {"solve_head: expected validation or folds, found both"});
}

Dataset few_pictures() {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(4);
  Fields fields;
  const at::Tensor target = at::arange(40, at::kLong).remainder(2);
  at::Tensor input = at::randint(0, 100, {40, 1, 8, 8}, generator, at::TensorOptions(at::kByte));
  input += (target * 100).to(at::kByte).view({40, 1, 1, 1});
  fields.set("input", input);
  fields.set("target", target);
  return Dataset::from_tensors(fields, {.name = "pictures"});
}

TEST(SolveHead, SetsTheHeadAloneAndLeavesTheModelReady) {
  const auto adapted = adapt(*small_vae(), {.heads = {{.classes = 2}}});
  Model& model = *adapted.model;
  const Weights before = copied(model);
  const SolvedHead head = solve_head(model, few_pictures(), {}, 0);
  for (const auto& [name, tensor] : state(model)) {
    EXPECT_EQ(at::equal(tensor, before.at(name)), !name.starts_with("head.")) << name;
  }
  EXPECT_TRUE(at::equal(state(model).at("head.weight"), head.weight));
  EXPECT_EQ(evaluate(model, few_pictures(), {"accuracy"}).at("accuracy"), 1);
  EXPECT_EQ(*head.accuracy, 1);
}

TEST(SolveHead, WantsALinearHead) {
  auto adapted = adapt(*small_vae(), {.heads = {{.classes = 2, .hidden = {5}}}});
  EXPECT_EQ(adapted.model->spec().options.at("head"), (Json{5}));
  expect_error<ConfigError>([&] { solve_head(*adapted.model, few_pictures(), {}, 0); },
                            {"transfer.solve_head: expected a linear head, found a head of several layers"});
  expect_error<ConfigError>([&] { solve_head(*small_vae(), few_pictures(), {}, 0); },
                            {"transfer.solve_head: expected a model that offers Classifier"});
}

}  // namespace
}  // namespace vaetl::testing::probe_test
