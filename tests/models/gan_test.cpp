// GANs: against the same ones in plain torch.nn, through ten steps of both optimisers; sizes, conditions, errors.
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/models/dcgan.hpp"
#include "vaetl/models/gan.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/adversarial.hpp"

namespace vaetl::testing::gan_test {
namespace {

// What tests/parity/gan.py computed with PyTorch, in float64.
const TensorFile& gan_reference() {
  static const TensorFile file = read_safetensors("tests/parity/gan.safetensors");
  return file;
}

struct Case {
  std::string name;
  ModelSpec model;
  Json objective;
  static constexpr auto fields() {
    return std::tuple{field("case", &Case::name, "in the file"), field("model", &Case::model, "description"),
                      field("objective", &Case::objective, "description")};
  }
  const at::Tensor& operator[](const std::string& key) const { return gan_reference().tensors.at(name + "/" + key); }
  bool has(const std::string& key) const { return gan_reference().tensors.contains(name + "/" + key); }
  Weights all(const std::string& kind) const {
    const std::string prefix = name + "/" + kind + ".";
    Weights result;
    for (const auto& [key, tensor] : gan_reference().tensors) {
      if (key.starts_with(prefix)) result[key.substr(prefix.size())] = tensor;
    }
    return result;
  }
};

std::vector<Case> cases() {
  std::vector<Case> result;
  for (const Json& item : parse_json(gan_reference().metadata.at("models"), "gan.safetensors")) {
    result.push_back(from_json<Case>(item));
  }
  return result;
}

void expect_close(const at::Tensor& found, const at::Tensor& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  EXPECT_LE((found.detach() - expected).abs().max().item<double>(), tolerance) << what;
}

// Both sides compute the same few thousand operations in float64 on values near 1: 1e-12 with room for sums that
// cancel.
constexpr double rounding = 1e-11;
// Adam divides a gradient's error by |g| + 1e-8: at worst 1e-13 / 1e-8 of a step of 0.01, ten times.
constexpr double after_ten_steps = 1e-6;

// Module::to would take counters along.
void make_float64(Model& model) {
  for (auto& [name, tensor] : state(model)) {
    if (tensor.is_floating_point()) at::Tensor(tensor).set_data(tensor.detach().to(at::kDouble));
  }
}

// One update as the Trainer makes it, with the noise of the file.
class Player {
 public:
  Player(const Case& c, Model& model, Objective& objective, std::size_t update)
      : case_(c), model_(model), objective_(objective), index_(update), update_(objective.updates()[update]) {
    optimizer_ = registry<Optimizer>().make({"adam", {{"lr", 0.01}, {"beta1", 0.5}}});
    for (const auto& item : model.named_parameters()) {
      if (!item.key().starts_with(update_.name)) continue;
      set_.names.push_back(item.key());
      set_.parameters.push_back(item.value());
    }
  }
  bool due(std::int64_t step) const { return (step + 1) % update_.every == 0; }

  void play(std::int64_t step, const Batch& batch) {
    for (auto parameter : model_.parameters()) parameter.requires_grad_(false);
    for (auto parameter : set_.parameters) parameter.requires_grad_(true).mutable_grad().reset();
    draw(step);
    Pass pass(model_, batch);
    const Terms terms = objective_.backward(index_, pass);
    if (case_.has(fmt::format("term.{}.{}", update_.name, step))) compare(step, terms);
    const at::NoGradGuard no_grad;
    optimizer_->set_parameters({set_});
    optimizer_->step(1);
  }

 private:
  // The stated seed draws the noise that is in the file.
  void draw(std::int64_t step) {
    const auto key = static_cast<std::uint64_t>(1000 + 2 * step) + index_;
    seed(key);
    const at::Tensor& noise = case_[fmt::format("noise.{}.{}", step, index_)];
    const at::Tensor& mix = case_[fmt::format("mix.{}.{}", step, index_)];
    ASSERT_TRUE(at::equal(at::randn(noise.sizes(), at::kDouble), noise));
    ASSERT_TRUE(at::equal(at::rand(mix.sizes(), at::kDouble), mix));
    seed(key);
  }

  void compare(std::int64_t step, const Terms& terms) const {
    std::size_t compared = 0;
    for (const auto* named : {&terms.minimised(), &terms.logged()}) {
      for (const auto& [name, value] : *named) {
        expect_close(value, case_[fmt::format("term.{}.{}", name, step)], rounding, name);
        ++compared;
      }
    }
    EXPECT_GE(compared, 1u);
    if (step + 1 != objective_.updates()[1].every) return;  // the file has the last step's
    for (std::size_t i = 0; i < set_.names.size(); ++i) {
      const at::Tensor& expected = case_[update_.name + "_grad." + set_.names[i]];
      ASSERT_TRUE(set_.parameters[i].grad().defined()) << set_.names[i];
      expect_close(set_.parameters[i].grad(), expected, rounding, "gradient of " + set_.names[i]);
    }
  }

  const Case& case_;
  Model& model_;
  Objective& objective_;
  std::size_t index_;
  Update update_;
  std::shared_ptr<Optimizer> optimizer_;
  ParameterSet set_;
};

class ParityGan : public ::testing::TestWithParam<Case> {};

TEST_P(ParityGan, TenStepsOfBothHalvesEqualPyTorch) {
  const Case& c = GetParam();
  const auto model = build(c.model);
  make_float64(*model);
  load_strict(*model, c.all("weights"), c.name);
  const auto objective = make_objective(c.objective);
  Fields fields;
  fields.set("input", c["x"]);
  fields.set("target", c["condition"]);
  const Batch batch = {{"train", fields}};
  objective->bind(*model, batch);
  Player critic(c, *model, *objective, 0), generator(c, *model, *objective, 1);
  for (std::int64_t step = 0; step < 10; ++step) {
    critic.play(step, batch);
    if (generator.due(step)) generator.play(step, batch);
  }
  const Weights found = state(*model);
  for (const auto& [name, expected] : c.all("after")) {
    expect_close(found.at(name).to(at::kDouble), expected.to(at::kDouble), after_ten_steps, name + " after ten steps");
  }
}

TEST_P(ParityGan, ForwardEqualsPyTorchInEvaluation) {
  const Case& c = GetParam();
  const auto model = build(c.model);
  make_float64(*model);
  load_strict(*model, c.all("after"), c.name);
  model->eval();
  const at::Tensor condition = offers(*model, "Conditional") ? c["condition"] : at::Tensor();
  std::string last;
  for (std::int64_t step = 0; step < 10; ++step) {
    for (const char* update : {"0", "1"}) {
      const auto key = fmt::format("noise.{}.{}", step, update);
      if (c.has(key)) last = key;
    }
  }
  const at::Tensor made = require<Generator>(*model).generate(c[last], condition);
  expect_close(made, c["eval.generated"], rounding, "generated");
  const Judgement judgement = require<Critic>(*model).judge(made, condition);
  expect_close(judgement.score, c["eval.score"], rounding, "score");
  ASSERT_EQ(judgement.logits.defined(), c.has("eval.logits"));
  if (judgement.logits.defined()) expect_close(judgement.logits, c["eval.logits"], rounding, "logits");
}

INSTANTIATE_TEST_SUITE_P(Reference, ParityGan, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

TEST(Gan, OptionsAreDescribed) {
  expect_fields_cover<models::Gan::Options>();
  expect_fields_cover<models::Dcgan::Options>();
}

TEST(Gan, MakesPicturesOfEverySize) {
  struct Size {
    std::vector<std::int64_t> input, channels;
    std::int64_t noise;
  };
  for (const Size& size : std::vector<Size>{{{1, 28, 28}, {4, 8}, 64},
                                            {{3, 32, 32}, {4, 8, 8}, 100},
                                            {{3, 64, 64}, {8, 16, 16, 16}, 128},
                                            {{1, 17, 21}, {4, 8}, 5}}) {
    seed(1);
    auto gan = make<models::Dcgan>({.input = size.input, .channels = size.channels, .noise = size.noise});
    const at::Tensor made = gan->generate(3 * at::randn({2, size.noise}));
    std::vector<std::int64_t> shape = {2};
    shape.insert(shape.end(), size.input.begin(), size.input.end());
    EXPECT_EQ(made.sizes(), at::IntArrayRef(shape));
    EXPECT_LE(made.abs().max().item<float>(), 1);
    EXPECT_LT(made.min().item<float>(), 0);
    EXPECT_EQ(gan->judge(made).score.sizes(), at::IntArrayRef({2}));
  }
}

template <class M>
std::shared_ptr<M> conditional_gan(const std::string& way) {
  seed(2);
  return make<M>({.input = {1, 12, 12}, .noise = 4, .conditions = 3, .critic_condition = way});
}

// Names and shapes of a conditional one are those of the plain one, with the class's own beside them.
template <class M>
void check_condition(const std::string& way, bool critic_sees_it) {
  SCOPED_TRACE(way);
  const auto gan = conditional_gan<M>(way);
  gan->eval();
  const at::Tensor z = at::randn({3, 4}).narrow(0, 0, 1).expand({3, 4}), classes = at::arange(3);
  const at::Tensor made = gan->generate(z, classes);
  EXPECT_FALSE(at::allclose(made[0], made[1]));
  EXPECT_FALSE(at::allclose(made[1], made[2]));
  const at::Tensor same = made.narrow(0, 0, 1).expand(made.sizes());
  const Judgement judgement = gan->judge(same, critic_sees_it ? classes : at::Tensor());
  EXPECT_EQ(at::allclose(judgement.score[0], judgement.score[1]), !critic_sees_it);
  EXPECT_EQ(judgement.logits.defined(), way == "auxiliary");
  if (way == "auxiliary") {
    EXPECT_EQ(judgement.logits.sizes(), at::IntArrayRef({3, 3}));
  }
  const auto plain = build({std::string(M::name), {{"input", {1, 12, 12}}, {"noise", 4}}});
  for (const auto& [name, tensor] : state(*plain)) EXPECT_TRUE(state(*gan).contains(name)) << name;
}

TEST(Gan, AConditionIsAnOption) {
  for (const auto& [way, sees] : {std::pair{"embedding", true}, {"projection", true}, {"auxiliary", false}}) {
    check_condition<models::Gan>(way, sees);
    check_condition<models::Dcgan>(way, sees);
  }
}

TEST(Gan, SaysWhatDoesNotFit) {
  const auto gan = conditional_gan<models::Gan>("embedding");
  const at::Tensor z = at::zeros({2, 4}), x = at::zeros({2, 1, 12, 12});
  expect_error<DataError>(
      [&] {
        gan->generate(at::zeros({2, 5}), at::zeros({2}, at::kLong));
      },
      {"model \"gan\": expected noise of shape (N, 4), found (2, 5)"});
  expect_error<DataError>([&] { gan->generate(z); },
                          {"model \"gan\": expected a condition of shape (N), classes from 0 to 2, found none"});
  expect_error<DataError>(
      [&] {
        gan->judge(x, at::tensor({0, 3}));
      },
      {"model \"gan\": expected labels from 0 to 2", "the label 3 at position 1"});
  expect_error<DataError>(
      [&] {
        gan->judge(at::zeros({2, 1, 9, 12}), at::zeros({2}, at::kLong));
      },
      {"model \"gan\": expected input of shape (N, 1, 12, 12), float32, found (2, 1, 9, 12)"});
  expect_error<ConfigError>(
      [] {
        build({"gan", {{"conditions", 1}}});
      },
      {"conditions: expected 0 (not conditional) or at least 2, found 1"});
  expect_error<ConfigError>([] { make<models::Dcgan>({.input = {12}}); }, {"input", "3 dimensions"});
  expect_error<ConfigError>(
      [] {
        build({"dcgan", {{"critic_condition", "projektion"}}});
      },
      {"critic_condition", "did you mean \"projection\"?"});
}

// Looks at the generator after every step.
struct Watch final : Callback {
  void on_step(Progress& p) override {
    sums.push_back(checksum(*p.model.named_children()["generator"]));
    for (const auto& parameter : p.model.parameters()) gradients_left |= parameter.grad().defined();
  }
  std::vector<Checksum> sums;
  bool gradients_left = false;
};

TEST(Gan, ACriticUpdateLeavesTheGeneratorAndItsStatisticsUntouched) {
  const auto watch = std::make_shared<Watch>();
  seed(3);
  const auto gan = build({"dcgan", {{"input", {1, 12, 12}}, {"channels", {4}}, {"spectral_norm", true}, {"noise", 4}}});
  Trainer({.steps = 50, .batch_size = 8, .device = "cpu"}, {watch})
      .fit(gan, make<objectives::Adversarial>({.critic_steps = 5}), blobs(32));
  std::int64_t moved = 0;
  for (std::size_t step = 1; step < watch->sums.size(); ++step) {
    const bool turn = (step + 1) % 5 == 0;
    EXPECT_EQ(watch->sums[step] == watch->sums[step - 1], !turn) << "step " << step + 1;
    moved += watch->sums[step] != watch->sums[step - 1];
  }
  EXPECT_EQ(moved, 10);
  EXPECT_FALSE(watch->gradients_left);
}

// Four classes of pictures: after a few seconds of the game what is made is near data of the class that was asked for.
TEST(Gan, LearnsWhatAClassLooksLike) {
  seed(5);
  const auto gan = build({"gan",
                          {{"input", {1, 12, 12}},
                           {"widths", {64}},
                           {"noise", 4},
                           {"conditions", 4},
                           {"critic_condition", "projection"},
                           {"spectral_norm", true}}});
  const Dataset data = blobs(256);
  Trainer({.steps = 300, .batch_size = 64, .optimizer = {"adam", {{"lr", 2e-3}, {"beta1", 0.5}}}, .device = "cpu"})
      .fit(gan, make<objectives::Adversarial>({.loss = "hinge"}), data);
  const at::NoGradGuard no_grad;
  const at::Tensor classes = at::arange(64) % 4;
  const at::Tensor made = require<Generator>(*gan).generate(at::randn({64, 4}), classes);
  const at::Tensor rows = made.view({64, 4, 36}).mean(2);  // class k is bright in its own quarter
  EXPECT_GE((rows.argmax(1) == classes).sum().item<std::int64_t>(), 60);
}

// Between the blocks of either half, by the names of their layer groups.
TEST(Gan, TakesComponents) {
  const Json insert = parse_json(R"([{"after": "critic.1", "name": "residual", "of": "self_attention"},
                                     {"after": "generator.1", "name": "squeeze_excitation"}])",
                                 "insert");
  const auto model = build({"dcgan", {{"input", {1, 8, 8}}, {"channels", {4, 8}}, {"noise", 3}, {"insert", insert}}});
  std::vector<std::string> names;
  for (const auto& group : model->groups()) names.push_back(group.name);
  EXPECT_EQ(names, (std::vector<std::string>{"generator.0", "generator.1", "inserted.generator.1", "generator.2",
                                             "critic.0", "critic.1", "inserted.critic.1", "critic.head"}));
  EXPECT_TRUE(state(*model).contains("critic.1_inserted.0.of.in_proj_weight"));
  const Json wrong = parse_json(R"([{"after": "encoder.1", "name": "glu"}])", "insert");
  expect_error<ConfigError>(
      [&] {
        build({"dcgan", {{"insert", wrong}}});
      },
      {"insert[0].after: expected a layer group before the head (critic.0, critic.1, "
       "generator.0, generator.1), found \"encoder.1\""});
  expect_error<ConfigError>([&] { build({"gan", {{"insert", wrong}}}); }, {"critic.0, critic.1, generator.0"});
}

}  // namespace
}  // namespace vaetl::testing::gan_test
