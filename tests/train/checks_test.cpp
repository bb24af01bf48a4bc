// Broken set-ups, each found in one clear line; healthy ones are silent; and looking changes nothing.
#include "vaetl/train/checks.hpp"

#include <ATen/ATen.h>

#include "support/expect_error.hpp"
#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/objectives/adversarial.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/language_model.hpp"
#include "vaetl/objectives/reconstruction.hpp"
#include "vaetl/objectives/simclr.hpp"
#include "vaetl/objectives/squared_error.hpp"

namespace vaetl::testing::checks_test {
namespace {

using Lines = std::vector<std::string>;

struct Case {
  std::shared_ptr<Model> model;
  std::shared_ptr<Objective> objective;
  Pipeline data;
  TrainerOptions options = {};
  Tuning tuning = {};
};

struct Notices final : Callback {
  void on_notice(Progress& progress) override { lines.push_back(progress.notice); }
  Lines lines;
};

Run train(Case set_up, const std::shared_ptr<Callback>& callback = std::make_shared<Notices>()) {
  set_up.options.device = "cpu";
  if (set_up.options.steps == 0) set_up.options.steps = 1;
  return Trainer(set_up.options, {callback}).fit(set_up.model, set_up.objective, set_up.data, set_up.tuning);
}

// One warning, which has every part, told as a notice as well.
void expect_found(Case set_up, std::initializer_list<std::string_view> parts,
                  std::source_location where = std::source_location::current()) {
  const auto notices = std::make_shared<Notices>();
  const Lines found = train(std::move(set_up), notices).warnings;
  if (found.size() != 1) {
    std::string all;
    for (const auto& line : found) all += "\n  " + line;
    ADD_FAILURE_AT(where.file_name(), where.line()) << found.size() << " warnings:" << all;
    return;
  }
  check_message(found[0], parts, where);
  EXPECT_EQ(std::count(notices->lines.begin(), notices->lines.end(), "warning: " + found[0]), 1);
}

std::shared_ptr<Model> mlp(Json options = {{"widths", {16}}, {"classes", 4}}) { return small("mlp", options); }

Case classifier(Dataset data = blobs(64), TrainerOptions options = {.batch_size = 16}) {
  return {mlp(), make<objectives::CrossEntropy>(), std::move(data), options};
}

// N rows of F standard normal values and a target.
Dataset table(const at::Tensor& input, const at::Tensor& target) {
  Fields fields;
  fields.set("input", input);
  fields.set("target", target);
  return Dataset::from_tensors(std::move(fields), {.name = "table"});
}

at::Tensor normal(std::int64_t rows, std::int64_t columns, std::uint64_t seed = 3) {
  auto generator = make_generator(seed);
  return at::randn({rows, columns}, generator, at::TensorOptions());
}

std::shared_ptr<Model> of_table(std::int64_t columns, const Json& head) {
  seed(1);
  Json options = {{"input", {columns}}, {"widths", {16}}};
  options.update(head);
  return build({"mlp", options});
}

Case rows(const at::Tensor& input) {
  return {of_table(input.size(1), {{"classes", 2}}),
          make<objectives::CrossEntropy>(),
          table(input, at::arange(input.size(0), at::kLong).remainder(2)),
          {.batch_size = 64}};
}

TEST(Checks, ALearningRateOfZero) {
  Case still = classifier();
  still.options.optimizer = {"adamw", {{"lr", 0}}};
  expect_found(still, {"the learning rate is 0", "trainer.optimizer.lr"});
  still.options.optimizer = {"sam", {{"base", {{"name", "sgd"}, {"lr", 0}}}}};
  expect_found(still, {"the learning rate is 0"});
  Case curve = classifier();
  curve.options.lr_curve = 0.0;
  expect_found(curve, {"the learning rate is 0"});
  Case group = classifier();
  group.tuning = {{.groups = "head", .lr_scale = 0}};
  expect_found(group, {"layer group \"head\" trains at rate 0 (lr_scale)"});
}

TEST(Checks, ABatchLargerThanTheSet) {
  expect_found(classifier(blobs(64), {.batch_size = 128}), {"batches of 128", "the set of 64 examples"});
}

TEST(Checks, InputsThatAreNotNormalised) {
  at::Tensor input = normal(200, 3);
  input.select(1, 1).mul_(40).add_(1000);
  expect_found(rows(input), {"not normalised: mean 998", "in column or channel 1", "standardise"});
}

TEST(Checks, InputsScaledTwice) {
  expect_found(rows(normal(200, 3) / 255 / 255), {"the inputs hardly vary", "scaled twice"});
}

TEST(Checks, InputsThatHoldNaN) {
  at::Tensor input = normal(64, 3);
  input[5][2] = std::numeric_limits<float>::quiet_NaN();
  Case set_up = rows(input);
  set_up.options.steps = 1;
  const auto notices = std::make_shared<Notices>();
  expect_error<DivergedError>([&] { train(set_up, notices); }, {"step 1"});
  EXPECT_EQ(notices->lines, Lines{"warning: the inputs of the first batch hold NaN or infinity; fill or drop them in "
                                  "data.preprocess"});
}

TEST(Checks, AFirstLossThatIsNotFinite) {
  Case set_up = classifier();
  {
    const at::NoGradGuard no_grad;
    set_up.model->parameters()[0].fill_(std::numeric_limits<float>::infinity());
  }
  const auto notices = std::make_shared<Notices>();
  expect_error<DivergedError>([&] { train(set_up, notices); }, {"step 1"});
  EXPECT_EQ(notices->lines, Lines{"warning: the first loss is not finite: cross_entropy; look at the data and the "
                                  "weights"});
}

TEST(Checks, AColumnThatNeverVaries) {
  at::Tensor input = normal(200, 4);
  input.select(1, 2).fill_(0.5);
  expect_found(rows(input), {"1 of 4 input columns never vary in 200 examples (2)", "drop them"});
}

TEST(Checks, LabelsThatAreAllEqual) {
  Fields fields = blobs(64).all();
  Fields same;
  same.set("input", fields.input());
  same.set("target", at::full({64}, 3, at::kLong));
  expect_found(classifier(Dataset::from_tensors(same)), {"every label is 3", "nothing to tell apart"});
}

TEST(Checks, ABatchOfOneClass) {
  const Dataset sorted = blobs(64).select(blobs(64).labels().argsort());
  Case set_up = classifier(sorted);
  set_up.data.streams[0].order = "sequential";
  expect_found(set_up, {"the first batch holds examples of one class alone", "data.order"});
}

TEST(Checks, ClassesWithoutAnExample) {
  const at::Tensor some = blobs(64).labels().lt(2).nonzero().flatten();
  expect_found(classifier(blobs(64).select(some)), {"2 of the model's 4 classes", "(2, 3)", "is the set whole?"});
}

TEST(Checks, TargetsThatAreNotStandardised) {
  const at::Tensor input = normal(200, 3);
  const at::Tensor price = 2e5 + 5e4 * input.sum(1, /*keepdim=*/true);
  expect_found({of_table(3, {{"classes", 0}, {"outputs", 1}}),
                make<objectives::SquaredError>(),
                table(input, price),
                {.batch_size = 64}},
               {"the targets are not standardised: mean 1.93e+05", "\"field\": \"target\""});
}

TEST(Checks, ValidationExamplesThatAreTrainedOn) {
  Case set_up = classifier(blobs(400));
  set_up.data.validation = blobs(400).select(at::arange(100, 200));
  expect_found(set_up, {"about 100 % of the validation examples are trained on"});
  // A tenth is no mistake of this kind: equal rows happen.
  set_up = classifier(blobs(400));
  set_up.data.validation = blobs(100, 4, 9);
  EXPECT_EQ(train(set_up).warnings, Lines{});
}

TEST(Checks, ALossFarAboveThatOfAGuess) {
  Case set_up = classifier();
  {
    const at::NoGradGuard no_grad;
    for (auto& item : set_up.model->named_parameters()) {
      if (item.key().starts_with("head")) item.value().mul_(200);
    }
  }
  expect_found(set_up, {"the cross-entropy before training is", "ln 4 = 1.39"});
}

// Reads the features alone.
class FeaturesAlone final : public Objective {
 public:
  Needs needs() const override { return {.capabilities = {"Encoder"}, .fields = {"input"}}; }
  Terms terms(std::size_t, Pass& pass) override {
    return Terms().add("size", pass.mean(pass.features().square().sum(1)));
  }
};

TEST(Checks, AGroupWithoutAGradient) {
  Case set_up = classifier();
  set_up.objective = std::make_shared<FeaturesAlone>();
  expect_found(set_up, {"layer group \"head\" should train and gets no gradient"});
  set_up = classifier();
  set_up.objective = std::make_shared<FeaturesAlone>();
  set_up.tuning = {{.groups = "head", .train = false}};
  EXPECT_EQ(train(set_up).warnings, Lines{});
}

TEST(Checks, AGeneratorOfAnotherRangeThanTheData) {
  Case set_up{
      small("gan", {{"widths", {16}}, {"noise", 4}}), make<objectives::Adversarial>(), blobs(64), {.batch_size = 16}};
  set_up.data.preprocess = {{"scale", {{"to", {0, 1}}}}};
  expect_found(set_up, {"the model makes values from -1 to 1, the data go from 0 to"});
}

TEST(Checks, LabelsWithoutAClassAreAnError) {
  expect_error<DataError>([] { train(classifier(blobs(60, 6))); }, {"4"});
}

TEST(Checks, HealthySetUpsAreSilent) {
  const auto vae = [](const std::string& name, Json options) {
    options["latent"] = 3;
    return Case{small(name, options), make<objectives::Elbo>(), blobs(64), {.batch_size = 16}};
  };
  EXPECT_EQ(train(classifier()).warnings, Lines{});
  EXPECT_EQ(train(vae("vae", {{"widths", {16}}})).warnings, Lines{});
  EXPECT_EQ(train(vae("conv_vae", {{"channels", {4}}, {"dense", {8}}})).warnings, Lines{});
  EXPECT_EQ(train({small("autoencoder", {{"widths", {16}}, {"latent", 3}}),
                   make<objectives::Reconstruction>(),
                   blobs(64),
                   {.batch_size = 16}})
                .warnings,
            Lines{});
  EXPECT_EQ(train({small("gan", {{"widths", {16}}, {"noise", 4}}),
                   make<objectives::Adversarial>(),
                   blobs(64),
                   {.batch_size = 16}})
                .warnings,
            Lines{});
  EXPECT_EQ(train(rows(normal(200, 3))).warnings, Lines{});
  const at::Tensor input = normal(200, 3);
  EXPECT_EQ(train({of_table(3, {{"classes", 0}, {"outputs", 1}}),
                   make<objectives::SquaredError>(),
                   table(input, input.sum(1, /*keepdim=*/true)),
                   {.batch_size = 64}})
                .warnings,
            Lines{});
}

TEST(Checks, AResumedRunIsNotLookedAtAgain) {
  const TemporaryFolder folder;
  Case set_up = classifier(blobs(64), {.steps = 4, .batch_size = 128, .directory = folder.path()});
  EXPECT_EQ(train(set_up, std::make_shared<StopAt>(2)).warnings.size(), 1u);
  set_up = classifier(blobs(64), {.steps = 4, .batch_size = 128, .directory = folder.path(), .resume = "must"});
  EXPECT_EQ(train(set_up).warnings, Lines{});
}

Lines look_at(Case set_up) {
  set_up.options.device = "cpu";
  return Trainer(set_up.options).check(set_up.model, set_up.objective, set_up.data, set_up.tuning);
}

// Weights, buffers and the objective's own state after a training.
std::pair<Checksum, Checksum> trained_with(bool checks, Case set_up) {
  set_up.options.checks = checks;
  set_up.options.steps = 6;
  train(set_up);
  return {checksum(*set_up.model), checksum(*set_up.objective)};
}

void expect_unchanged(const std::function<Case()>& make_set_up) {
  const auto [model, objective] = trained_with(true, make_set_up());
  const auto [plain_model, plain_objective] = trained_with(false, make_set_up());
  EXPECT_EQ(model.tensors, plain_model.tensors);
  EXPECT_EQ(objective.tensors, plain_objective.tensors);
  Case looked_at = make_set_up();  // before, and by itself
  look_at(looked_at);
  EXPECT_FALSE(looked_at.model->is_training());
  for (const at::Tensor& parameter : looked_at.model->parameters()) EXPECT_TRUE(parameter.requires_grad());
  const auto [later_model, later_objective] = trained_with(false, std::move(looked_at));
  EXPECT_EQ(later_model.tensors, plain_model.tensors);
  EXPECT_EQ(later_objective.tensors, plain_objective.tensors);
}

TEST(Checks, ChangeNothing) {
  expect_unchanged([] {
    return Case{
        small("cnn", {{"channels", {4}}, {"dense", {8}}, {"classes", 4}, {"dropout", 0.3}, {"batch_norm", true}}),
        make<objectives::CrossEntropy>(),
        blobs(64),
        {.batch_size = 16}};
  });
  expect_unchanged([] {  // weights are clipped within the terms
    return Case{small("gan", {{"widths", {16}}, {"noise", 4}}),
                make<objectives::Adversarial>({.loss = "wasserstein", .critic_steps = 2, .clip = 0.02}),
                blobs(64),
                {.batch_size = 16}};
  });
  expect_unchanged([] {
    return Case{small("conv_vae", {{"channels", {4}}, {"dense", {8}}, {"latent", 3}, {"batch_norm", true}}),
                make<objectives::Elbo>(),
                blobs(64),
                {.batch_size = 16, .ema_decay = 0.9}};
  });
  expect_unchanged([] {
    Case set_up = classifier();
    set_up.tuning = {{.groups = "backbone", .train = false}};
    return set_up;
  });
}

// A state that is carried from window to window is a buffer of the objective.
TEST(Checks, ChangeNoCarriedState) {
  expect_unchanged([] {
    auto generator = make_generator(5);
    const at::Tensor ids = at::randint(2, 10, {65}, generator, at::TensorOptions(at::kInt));
    Fields fields;
    fields.set("input", ids.slice(0, 0, 64).view({8, 8}).clone());
    fields.set("target", ids.slice(0, 1, 65).view({8, 8}).to(at::kLong));
    DatasetInfo info{.name = "ids"};
    info.fields["input"] = {.shape = {8}, .dtype = at::kInt, .low = 0, .high = 9};
    info.fields["target"] = {.shape = {8}, .dtype = at::kLong, .low = 0, .high = 9};
    seed(1);
    auto model = build(
        {"lstm",
         {{"input", {8}}, {"vocabulary", 10}, {"embedding", 4}, {"hidden", 8}, {"per_step", true}, {"classes", 10}}});
    Case set_up{model, make<objectives::LanguageModel>(), Dataset::from_tensors(fields, info), {.batch_size = 2}};
    set_up.data.streams[0].order = "lanes";
    return set_up;
  });
}

}  // namespace
}  // namespace vaetl::testing::checks_test
