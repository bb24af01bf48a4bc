// Training on weighted examples is minimising Σ w l / Σ w: against that sum written by hand.
#include <ATen/ATen.h>

#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/resident.hpp"
#include "vaetl/data/transforms/replace.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/cross_entropy.hpp"

namespace vaetl::testing::weights_test {
namespace {

const Json mlp = {{"widths", {16}}, {"classes", 4}};

// Of the last class there is one example in seven of what the others have.
Dataset rare_blobs(std::int64_t count) {
  const Dataset all = blobs(count);
  return all.select(all.labels().ne(3).logical_or(at::arange(count).remainder(28).eq(3)));
}

at::Tensor log_softmax_of(Model& model, const at::Tensor& input) {
  Fields fields;
  fields.set("input", input);
  return at::log_softmax(require<Classifier>(model).classify(require<Encoder>(model).encode(fields)), 1);
}

at::Tensor loss_of(const at::Tensor& log_probabilities, const at::Tensor& labels) {
  return -log_probabilities.gather(1, labels.unsqueeze(1)).squeeze(1);
}

// A step of gradient descent down a loss of the model.
void step_by_hand(Model& model, const at::Tensor& loss, double rate) {
  loss.backward();
  const at::NoGradGuard no_gradients;
  for (const at::Tensor& parameter : model.parameters()) {
    if (parameter.grad().defined()) parameter.sub_(rate * parameter.grad());
  }
}

double difference(const Model& a, const Model& b) {
  double largest = 0;
  const auto others = state(b);
  for (const auto& [name, tensor] : state(a)) {
    largest = std::max(largest, (tensor - others.at(name)).abs().max().item<double>());
  }
  return largest;
}

std::shared_ptr<Model> one_step(const Pipeline& data, std::int64_t batch, std::int64_t accumulate = 1) {
  const auto model = small("mlp", mlp);
  TrainerOptions options{.steps = 1, .batch_size = batch, .optimizer = {"sgd", {{"lr", 0.5}, {"momentum", 0}}}};
  options.accumulate = accumulate;
  options.device = "cpu";
  Trainer(options).fit(model, make<objectives::CrossEntropy>(), data);
  return model;
}

// Gradients of at most 1 in float32, sums of 70 examples and 144 pixels in another order.
constexpr double weighted_tolerance = 0.5 * 256 * 0x1p-24;

TEST(Weights, AStepIsThatOfTheWeightedMean) {
  const Dataset data = rare_blobs(84);
  const at::Tensor labels = data.labels(), counts = at::bincount(labels, {}, 4);
  at::Tensor weight = at::empty({data.size()}, at::kDouble);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    weight[i] = static_cast<double>(data.size()) / (4.0 * counts[labels[i].item<std::int64_t>()].item<double>());
  }
  const auto by_hand = small("mlp", mlp);
  const at::Tensor losses = loss_of(log_softmax_of(*by_hand, data.column("input").to(at::kFloat) / 255), labels);
  step_by_hand(*by_hand, (weight * losses).sum() / weight.sum(), 0.5);
  EXPECT_LE(difference(*one_step(data.weigh_classes(), data.size()), *by_hand), weighted_tolerance);
  EXPECT_GT(difference(*one_step(data, data.size()), *by_hand), 1e-3);
  // Four batches of an update are one batch; the last is smaller.
  EXPECT_LE(difference(*one_step(data.weigh_classes(), 20, 4), *by_hand), weighted_tolerance);
  EXPECT_LE(difference(*one_step(resident(data.weigh_classes(), at::kCPU), data.size()), *by_hand), weighted_tolerance);
}

// λ w(y) L(y) + (1 − λ) w(y′) L(y′) over the sum of λ w(y) + (1 − λ) w(y′), with each class's own weight.
TEST(Weights, OfMixedLabelsAreEachLabelsOwn) {
  const std::vector<double> of_class = {1, 0.5, 0, 4};
  const Dataset data = rare_blobs(84);
  Fields given;
  given.set("input", data.column("input").to(at::kFloat) / 255);
  given.set("target", data.labels());
  const auto mixed = [&](const Fields& fields) {
    Fields result = fields;
    at::Generator generator = make_generator(6);
    transforms::Mixup({.alpha = 1}).apply(result, generator);
    return result;
  };
  const auto model = small("mlp", mlp);
  const Fields plain = mixed(given);
  const at::Tensor scores = log_softmax_of(*model, plain.input()), table = at::tensor(of_class, at::kFloat);
  const at::Tensor labels = plain.target(), others = plain["target.other"], share = plain["mix"];
  const at::Tensor own = share * table.index_select(0, labels), theirs = (1 - share) * table.index_select(0, others);
  const at::Tensor expected =
      (own * loss_of(scores, labels) + theirs * loss_of(scores, others)).sum() / (own + theirs).sum();
  given.set("weight", data.weigh_classes(of_class).column("weight"));
  const Batch batch = {{"train", mixed(given)}};
  Pass pass(*model, batch);
  const at::Tensor found = make<objectives::CrossEntropy>()->terms(0, pass).total();
  EXPECT_NEAR(found.item<double>(), expected.item<double>(), 1e-6 * expected.item<double>());
}

// A batch without any weight is no step, and no NaN.
TEST(Weights, BatchesOfNoWeightChangeNothing) {
  const Dataset data = blobs(32);
  const Dataset first_half = data.with("weight", at::arange(32).lt(16).to(at::kFloat));
  const auto fit = [&](std::int64_t steps) {
    const auto model = small("mlp", mlp);
    TrainerOptions options{.steps = steps, .batch_size = 16, .optimizer = {"sgd", {{"lr", 0.5}, {"momentum", 0}}}};
    options.device = "cpu";
    Trainer(options).fit(model, make<objectives::CrossEntropy>(),
                         Pipeline({Stream{.data = first_half, .order = "sequential"}}));
    return model;
  };
  EXPECT_EQ(checksum(*fit(1)), checksum(*fit(2)));
}

}  // namespace
}  // namespace vaetl::testing::weights_test
