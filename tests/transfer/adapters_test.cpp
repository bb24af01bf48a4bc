// Small additions in a transfer: what they are attached to, what trains, what stays to the bit.
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "transfer/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/dataset.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/trainer.hpp"

namespace vaetl::testing::transfer_adapters_test {
namespace {

using Names = std::vector<std::string>;

const nn::AdapterRule lora{.adapter = {"lora", {{"rank", 2}}}};

Names group_names(const Model& model) {
  Names result;
  for (const auto& group : model.groups()) result.push_back(group.name);
  return result;
}

AdaptOptions lora_options(std::int64_t classes = 3) {
  return {.heads = {{.classes = classes}}, .adapters = {lora}, .freeze = {"backbone"}};
}

TEST(TransferAdapters, AVaesEncoderBecomesAnAdaptedClassifier) {
  const auto vae = small_vae();
  const auto adapted = adapt(*vae, lora_options());
  EXPECT_EQ(group_names(*adapted.model), (Names{"encoder.0", "encoder.1", "encoder.2", "head", "adapter.encoder.0",
                                                "adapter.encoder.1", "adapter.encoder.2"}));
  EXPECT_EQ(adapted.report.frozen, (Names{"encoder.0", "encoder.1", "encoder.2"}));
  EXPECT_EQ(adapted.report.trained, (Names{"head", "adapter.encoder.0", "adapter.encoder.1", "adapter.encoder.2"}));
  EXPECT_EQ(adapted.report.weights.loaded.size(), 6u);
  EXPECT_EQ(adapted.model->spec().options.at("adapters").size(), 1u);
}

TEST(TransferAdapters, AreAskedForAndNothingUnexpected) {
  AdaptOptions options = lora_options();
  options.strict = true;
  const auto cnn = small_cnn(5);
  EXPECT_NO_THROW(adapt(*cnn, options));
}

TEST(TransferAdapters, TheSourcesAreTakenOverOnce) {
  const auto first = adapt(*small_vae(), lora_options());
  const auto again = adapt(*first.model, lora_options(4));
  EXPECT_EQ(again.model->spec().options.at("adapters").size(), 1u);
  const Weights from = state(*first.model), to = state(*again.model);
  const std::string name = "adapter.encoder.0.conv.lora_a";
  EXPECT_TRUE(at::equal(to.at(name), from.at(name)));
  const auto kept = adapt(*first.model, {.heads = {{.classes = 4}}});
  EXPECT_TRUE(state(*kept.model).contains(name));
  const auto dropped = adapt(*first.model, {.model = {{"adapters", nullptr}}});
  EXPECT_FALSE(state(*dropped.model).contains(name));
}

TEST(TransferAdapters, AClassifierTakesOverThoseOfTheLayersThatItHas) {
  ModelSpec spec = small_vae()->spec();
  spec.options["adapters"] = {{{"to", "encoder.*"}, {"name", "lora"}}, {{"to", "decoder.*"}, {"name", "ia3"}}};
  const auto vae = build(spec);
  const auto adapted = adapt(*vae, {.heads = {{.classes = 3}}});
  ASSERT_EQ(adapted.model->spec().options.at("adapters").size(), 1u);
  EXPECT_EQ(adapted.model->spec().options.at("adapters")[0].at("to"), "encoder.*");
}

TEST(TransferAdapters, OfAFreshHeadAreFresh) {
  ModelSpec spec = small_cnn(3)->spec();
  spec.options["adapters"] = {{{"to", "head"}, {"name", "lora"}}};
  const auto source = build(spec);
  const auto adapted = adapt(*source, {.heads = {{.classes = 3}}});
  const std::string name = "adapter.head.lora_a";
  EXPECT_FALSE(at::equal(state(*adapted.model).at(name), state(*source).at(name)));
}

TEST(TransferAdapters, APatternThatMeansNoLayerNamesTheNearest) {
  AdaptOptions options = lora_options();
  options.adapters[0].to = "encodr.*";
  const auto vae = small_vae();
  expect_error<ConfigError>([&] { adapt(*vae, options); }, {"adapters[0].to", "\"encodr.*\"", "encoder."});
}

Dataset three_kinds(std::int64_t count) {
  seed(5);
  const at::Tensor labels = at::arange(count).remainder(3);
  const at::Tensor images = (at::rand({count, 1, 8, 8}) + labels.view({-1, 1, 1, 1}) / 3) / 2;
  Fields fields;
  fields.set("input", images);
  fields.set("target", labels);
  return Dataset::from_tensors(std::move(fields));
}

class TrainedAdapters : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainedAdapters, LeaveTheBaseAsItWasToTheBit) {
  const auto cnn = small_cnn(5, {{"batch_norm", true}, {"dropout", 0.1}});
  AdaptOptions options = lora_options();
  options.adapters = {{.adapter = {GetParam()}}};
  const auto adapted = adapt(*cnn, options);
  const Weights before = copied(*adapted.model);
  Trainer trainer(
      {.epochs = 2, .batch_size = 16, .optimizer = {"adamw", {{"lr", 0.01}, {"weight_decay", 0.1}}}, .device = "cpu"});
  trainer.fit(adapted.model, make<objectives::CrossEntropy>(), three_kinds(48), adapted.tuning);
  for (const auto& [name, tensor] : state(*adapted.model)) {
    const std::string group = group_of(*adapted.model, name);
    EXPECT_EQ(at::equal(tensor, before.at(name)), !is_head(group) && !is_adapter(group)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, TrainedAdapters, ::testing::Values("lora", "ia3", "bottleneck"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace vaetl::testing::transfer_adapters_test
