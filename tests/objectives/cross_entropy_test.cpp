#include "vaetl/objectives/cross_entropy.hpp"

#include "nn/numeric_gradient.hpp"
#include "objectives/support.hpp"
#include "support/fields_cover.hpp"

namespace vaetl::testing::cross_entropy_test {
namespace {

struct Case {
  ToyModel model{4, 2};  // its logits are its features
  at::Tensor logits = reference("cross_entropy.logits").clone().requires_grad_();
  Batch data = batch({{"features", logits}, {"target", reference("cross_entropy.labels")}});
};

void expect_equal(const std::string& name, double smoothing) {
  Case c;
  Pass pass(c.model, c.data);
  auto objective = make<objectives::CrossEntropy>({.label_smoothing = smoothing});
  objective->bind(c.model, c.data);
  const Terms terms = objective->backward(0, pass);
  EXPECT_EQ(names(terms.minimised()), std::vector<std::string>{"cross_entropy"});
  expect_near(value(terms.minimised(), "cross_entropy"), reference("cross_entropy." + name + ".loss"));
  expect_near(value(terms.logged(), "accuracy"), reference("cross_entropy.accuracy"));
  expect_near(c.logits.grad(), reference("cross_entropy." + name + ".gradient"));
}

TEST(CrossEntropy, OptionsAreDescribed) { expect_fields_cover<objectives::CrossEntropy::Options>(); }
TEST(CrossEntropy, EqualsPyTorch) { expect_equal("plain", 0); }
TEST(CrossEntropy, WithLabelSmoothingEqualsPyTorch) { expect_equal("smoothed", 0.1); }

TEST(CrossEntropy, InstanceWeightsCount) {
  Case c;
  c.data.begin()->second.set("weight", reference("cross_entropy.weight"));
  Pass pass(c.model, c.data);
  const Terms terms = make<objectives::CrossEntropy>({.label_smoothing = 0.1})->terms(0, pass);
  expect_near(terms.total(), reference("cross_entropy.smoothed.weighted"));
}

Batch mixed_batch(const at::Tensor& logits) {
  return batch({{"features", logits},
                {"target", reference("mixed.first")},
                {"target.other", reference("mixed.second")},
                {"mix", reference("mixed.mix")}});
}

TEST(CrossEntropy, OfMixedLabelsEqualsPyTorch) {
  ToyModel model(4, 2);
  const at::Tensor logits = reference("mixed.logits").clone().requires_grad_();
  Batch data = mixed_batch(logits);
  auto objective = make<objectives::CrossEntropy>({.label_smoothing = 0.1});
  objective->bind(model, data);
  Pass pass(model, data);
  const Terms terms = objective->backward(0, pass);
  expect_near(terms.total(), reference("mixed.loss"));
  expect_near(value(terms.logged(), "accuracy"), reference("mixed.accuracy"));
  expect_near(logits.grad(), reference("mixed.gradient"));
  data.begin()->second.set("weight", reference("mixed.weight"));
  Pass weighted(model, data);
  expect_near(objective->terms(0, weighted).total(), reference("mixed.weighted"));
}

// What reads labels and does not know of mixing must not train on half of them in silence, in a sum neither.
TEST(CrossEntropy, OthersRefuseMixedLabels) {
  const ToyModel model(4, 2);
  const Batch data = mixed_batch(reference("mixed.logits"));
  const Needs ignorant{.capabilities = {"Classifier"}, .fields = {"target"}};
  expect_error<ConfigError>([&] { check_needs(ignorant, model, data, "objective mine"); },
                            {"objective mine", "mixed labels in the stream \"train\"", "leave mixup and cutmix out"});
  EXPECT_NO_THROW(check_needs({.fields = {"features"}}, model, data, "objective mine"));
  struct Ignorant final : Objective {
    Needs needs() const override { return {.capabilities = {"Classifier"}, .fields = {"target"}}; }
    Terms terms(std::size_t, Pass&) override { return {}; }
  };
  const auto knows = make<objectives::CrossEntropy>(), again = make<objectives::CrossEntropy>();
  const auto unlabelled = make<objectives::Elbo>();
  const auto with = [&](const std::shared_ptr<Objective>& a, const std::shared_ptr<Objective>& b) {
    return (a + b)->needs().mixed;
  };
  EXPECT_TRUE(with(knows, again));
  EXPECT_TRUE(with(knows, unlabelled));
  EXPECT_TRUE(with(unlabelled, knows));
  EXPECT_FALSE(with(knows, std::make_shared<Ignorant>()));
  EXPECT_FALSE(with(std::make_shared<Ignorant>(), knows));
}

TEST(CrossEntropy, GradientsEqualDifferences) {
  at::manual_seed(1);
  ToyModel model(3, 1);
  const Batch data =
      batch({{"input", at::rand({4, 3}, at::kDouble)}, {"target", at::arange(4, at::kLong).remainder(3)}});
  auto objective = make<objectives::CrossEntropy>({.label_smoothing = 0.2});
  auto loss = [&] {
    Pass pass(model, data);
    return objective->terms(0, pass).total();
  };
  expect_gradients(loss, {model.encoder, model.head});
}

// Frozen features may be computed once: without the raw input nothing is missing.
TEST(CrossEntropy, DoesNotReadTheInput) {
  Case c;
  EXPECT_FALSE(c.data.begin()->second.has("input"));
  EXPECT_NO_THROW(check_needs(make<objectives::CrossEntropy>()->needs(), c.model, c.data, "objective"));
}

TEST(CrossEntropy, LabelsOutsideTheClassesAreRefusedBeforeTraining) {
  Case c;
  auto objective = make<objectives::CrossEntropy>();
  auto bind = [&](const at::Tensor& labels) {
    c.data.begin()->second.set("target", labels);
    objective->bind(c.model, c.data);
  };
  const at::Tensor labels = reference("cross_entropy.labels");
  EXPECT_NO_THROW(bind(labels));
  EXPECT_NO_THROW(bind(labels.to(at::kByte)));
  expect_error<DataError>([&] { bind(labels + 1); }, {"labels from 0 to 3", "the label 4 at position 1"});
  expect_error<DataError>([&] { bind(labels - 1); }, {"the label -1 at position 0"});
  // −100 is what the kernel would pass over in silence.
  expect_error<DataError>([&] { bind(labels.masked_fill(labels.eq(2), -100)); }, {"the label -100 at position 3"});
  expect_error<DataError>([&] { bind(labels.to(at::kFloat)); }, {"an integer type", "float32"});
  expect_error<DataError>([&] { bind(labels.unsqueeze(1)); }, {"shape (N)", "(6, 1)"});
}

TEST(CrossEntropy, LabelsOfLaterBatchesAreCheckedToo) {
  Case c;
  c.data.begin()->second.set("target", reference("cross_entropy.labels") + 9);
  Pass pass(c.model, c.data);
  auto objective = make<objectives::CrossEntropy>();
  expect_error<DataError>([&] { objective->terms(0, pass); }, {"objective cross_entropy", "the label 9"});
}

TEST(CrossEntropy, SaysWhatIsMissing) {
  const Needs needs = make<objectives::CrossEntropy>()->needs();
  const BareModel bare;
  const ToyModel toy(4, 2);
  expect_error<ConfigError>([&] { check_needs(needs, bare, {}, "objective"); }, {"a model that offers Classifier"});
  const Batch unlabelled = batch({{"input", at::zeros({2, 4})}});
  expect_error<DataError>([&] { check_needs(needs, toy, unlabelled, "objective"); },
                          {"the field \"target\"", "the fields input", "open data with labels"});
  auto smoothing = [](double value) { make_objective(Json{{"name", "cross_entropy"}, {"label_smoothing", value}}); };
  expect_error<ConfigError>([&] { smoothing(1); }, {"label_smoothing", "below 1"});
  expect_error<ConfigError>([&] { smoothing(-0.1); }, {"objective.label_smoothing"});
}

}  // namespace
}  // namespace vaetl::testing::cross_entropy_test
