// Values, penalties and ten steps against PyTorch: tests/models/gan_test. Here: gradients by differences, clipping,
// what each update may touch, errors.
#include "vaetl/objectives/adversarial.hpp"

#include "nn/numeric_gradient.hpp"
#include "objectives/support.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/models/gan.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing::adversarial_test {
namespace {

using Options = objectives::Adversarial::Options;

std::shared_ptr<models::Gan> toy_gan(const std::string& way = "auxiliary") {
  seed(1);
  auto gan = make<models::Gan>({.input = {3},
                                .widths = {4},
                                .noise = 2,
                                .activation = "tanh",
                                .critic_activation = "tanh",
                                .conditions = 2,
                                .critic_condition = way});
  gan->to(at::kDouble);
  return gan;
}

Batch toy_batch() {
  at::manual_seed(4);
  return batch({{"input", 2 * at::rand({5, 3}, at::kDouble) - 1}, {"target", at::arange(5) % 2}});
}

std::vector<at::Tensor> half_of(const Model& gan, const std::string& half) {
  std::vector<at::Tensor> result;
  for (const auto& item : gan.named_parameters()) {
    if (item.key().starts_with(half)) result.push_back(item.value());
  }
  return result;
}

TEST(Adversarial, OptionsAreDescribed) { expect_fields_cover<Options>(); }

void check_gradients(const Options& options, const std::string& way) {
  SCOPED_TRACE(options.loss + " " + way);
  const auto gan = toy_gan(way);
  const Batch data = toy_batch();
  const auto objective = make<objectives::Adversarial>(options);
  objective->bind(*gan, data);
  for (const std::size_t update : {0u, 1u}) {
    auto loss = [&] {
      at::manual_seed(3);                  // the same noise each time
      const at::AutoGradMode graph(true);  // the penalty is a gradient itself
      Pass pass(*gan, data);
      return objective->terms(update, pass).total();
    };
    std::vector<at::Tensor> trained = half_of(*gan, update == 0 ? "critic" : "generator");
    expect_gradients(loss, trained);
  }
}

TEST(Adversarial, GradientsEqualDifferences) {
  check_gradients({.loss = "non_saturating", .label_smoothing = 0.2}, "auxiliary");
  check_gradients({.loss = "minimax", .r1 = 3}, "projection");
  check_gradients({.loss = "least_squares", .gradient_penalty = 2}, "embedding");
  check_gradients({.loss = "hinge", .auxiliary = 0.5}, "auxiliary");
  check_gradients({.loss = "wasserstein", .gradient_penalty = 10}, "projection");
}

TEST(Adversarial, EachUpdateReachesItsOwnHalfOnly) {
  const auto gan = toy_gan();
  const Batch data = toy_batch();
  const auto objective = make<objectives::Adversarial>(Options{.gradient_penalty = 1});
  objective->bind(*gan, data);
  Pass pass(*gan, data);
  objective->backward(0, pass);
  for (const auto& parameter : half_of(*gan, "critic")) EXPECT_TRUE(parameter.grad().defined());
  for (const auto& parameter : half_of(*gan, "generator")) EXPECT_FALSE(parameter.grad().defined());
  gan->zero_grad();
  objective->backward(1, pass);
  for (const auto& parameter : half_of(*gan, "generator")) EXPECT_TRUE(parameter.grad().defined());
}

TEST(Adversarial, TermsAreNamed) {
  const auto gan = toy_gan();
  const Batch data = toy_batch();
  Pass pass(*gan, data);
  const auto all = make<objectives::Adversarial>(Options{.gradient_penalty = 1, .r1 = 1});
  EXPECT_EQ(names(all->terms(0, pass).minimised()),
            (std::vector<std::string>{"critic", "gradient_penalty", "r1", "critic_class"}));
  EXPECT_EQ(names(all->terms(0, pass).logged()), (std::vector<std::string>{"score_real", "score_generated"}));
  EXPECT_EQ(names(all->terms(1, pass).minimised()), (std::vector<std::string>{"generator", "generator_class"}));
  const auto few = make<objectives::Adversarial>(Options{.auxiliary = 0});
  EXPECT_EQ(names(few->terms(0, pass).minimised()), (std::vector<std::string>{"critic"}));
  EXPECT_EQ(names(few->terms(1, pass).minimised()), (std::vector<std::string>{"generator"}));
}

TEST(Adversarial, InstanceWeightsCount) {
  const auto gan = toy_gan("embedding");
  Batch data = toy_batch();
  const Fields& fields = data.at("train");
  const Batch first = batch({{"input", fields.input().narrow(0, 0, 1)}, {"target", fields.target().narrow(0, 0, 1)}});
  const auto objective = make<objectives::Adversarial>(Options{});
  const auto real_score = [&](const Batch& batch) {
    Pass pass(*gan, batch);
    return value(objective->terms(0, pass).logged(), "score_real");
  };
  data.at("train").set("weight", at::tensor({1.0, 0.0, 0.0, 0.0, 0.0}, at::kDouble));
  expect_near(real_score(data), real_score(first).detach());
}

TEST(Adversarial, ClipsTheTrainedWeightsOfTheCritic) {
  const auto gan = toy_gan();
  const Batch data = toy_batch();
  const auto objective = make<objectives::Adversarial>(Options{.loss = "wasserstein", .clip = 0.1});
  objective->bind(*gan, data);
  const auto critic = half_of(*gan, "critic"), generator = half_of(*gan, "generator");
  const at::Tensor frozen = critic[0], before = frozen.detach().clone();
  frozen.requires_grad_(false);
  const auto largest = [](const std::vector<at::Tensor>& tensors, std::size_t from) {
    double most = 0;
    for (std::size_t i = from; i < tensors.size(); ++i) most = std::max(most, tensors[i].abs().max().item<double>());
    return most;
  };
  Pass pass(*gan, data);
  objective->terms(0, pass);
  EXPECT_LE(largest(critic, 1), 0.1);
  EXPECT_GT(largest(generator, 0), 0.1);
  EXPECT_TRUE(at::equal(frozen, before));
  EXPECT_GT(before.abs().max().item<double>(), 0.1);
  // The critic's optimiser moves them; the generator meets a clipped critic.
  critic[1].detach().add_(5);
  for (const auto& parameter : critic) parameter.requires_grad_(false);
  objective->terms(1, pass);
  EXPECT_LE(largest(critic, 1), 0.1);
}

TEST(Adversarial, UpdatesSayWhatTheyTrain) {
  const auto updates = make<objectives::Adversarial>(Options{.critic_steps = 5})->updates();
  ASSERT_EQ(updates.size(), 2u);
  EXPECT_EQ(updates[0].name, "critic");
  EXPECT_EQ(updates[0].groups, (std::vector<std::string>{"critic*"}));
  EXPECT_EQ(updates[0].every, 1);
  EXPECT_EQ(updates[1].name, "generator");
  EXPECT_EQ(updates[1].groups, (std::vector<std::string>{"generator*"}));
  EXPECT_EQ(updates[1].every, 5);
}

TEST(Adversarial, SaysWhatIsWrong) {
  const auto objective = make<objectives::Adversarial>();
  const BareModel bare;
  expect_error<ConfigError>([&] { check_needs(objective->needs(), bare, {}, "objective adversarial"); },
                            {"objective adversarial: expected a model that offers Generator", "\"bare\""});
  expect_error<ConfigError>(
      [] {
        make_objective(Json{{"name", "adversarial"}, {"loss", "hinge"}, {"label_smoothing", 0.1}});
      },
      {"label_smoothing: expected 0 with the loss \"hinge\", which has no target, found 0.1",
       "choose non_saturating, minimax or least_squares"});
  expect_error<ConfigError>(
      [] {
        make_objective(Json{{"name", "adversarial"}, {"loss", "wassertein"}});
      },
      {"objective.loss", "did you mean \"wasserstein\"?"});
  ToyModel toy(3, 2);
  expect_error<ConfigError>([&] { objective->bind(toy, {}); }, {"objective adversarial", "generator*"});
  const auto gan = toy_gan();
  const Batch unlabelled = batch({{"input", at::zeros({2, 3}, at::kDouble)}});
  Pass pass(*gan, unlabelled);
  expect_error<DataError>([&] { objective->terms(0, pass); },
                          {"model \"gan\": expected a field \"condition\" or \"target\": its classes, found neither"});
}

}  // namespace
}  // namespace vaetl::testing::adversarial_test
