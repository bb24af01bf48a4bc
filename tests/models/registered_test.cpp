// Every registered model, by what it says of itself and never by its name: it is rebuilt from its description, its
// weights travel, its groups cover it and can be frozen, it computes what its capabilities promise. Training is in
// learning_test.
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <set>

#include "models/reduced.hpp"
#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/adapter.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/restorer.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing::registered_test {
namespace {

using Names = std::set<std::string>;

Names names(const std::vector<LoadReport::Row>& rows) {
  Names result;
  for (const auto& row : rows) result.insert(row.name);
  return result;
}

class Registered : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    seed(1);
    model_ = build({GetParam(), reduced(GetParam())});
  }

  static Batch batch_for(const Model& model, std::int64_t count = 2) {
    Fields fields;
    for (const auto& [name, info] : model.signature().inputs) fields.set(name, values_for(info, count));
    return {{"train", fields}};
  }

  // Of what may have any size, 5; of whole numbers, ids.
  static at::Tensor values_for(const FieldInfo& info, std::int64_t count) {
    std::vector<std::int64_t> shape = {count};
    for (const std::int64_t size : info.shape) shape.push_back(size == -1 ? 5 : size);
    if (info.dtype != at::kLong) return info.low + (info.high - info.low) * at::rand(shape);
    return at::randint(static_cast<std::int64_t>(info.low), static_cast<std::int64_t>(info.high) + 1, shape, at::kLong);
  }

  // An autoencoder that is no variational one.
  static bool rebuilds(const Model& model) {
    return offers(model, "Encoder") && offers(model, "Decoder") && !offers(model, "Variational");
  }

  // Everything that a model puts out, for one batch and the same noise.
  static std::vector<at::Tensor> outputs(Model& model, const Batch& batch) {
    Pass pass(model, batch);
    std::vector<at::Tensor> result;
    if (offers(model, "Encoder")) result.push_back(pass.features());
    if (offers(model, "Classifier")) result.push_back(pass.logits());
    if (auto* sequence = dynamic_cast<SequenceModel*>(&model); sequence && sequence->step_outputs() > 0) {
      std::vector<at::Tensor> start;
      result.push_back(sequence->unroll(pass.fields(), start));
    }
    if (offers(model, "Variational")) {
      const Gaussian& q = pass.posterior();
      seed(2);
      result.insert(result.end(), {q.mean, q.log_var, q.kl_to_standard()});
      result.push_back(require<Decoder>(model).decode(q.rsample())->log_prob(pass.fields().input()));
    }
    if (rebuilds(model)) {
      result.push_back(require<Decoder>(model).decode(pass.features())->log_prob(pass.fields().input()));
    }
    if (auto* restorer = dynamic_cast<Restorer*>(&model)) result.push_back(restorer->restore(pass.fields()));
    if (auto* critic = dynamic_cast<Critic*>(&model)) {
      result.push_back(critic->judge(batch.at("train").input()).score);
    }
    if (offers(model, "Generator")) {
      auto& generator = require<Generator>(model);
      seed(3);
      result.push_back(generator.generate(at::randn({2, generator.noise_size()})));
    }
    return result;
  }

  static at::Tensor some_loss(Model& model, const Batch& batch) {
    at::Tensor sum = at::zeros({});
    for (const at::Tensor& output : outputs(model, batch)) sum = sum + output.square().mean();
    return sum;
  }

  std::shared_ptr<Model> model_;
};

TEST_P(Registered, ItsDescriptionRebuildsIt) {
  const Json written = Codec<ModelSpec>::write(model_->spec());
  ModelSpec spec;
  Codec<ModelSpec>::read(parse_json(written.dump(), "description"), "model", spec, {});
  EXPECT_EQ(complete(spec).options, model_->spec().options) << "a default is not written out";
  const auto again = build(spec);
  const Weights first = state(*model_), second = state(*again);
  ASSERT_EQ(first.size(), second.size());
  for (const auto& [name, tensor] : first) EXPECT_EQ(second.at(name).sizes(), tensor.sizes()) << name;
  EXPECT_EQ(again->spec().options, model_->spec().options);
}

TEST_P(Registered, ItsWeightsTravel) {
  outputs(*model_, batch_for(*model_, 4));  // moves running statistics
  const auto other = build(model_->spec());
  EXPECT_TRUE(load(*other, state(*model_)).complete());
  model_->eval();
  other->eval();
  const Batch batch = batch_for(*model_);
  const auto expected = outputs(*model_, batch), found = outputs(*other, batch);
  ASSERT_FALSE(expected.empty());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(at::equal(found[i], expected[i])) << "output " << i;
  const auto copy = clone(*model_);
  EXPECT_TRUE(at::equal(outputs(*copy, batch).front(), expected.front()));
}

TEST_P(Registered, ItsGroupsCoverItInOrder) {
  EXPECT_NO_THROW(check_groups(*model_));
  const auto groups = model_->groups();
  ASSERT_FALSE(groups.empty());
  Names seen;
  for (const LayerGroup& group : groups) {
    EXPECT_TRUE(seen.insert(group.name).second) << group.name << " stands twice";
    EXPECT_FALSE(group_modules(*model_, group).empty()) << group.name << " has no module";
  }
  EXPECT_EQ(offers(*model_, "Classifier"), groups.back().name == "head");
}

TEST_P(Registered, EachGroupFreezesAlone) {
  const Batch batch = batch_for(*model_, 4);
  for (const LayerGroup& group : model_->groups()) {
    SCOPED_TRACE(group.name);
    for (const auto& item : model_->named_parameters()) {
      item.value().requires_grad_(group_of(*model_, item.key()) != group.name);
    }
    model_->zero_grad();
    some_loss(*model_, batch).backward();
    for (const auto& item : model_->named_parameters()) {
      const bool frozen = group_of(*model_, item.key()) == group.name;
      EXPECT_EQ(item.value().grad().defined(), !frozen) << item.key();
    }
  }
}

TEST_P(Registered, ItsOutputsHaveTheirShapes) {
  const Batch batch = batch_for(*model_, 3);
  const at::Tensor& x = batch.at("train").input();
  Pass pass(*model_, batch);
  if (auto* encoder = dynamic_cast<Encoder*>(model_.get())) {
    EXPECT_EQ(pass.features().sizes(), at::IntArrayRef({3, encoder->feature_size()}));
  }
  if (offers(*model_, "Classifier")) {
    EXPECT_EQ(pass.logits().sizes(), at::IntArrayRef({3, require<Classifier>(*model_).classes()}));
  }
  if (auto* decoder = dynamic_cast<Decoder*>(model_.get())) {
    const auto likelihood = decoder->decode(at::randn({3, decoder->latent_size()}));
    EXPECT_EQ(likelihood->log_prob(x).sizes(), at::IntArrayRef({3}));
    EXPECT_EQ(likelihood->mean().sizes(), x.sizes());
    expect_error<DataError>(
        [&] {
          decoder->decode(at::zeros({3, decoder->latent_size() + 1}));
        },
        {"model \"" + GetParam() + "\": expected latents of shape (N, "});
  }
  if (auto* restorer = dynamic_cast<Restorer*>(model_.get())) {
    EXPECT_EQ(restorer->restore(batch.at("train")).sizes(), x.sizes());
  }
  if (auto* critic = dynamic_cast<Critic*>(model_.get())) {
    EXPECT_EQ(critic->judge(x).score.sizes(), at::IntArrayRef({3}));
  }
  if (auto* generator = dynamic_cast<Generator*>(model_.get())) {
    EXPECT_EQ(generator->generate(at::randn({3, generator->noise_size()})).sizes(), x.sizes());
  }
}

TEST_P(Registered, EncodesThePosteriorsMean) {
  if (!offers(*model_, "Variational")) return;
  model_->eval();
  const Batch batch = batch_for(*model_);
  Pass pass(*model_, batch);
  EXPECT_TRUE(at::equal(pass.features(), pass.posterior().mean));
}

TEST_P(Registered, RefusesInputsOfAnotherShape) {
  auto* encoder = dynamic_cast<Encoder*>(model_.get());
  auto* restorer = dynamic_cast<Restorer*>(model_.get());
  if (!encoder && !restorer) return;
  Fields fields;
  fields.set("input", at::zeros({2, 3, 5}));
  expect_error<DataError>([&] { encoder ? encoder->encode(fields) : restorer->restore(fields); },
                          {"model \"" + GetParam() + "\": expected input of shape (N, ", "found (2, 3, 5), float32"});
}

TEST_P(Registered, ItsEncoderLoadsIntoItsClassifier) {
  if (!offers(*model_, "Encoder")) return;
  const auto target = build(require<Encoder>(*model_).classifier(7));
  EXPECT_EQ(require<Classifier>(*target).classes(), 7);
  std::vector<LoadRule> rules;
  for (const auto& [name, tensor] : state(*model_)) {
    if (group_of(*model_, name) == "head") rules.push_back({.from = name, .to = ""});
  }
  const LoadReport report = load(*target, state(*model_), rules);
  EXPECT_TRUE(report.mismatched.empty());
  EXPECT_TRUE(report.reshaped.empty());
  Names head, groups;
  for (const auto& [name, tensor] : state(*target)) {
    if (group_of(*target, name) == "head") head.insert(name);
  }
  for (const LayerGroup& group : target->groups()) groups.insert(group.name);
  EXPECT_EQ(names(report.initialised), head);
  for (const auto& row : report.loaded) EXPECT_TRUE(row.note.empty()) << row.name;
  for (const auto& row : report.unused) {
    const std::string group = group_of(*model_, row.name);
    EXPECT_TRUE(group == "head" || !groups.contains(group)) << row.name;
  }
  const auto bare = build(require<Encoder>(*model_).classifier(0));
  EXPECT_FALSE(offers(*bare, "Classifier"));
  EXPECT_TRUE(load(*bare, state(*model_)).initialised.empty());
}

TEST_P(Registered, RandomnessComesFromTheSeedAlone) {
  const Batch batch = batch_for(*model_, 4);
  seed(9);
  const auto first = outputs(*build(model_->spec()), batch);
  seed(9);
  const auto second = outputs(*build(model_->spec()), batch);
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(at::equal(first[i], second[i]));
}

// The same model with adapters that start as the identity: what it computes stays, its own tensors keep their names,
// and description, weights and copies carry the adapters.
class Adapted : public Registered {
 protected:
  std::shared_ptr<Model> with(const Json& adapter) {
    ModelSpec spec = model_->spec();
    spec.options["adapters"] = Json::array({adapter});
    auto model = build(spec);
    load(*model, state(*model_));
    return model;
  }

  // Bit for bit where the weights alone are adapted; an output that is adapted leaves the fused path of dense layers,
  // whose sums round otherwise.
  void expect_same_outputs(Model& model, double tolerance) {
    model_->eval();
    model.eval();
    const Batch batch = batch_for(*model_);
    const auto expected = outputs(*model_, batch), found = outputs(model, batch);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(at::allclose(found[i], expected[i], tolerance, tolerance)) << "output " << i;
    }
  }
};

TEST_P(Adapted, StartsAsTheModelItself) {
  for (const char* name : {"lora", "ia3"}) expect_same_outputs(*with({{"to", "*"}, {"name", name}}), 0);
  expect_same_outputs(*with({{"to", "*"}, {"name", "bottleneck"}}), 1e-5);
}

TEST_P(Adapted, HasItsGroupsBehindTheModels) {
  const auto model = with({{"to", "*"}, {"name", "lora"}});
  const auto own = model_->groups(), all = model->groups();
  ASSERT_GT(all.size(), own.size());
  for (std::size_t i = 0; i < own.size(); ++i) EXPECT_EQ(all[i].name, own[i].name);
  Names plain;
  for (const LayerGroup& group : own) plain.insert(group.name);
  for (std::size_t i = own.size(); i < all.size(); ++i) {
    EXPECT_TRUE(is_adapter(all[i].name)) << all[i].name;
    EXPECT_TRUE(plain.contains(std::string(adapted_group(all[i].name)))) << all[i].name;
    EXPECT_FALSE(group_modules(*model, all[i]).empty()) << all[i].name << " has no module";
  }
  for (const auto& [name, tensor] : state(*model_)) EXPECT_TRUE(state(*model).contains(name)) << name;
}

TEST_P(Adapted, EveryAdapterTrainsAloneAndTravels) {
  const auto model = with({{"to", "*"}, {"name", "lora"}, {"rank", 2}});
  for (const auto& item : model->named_parameters()) item.value().requires_grad_(is_adapter(item.key()));
  some_loss(*model, batch_for(*model, 4)).backward();
  const at::NoGradGuard no_grad;
  for (const auto& item : model->named_parameters()) {
    EXPECT_EQ(item.value().grad().defined(), is_adapter(item.key())) << item.key();
    if (is_adapter(item.key())) item.value().add_(0.1 * at::randn_like(item.value()));
  }
  const auto copy = clone(*model);
  const auto again = build(complete(model->spec()));
  EXPECT_TRUE(load(*again, state(*model)).complete());
  for (const auto& [name, tensor] : state(*model)) {
    EXPECT_TRUE(at::equal(state(*copy).at(name), tensor)) << name;
    EXPECT_TRUE(at::equal(state(*again).at(name), tensor)) << name;
  }
}

TEST_P(Adapted, MergesIntoPlainWeights) {
  const auto model = with({{"to", "*"}, {"name", "lora"}, {"rank", 2}});
  {
    const at::NoGradGuard no_grad;
    for (const auto& item : model->named_parameters()) {
      if (is_adapter(item.key())) item.value().add_(0.01 * at::randn_like(item.value()));
    }
  }
  model->eval();
  const auto merged = nn::merge_adapters(*model);
  EXPECT_EQ(merged->spec().options, model_->spec().options);
  const Batch batch = batch_for(*model);
  const auto expected = outputs(*model, batch), found = outputs(*merged, batch);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(at::allclose(found[i], expected[i], 1e-5, 1e-5)) << "output " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Adapted, ::testing::ValuesIn(registry<Model>().names()),
                         [](const auto& test) { return test.param; });
INSTANTIATE_TEST_SUITE_P(Models, Registered, ::testing::ValuesIn(registry<Model>().names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace vaetl::testing::registered_test
