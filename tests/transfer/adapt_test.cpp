#include <gtest/gtest.h>

#include <ATen/ops/_upsample_bilinear2d_aa.h>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "transfer/fixture.hpp"
#include "vaetl/core/batch.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::testing::adapt_test {
namespace {

using Names = std::vector<std::string>;

TEST(Adapt, OptionsAreDescribed) {
  expect_fields_cover<Head>();
  expect_fields_cover<AdaptOptions>();
}

TEST(Adapt, AVaesEncoderReachesTheClassifierBitForBit) {
  const auto vae = small_vae();
  const auto adapted = adapt(*vae, {.heads = {{.classes = 10}}, .freeze = {"backbone"}});
  const Weights from = state(*vae), to = state(*adapted.model);
  const Names encoder = {"encoder.0.conv.bias",   "encoder.0.conv.weight", "encoder.1.conv.bias",
                         "encoder.1.conv.weight", "encoder.2.dense.bias",  "encoder.2.dense.weight"};
  EXPECT_EQ(names(adapted.report.weights.loaded), encoder);
  for (const auto& name : encoder) EXPECT_TRUE(at::equal(from.at(name), to.at(name))) << name;
  EXPECT_EQ(names(adapted.report.weights.initialised), (Names{"head.bias", "head.weight"}));
  EXPECT_EQ(adapted.report.weights.unused.size(), from.size() - encoder.size());
  for (const auto& name : names(adapted.report.weights.unused)) {
    EXPECT_TRUE(name.starts_with("latent.") || name.starts_with("decoder.")) << name;
  }
  EXPECT_EQ(dynamic_cast<Classifier&>(*adapted.model).classes(), 10);
  EXPECT_EQ(adapted.model->preprocess(), vae->preprocess());
}

TEST(Adapt, TheSourceStaysAsItIs) {
  const auto vae = small_vae();
  const Weights before = copied(*vae);
  const auto adapted = adapt(*vae, {.heads = {{.classes = 10}}});
  {
    const at::NoGradGuard no_grad;
    for (auto& parameter : adapted.model->parameters()) parameter.add_(1);
  }
  for (const auto& [name, tensor] : state(*vae)) EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
}

TEST(Adapt, WithoutHeadsTheDescriptionStays) {
  const auto vae = small_vae();
  const auto adapted = adapt(*vae, {});
  EXPECT_EQ(adapted.model->spec().name, "conv_vae");
  EXPECT_EQ(adapted.model->spec().options, vae->spec().options);
  EXPECT_TRUE(adapted.report.weights.complete());
  EXPECT_TRUE(adapted.tuning.empty());
}

TEST(Adapt, FreezingIsReadBeforeTuningAndCounts) {
  const auto vae = small_vae();
  const TuningRule last{.groups = "encoder.2", .lr_scale = 0.1};
  const auto adapted = adapt(*vae, {.heads = {{.classes = 3}}, .freeze = {"backbone"}, .tuning = {last}});
  EXPECT_EQ(adapted.report.frozen, (Names{"encoder.0", "encoder.1"}));
  EXPECT_EQ(adapted.report.trained, (Names{"encoder.2", "head"}));
  ASSERT_EQ(adapted.tuning.size(), 2u);
  EXPECT_FALSE(adapted.tuning[0].train);
  const auto now = evaluate_tuning(adapted.tuning, *adapted.model, 0);
  EXPECT_EQ(now.at("encoder.2"), (GroupTuning{true, 0.1, 1.0}));
  EXPECT_EQ(now.at("head"), GroupTuning{});
}

TEST(Adapt, APatternThatMeansNothingNamesTheNearestGroups) {
  const auto vae = small_vae();
  const auto head = std::vector<Head>{{.classes = 3}};
  expect_error<ConfigError>(
      [&] {
        adapt(*vae, {.heads = head, .freeze = {"head", "backbones"}});
      },
      {"transfer.freeze[1]", "\"backbones\"", "did you mean \"backbone\"?"});
  expect_error<ConfigError>([&] { adapt(*vae, {.heads = head, .tuning = {{.groups = "encodr.1"}}}); },
                            {"transfer.tuning[0].groups", "did you mean \"encoder.1\"?"});
  expect_error<ConfigError>([&] { adapt(*vae, {.heads = head, .freeze = {"latent"}}); }, {"transfer.freeze[0]"});
}

TEST(Adapt, HeadsHaveLimits) {
  const auto vae = small_vae();
  expect_error<ConfigError>(
      [&] {
        adapt(*vae, {.heads = {{.classes = 3}, {.classes = 4}}});
      },
      {"transfer.heads: expected one head at most, found 2"});
  expect_error<ConfigError>([&] { adapt(*vae, {.heads = {{.classes = 1}}}); },
                            {"transfer.heads[0].classes: expected at least 2, found 1"});
  expect_error<ConfigError>(
      [&] {
        adapt(*vae, {.model = {{"classes", 5}}, .heads = {{.classes = 3}}});
      },
      {"transfer.heads[0].classes", "3 classes", "found 5", "leave the classes out"});
}

TEST(Adapt, ChangesOfTheDescriptionAreChecked) {
  const auto vae = small_vae();
  expect_error<ConfigError>(
      [&] {
        adapt(*vae, {.model = {{"latnt", 3}}});
      },
      {"transfer.model", "latnt", "did you mean \"latent\"?"});
  expect_error<ConfigError>([&] { adapt(*vae, {.model = {{"name", "cn"}}}); }, {"transfer.model", "did you mean"});
  expect_error<ConfigError>([&] { adapt(*vae, {.model = Json::array({1})}); }, {"transfer.model", "an array"});
  expect_error<ConfigError>([&] { adapt(*vae, {.model = {{"name", 3}}}); }, {"transfer.model.name", "a string"});
}

TEST(Adapt, ANewHeadOfTheSameSizeIsStillFresh) {
  const auto cnn = small_cnn(3);
  seed(99);
  const auto adapted = adapt(*cnn, {.heads = {{.classes = 3}}});
  EXPECT_FALSE(at::equal(state(*cnn).at("head.weight"), state(*adapted.model).at("head.weight")));
  EXPECT_EQ(names(adapted.report.weights.initialised), (Names{"head.bias", "head.weight"}));
  EXPECT_EQ(names(adapted.report.weights.unused), (Names{"head.bias", "head.weight"}));
  const auto kept = adapt(*cnn, {.heads = {{.classes = 3}}, .load = {{.from = "head.*", .to = "head.*"}}});
  EXPECT_TRUE(at::equal(state(*cnn).at("head.weight"), state(*kept.model).at("head.weight")));
}

TEST(Adapt, AnotherNumberOfClassesNeedsARuleOrAHead) {
  const auto cnn = small_cnn(3);
  expect_error<FileError>([&] { adapt(*cnn, {.model = {{"classes", 5}}}); }, {"\"head.", "5", "3", "skip"});
  const LoadRule skip{.from = "head.*", .to = "head.*", .on_mismatch = "skip"};
  const auto adapted = adapt(*cnn, {.model = {{"classes", 5}}, .load = {skip}});
  EXPECT_EQ(names(adapted.report.weights.mismatched), (Names{"head.bias", "head.weight"}));
  EXPECT_EQ(adapt(*cnn, {.heads = {{.classes = 5}}}).report.weights.mismatched.size(), 0u);
}

TEST(Adapt, AColourEncoderTakesGreyImages) {
  const auto colour = small_cnn(3, {{"input", {3, 8, 8}}});
  const LoadRule sum{.from = "encoder.0.conv.weight", .to = "encoder.0.conv.weight", .on_mismatch = "sum_channels"};
  const auto adapted = adapt(*colour, {.model = {{"input", {1, 8, 8}}}, .load = {sum}});
  EXPECT_EQ(names(adapted.report.weights.reshaped), (Names{"encoder.0.conv.weight"}));

  // A grey image is three equal channels: what the models make of it may differ by the rounding of 27 products, whose
  // sums stay below 10.
  seed(5);
  const at::Tensor grey = at::rand({4, 1, 8, 8});
  Fields one, three;
  one.set("input", grey);
  three.set("input", grey.expand({4, 3, 8, 8}).contiguous());
  const auto logits = [](Model& model, const Fields& fields) {
    auto& classifier = dynamic_cast<Classifier&>(model);
    return classifier.classify(classifier.encode(fields));
  };
  adapted.model->eval();
  colour->eval();
  EXPECT_TRUE(at::allclose(logits(*adapted.model, one), logits(*colour, three), 0, 27 * 10 * 1.2e-7));
}

TEST(Adapt, RulesRenameAndAreChecked) {
  const auto cnn = small_cnn(3);
  Weights foreign;
  for (const auto& [name, tensor] : copied(*cnn)) foreign["module." + name] = tensor;
  const LoadRule strip{.from = "module.*", .to = "*"};
  const auto adapted = adapt(cnn->spec(), foreign, {}, {.load = {strip}});
  EXPECT_EQ(adapted.report.weights.loaded.size(), foreign.size());
  EXPECT_TRUE(at::equal(state(*adapted.model).at("head.weight"), state(*cnn).at("head.weight")));
  expect_error<ConfigError>(
      [&] {
        adapt(cnn->spec(), foreign, {}, {.load = {strip, {.from = "modul.*"}}});
      },
      {"transfer.load[1].from", "\"modul.*\"", "did you mean"});
  expect_error<ConfigError>([&] { adapt(cnn->spec(), foreign, {}, {.load = {{.from = "m?dule.*"}}}); },
                            {"transfer.load[0].from"});
  expect_error<ConfigError>(
      [&] { adapt(cnn->spec(), foreign, {}, {.load = {{.from = "module.*", .to = "encoders.*"}}}); },
      {"transfer.load[0].to: expected a name, or a pattern of names, of \"cnn\", found \"encoders.*\"", "encoder.0"});
}

TEST(Adapt, ACheckpointOfAnotherModelIsRefused) {
  const auto cnn = small_cnn(3);
  const Weights foreign{{"blocks.0.attention.weight", at::zeros({2, 2})}, {"tokens.weight", at::zeros({2})}};
  expect_error<FileError>([&] { adapt(cnn->spec(), foreign, {}, {}); },
                          {"weights that fit cnn (encoder.0.conv.bias, encoder.0.conv.weight, encoder.1.conv.bias, …)",
                           "a checkpoint of another model (blocks.0.attention.weight, tokens.weight)"});
  expect_error<FileError>([&] { adapt(cnn->spec(), Weights{}, {}, {}); }, {"found no tensor at all"});
}

TEST(Adapt, AnotherArchitectureTakesNoOptionsOfTheSource) {
  const auto vae = small_vae();
  const Json mlp{{"name", "mlp"}, {"input", {1, 8, 8}}, {"widths", {16}}};
  EXPECT_EQ(describe_target(*vae, {.model = mlp, .heads = {{.classes = 4}}}).options.at("classes"), 4);
  expect_error<FileError>([&] { adapt(*vae, {.model = mlp, .heads = {{.classes = 4}}}); }, {"another model"});
  const Json cnn{{"name", "cnn"}, {"dropout", 0.25}};
  const auto adapted = adapt(*vae, {.model = cnn, .heads = {{.classes = 4}}});
  EXPECT_EQ(adapted.model->spec().options.at("dropout"), 0.25);
  EXPECT_EQ(adapted.report.weights.loaded.size(), 6u);
}

TEST(Adapt, NullRestoresADefault) {
  const auto cnn = small_cnn(3, {{"dropout", 0.5}});
  EXPECT_EQ(describe_target(*cnn, {.model = {{"dropout", nullptr}}}).options.at("dropout"), 0.0);
  EXPECT_EQ(describe_target(*cnn, {}).options.at("dropout"), 0.5);
}

TEST(Adapt, AFilesHeadIsFreshAsAModelsIs) {
  const auto cnn = small_cnn(3);
  const auto adapted = adapt(cnn->spec(), copied(*cnn), {}, {.heads = {{.classes = 7}}});
  EXPECT_EQ(names(adapted.report.weights.initialised), (Names{"head.bias", "head.weight"}));
  EXPECT_EQ(dynamic_cast<Classifier&>(*adapted.model).classes(), 7);
}

TEST(Adapt, APrefixIsPutBeforeAllNames) {
  const auto cnn = small_cnn(3);
  Weights bare;  // an encoder that was saved alone
  for (const auto& [name, tensor] : copied(*cnn)) {
    if (name.starts_with("encoder.")) bare[name.substr(8)] = tensor;
  }
  const auto adapted = adapt(cnn->spec(), bare, {}, {.load = {{.from = "*", .to = "encoder.*"}}});
  EXPECT_EQ(adapted.report.weights.loaded.size(), 6u);
  EXPECT_EQ(adapted.report.matched, 1);
}

// Names in the order of their definition say nothing of the model's.
TEST(Adapt, WeightsOfOtherNamesArePairedByOrder) {
  const auto cnn = small_cnn(3);
  Weights foreign;
  Names order;
  for (const auto& name : names_in_order(*cnn)) {
    order.push_back(fmt::format("features.{}.{}", order.size() / 2, name.ends_with("bias") ? "bias" : "weight"));
    foreign[order.back()] = state(*cnn).at(name).detach().clone();
  }
  const auto adapted = adapt(cnn->spec(), foreign, {}, {.match = "order"}, order);
  for (const auto& [name, tensor] : state(*cnn)) EXPECT_TRUE(at::equal(tensor, state(*adapted.model).at(name))) << name;
  EXPECT_NE(adapted.report.text.find("; paired by order and shape, not by name"), std::string::npos);
  const auto headless = adapt(cnn->spec(), foreign, {}, {.heads = {{.classes = 5}}, .match = "order"}, order);
  EXPECT_EQ(names(headless.report.weights.initialised), (Names{"head.bias", "head.weight"}));
  expect_error<ConfigError>([&] { adapt(cnn->spec(), foreign, {}, {.match = "order"}); },
                            {"match: expected weights that keep the order"});
  const auto own = adapt(*cnn, {.match = "order"});
  EXPECT_TRUE(own.report.weights.complete());
}

TEST(Adapt, StrictNamesWhatNobodyAskedFor) {
  const auto vae = small_vae();
  const std::vector<Head> head = {{.classes = 3}};
  EXPECT_EQ(adapt(*vae, {.heads = head, .strict = true}).report.matched, 1) << "a classifier has no decoder";
  Weights more = copied(*vae);
  more["encoder.0.norm.bias"] = at::zeros({4});
  expect_error<FileError>(
      [&] { adapt(vae->spec(), more, {}, {.heads = head, .strict = true}); },
      {"transfer.strict: expected the target's weights and nothing else, found encoder.0.norm.bias besides; drop or"});
  const std::vector<LoadRule> drop = {{.from = "*.norm.*", .to = ""}};
  EXPECT_EQ(adapt(vae->spec(), more, {}, {.heads = head, .load = drop, .strict = true}).report.matched, 1);
  Weights less = copied(*vae);
  less.erase("encoder.1.conv.bias");
  expect_error<FileError>([&] { adapt(vae->spec(), less, {}, {.strict = true}); },
                          {"found no encoder.1.conv.bias; drop or map"});
}

TEST(Adapt, TooLittleOfTheBackboneIsRefused) {
  const auto cnn = small_cnn(3);
  Weights few;
  for (const char* name : {"encoder.0.conv.weight", "encoder.0.conv.bias"}) few[name] = state(*cnn).at(name);
  expect_error<FileError>([&] { adapt(cnn->spec(), few, {}, {}); },
                          {"transfer.at_least: expected 25 % of the backbone's values from the source, found 4.63 %, "
                           "without encoder.1.conv.weight, encoder.1.conv.bias, encoder.2.dense.weight, …; map names"});
  EXPECT_NEAR(adapt(cnn->spec(), few, {}, {.at_least = 0.04}).report.matched, 40.0 / 864, 1e-12);
}

TEST(Adapt, FreshWeightsAreSourcesArchitectureAlone) {
  const auto vae = small_vae();
  const auto adapted = adapt(*vae, {.heads = {{.classes = 3}}, .weights = false});
  EXPECT_TRUE(adapted.report.weights.loaded.empty());
  EXPECT_FALSE(at::equal(state(*adapted.model).at("encoder.0.conv.weight"), state(*vae).at("encoder.0.conv.weight")));
  EXPECT_TRUE(adapted.model->preprocess().is_null());
}

// 8 × 8 pictures become 12 × 12, so 8 maps of 2 × 2 become 3 × 3.
TEST(Adapt, AnotherSizeOfPictureResizesTheDenseLayer) {
  const auto cnn = small_cnn(3);
  const Json wider{{"input", {1, 12, 12}}};
  expect_error<FileError>([&] { adapt(*cnn, {.model = wider}); },
                          {"weights \"encoder.2.dense.weight\": expected shape (16, 72), found shape (16, 32)",
                           "fit it by the rule", "\"on_mismatch\":\"resize\""});
  const LoadRule resize{.from = "encoder.2.dense.weight", .to = "encoder.2.dense.weight", .on_mismatch = "resize"};
  const auto adapted = adapt(*cnn, {.model = wider, .load = {resize}});
  ASSERT_EQ(adapted.report.weights.reshaped.size(), 1u);
  EXPECT_EQ(adapted.report.weights.reshaped[0].note, "weights for maps of 8 × 2 × 2 resized to 8 × 3 × 3");
  const auto as_many = small_cnn(3, {{"channels", {4, 16}}});  // 16 · 2 · 2 = 8 · 8
  EXPECT_EQ(adapt(*as_many, {.model = wider, .load = {resize}}).report.weights.reshaped[0].note,
            "weights for maps of 16 × 2 × 2 resized to 16 × 3 × 3");
}

// A dense network on pictures of 8 × 8 sees those of 12 × 12 as if they had been made smaller.
TEST(Adapt, ADenseNetworkSeesLargerPictures) {
  const auto mlp = make_model("mlp", {{"input", {1, 8, 8}}, {"widths", {6}}, {"classes", 3}});
  const auto adapted = adapt(*mlp, {.model = {{"input", {1, 12, 12}}},
                                    .load = {{.from = "encoder.0.*", .to = "encoder.0.*", .on_mismatch = "resize"}}});
  seed(5);
  const at::Tensor x = at::rand({4, 1, 12, 12});
  const auto features = [](Model& model, const at::Tensor& input) {
    model.eval();
    Fields fields;
    fields.set("input", input);
    return dynamic_cast<Encoder&>(model).encode(fields);
  };
  EXPECT_TRUE(at::allclose(features(*adapted.model, x), features(*mlp, at::_upsample_bilinear2d_aa(x, {8, 8}, false)),
                           0, 144 * 1.2e-7));
}

TEST(Adapt, HeadRowsOfTheClassesInCommon) {
  const auto cnn = small_cnn(3);
  const LoadRule rows{.from = "head.*",
                      .to = "head.*",
                      .on_mismatch = "rows",
                      .names = RowNames{{"cat", "dog", "ship"}, {"bird", "ship", "cat", "frog"}}};
  const auto adapted = adapt(*cnn, {.heads = {{.classes = 4}}, .load = {rows}});
  const at::Tensor from = state(*cnn).at("head.weight"), to = state(*adapted.model).at("head.weight");
  EXPECT_TRUE(at::equal(to[1], from[2]));
  EXPECT_TRUE(at::equal(to[2], from[0]));
  EXPECT_NE(adapted.report.text.find("2 of 4 rows by name (ship, cat), the others fresh"), std::string::npos);
}

TEST(Adapt, TheJsonTellsOfEveryTensor) {
  const auto adapted = adapt(*small_vae(), {.heads = {{.classes = 10}}, .freeze = {"backbone"}});
  const Json& json = adapted.report.json;
  EXPECT_EQ(json.at("matched"), 1.0);
  EXPECT_EQ(json.at("tensors"), (Json{{"all", 8}, {"loaded", 6}}));
  EXPECT_EQ(json.at("values"), (Json{{"all", 1034}, {"loaded", 864}}));
  EXPECT_EQ(json.at("groups").at(0),
            (Json{{"name", "encoder.0"}, {"tensors", 2}, {"values", 40}, {"loaded", 40}, {"trained", false}}));
  EXPECT_EQ(json.at("target").at(0), (Json{{"name", "encoder.0.conv.weight"},
                                           {"group", "encoder.0"},
                                           {"outcome", "loaded"},
                                           {"values", 36},
                                           {"loaded", 36},
                                           {"trained", false},
                                           {"from", "encoder.0.conv.weight"}}));
  EXPECT_EQ(json.at("target").back().at("why"), "a new head");
  EXPECT_EQ(json.at("target").back().at("trained"), true);
  EXPECT_EQ(json.at("unused").size(), 12u);
  EXPECT_EQ(json.at("unused").at(0),
            (Json{{"name", "decoder.0.dense.bias"}, {"values", 16}, {"why", "not in the target"}}));
}

TEST(Adapt, PreprocessingThatDoesNotFitIsNotCarriedOver) {
  const auto colour = small_cnn(3, {{"input", {3, 8, 8}}});
  const Json standardise{{"name", "standardise"}, {"mean", {1, 2, 3}}, {"std", {1, 1, 1}}};
  colour->set_preprocess(Json::array({standardise}));
  const LoadRule sum{.from = "encoder.0.conv.weight", .to = "encoder.0.conv.weight", .on_mismatch = "sum_channels"};
  const auto grey = adapt(*colour, {.model = {{"input", {1, 8, 8}}}, .load = {sum}});
  EXPECT_TRUE(grey.model->preprocess().is_null());
  EXPECT_NE(grey.report.text.find("the source's does not fit this input, fitted anew"), std::string::npos);
  EXPECT_EQ(adapt(*colour, {}).model->preprocess(), colour->preprocess());
}

}  // namespace
}  // namespace vaetl::testing::adapt_test
