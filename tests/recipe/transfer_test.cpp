#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/recipe/prepare.hpp"
#include "vaetl/recipe/source.hpp"

namespace vaetl::recipe {
namespace {

using testing::expect_error;

namespace fs = std::filesystem;

// A folder with the run "vae", whose encoder the others start from.
class Transfer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    run(parse(testing::toy_vae_recipe()), settings(fs::path(folder_->path()) / "vae"));
  }
  static void TearDownTestSuite() { delete std::exchange(folder_, nullptr); }

  static RunSettings settings(const fs::path& out = {}) {
    return {.out = out, .device = "cpu", .data = testing::toy_cache()};
  }
  static std::string source() { return folder_->path() + "/vae"; }
  static std::string weights_file() { return source() + "/model/model.safetensors"; }

  // The toy classifier with the transfer section given; its own model where `model` says so.
  static Recipe recipe(const Json& transfer, bool model) {
    Json json = testing::toy_recipe();
    if (!model) json.erase("model");
    json["transfer"] = transfer;
    return parse(json);
  }

  static testing::TemporaryFolder* folder_;
};

testing::TemporaryFolder* Transfer::folder_ = nullptr;

at::Tensor encoder_weight(const Model& model) { return state(model).at("encoder.0.dense.weight"); }

TEST_F(Transfer, TheSourceDescribesItself) {
  const Prepared prepared =
      prepare(recipe({{"from", source()}, {"heads", {{{"classes", 4}}}}, {"freeze", {"backbone"}}}, false), settings());
  EXPECT_EQ(prepared.model->spec().name, "mlp");
  EXPECT_TRUE(at::equal(encoder_weight(*prepared.model),
                        read_safetensors(weights_file()).tensors.at("encoder.0.dense.weight")));
  EXPECT_FALSE(prepared.model->preprocess().is_null());
  ASSERT_TRUE(prepared.report);
  EXPECT_EQ(prepared.report->frozen, (std::vector<std::string>{"encoder.0"}));
  EXPECT_EQ(prepared.from_sha256.size(), 64u);
}

TEST_F(Transfer, WeightsGoIntoTheDescribedModel) {
  const Prepared prepared = prepare(recipe({{"from", source()}}, true), settings());
  EXPECT_TRUE(at::equal(encoder_weight(*prepared.model),
                        read_safetensors(weights_file()).tensors.at("encoder.0.dense.weight")));
  ASSERT_TRUE(prepared.report);
  EXPECT_EQ(prepared.report->weights.initialised.size(), 2u);  // the head
}

TEST_F(Transfer, FromNoneIsTheSameRecipeAfresh) {
  const Prepared scratch = prepare(recipe({{"from", "none"}, {"freeze", {"backbone"}}}, true), settings());
  const Prepared loaded = prepare(recipe({{"from", source()}, {"freeze", {"backbone"}}}, true), settings());
  EXPECT_FALSE(at::equal(encoder_weight(*scratch.model), encoder_weight(*loaded.model)));
  EXPECT_TRUE(at::equal(state(*scratch.model).at("head.weight"), state(*loaded.model).at("head.weight")));
  EXPECT_FALSE(evaluate_tuning(scratch.tuning, *scratch.model, 0).at("encoder.0").train);
  EXPECT_FALSE(scratch.report);
}

TEST_F(Transfer, AFrozenEncoderStandsStill) {
  const Json transfer{{"from", source()}, {"freeze", {"backbone"}}};
  const Outcome outcome = run(recipe(transfer, true), settings());
  EXPECT_TRUE(
      at::equal(encoder_weight(*outcome.model), read_safetensors(weights_file()).tensors.at("encoder.0.dense.weight")));
  EXPECT_EQ(outcome.summary["transfer"]["from"], source());
  EXPECT_NE(outcome.summary["transfer"]["report"].get<std::string>().find("frozen"), std::string::npos);
  const Json groups = outcome.summary["model"]["groups"];
  EXPECT_EQ(groups[0]["trained"], false);
  EXPECT_EQ(groups.back()["trained"], true);
}

// First the source grows, then it is adapted: a classifier of a wider encoder that computes what the source's did.
TEST_F(Transfer, ASourceGrowsBeforeItIsAdapted) {
  const Json given{{"from", source()}, {"grow", {{"model", {{"widths", {40}}}}}}, {"heads", {{{"classes", 4}}}}};
  const Prepared prepared = prepare(recipe(given, false), settings());
  const at::Tensor wide = encoder_weight(*prepared.model),
                   before = read_safetensors(weights_file()).tensors.at("encoder.0.dense.weight");
  ASSERT_EQ(wide.size(0), 40);
  EXPECT_TRUE(at::equal(wide.slice(0, 0, before.size(0)), before));
  ASSERT_TRUE(prepared.report);
  EXPECT_TRUE(prepared.report->text.starts_with("grown: ")) << prepared.report->text;
  EXPECT_TRUE(prepared.report->json["grown"]["wider"].contains("encoder.0.dense"));
  EXPECT_TRUE(at::equal(encoder_weight(*prepare(recipe(given, false), settings()).model), wide));
  EXPECT_EQ(resolve(recipe(given, false))["transfer"]["grow"]["noise"], 0.1);
  Json described = testing::toy_vae_recipe()["model"];
  Json without = testing::toy_recipe();
  without["model"] = described;
  without["transfer"] = given;
  EXPECT_TRUE(at::equal(encoder_weight(*prepare(parse(without), settings()).model), wide));
  expect_error<ConfigError>(
      [&] {
        recipe({{"from", "none"}, {"grow", Json::object()}}, true);
      },
      {"transfer.grow", "a source that grows"});
}

// Rules of `load` are about the names in the file, which is read before what it holds grows.
TEST_F(Transfer, AFileOfAnotherProgramGrowsToo) {
  const std::string bare = folder_->path() + "/others.safetensors";
  Weights renamed;
  for (const auto& [name, tensor] : read_safetensors(weights_file()).tensors) renamed["net." + name] = tensor;
  write_safetensors(bare, renamed, {});
  Json json = testing::toy_recipe();
  json["model"] = testing::toy_vae_recipe()["model"];
  json["transfer"] = {{"from", bare},
                      {"load", {{{"from", "net.*"}, {"to", "*"}}}},
                      {"grow", {{"model", {{"widths", {40}}}}}},
                      {"heads", {{{"classes", 4}}}}};
  const Prepared prepared = prepare(parse(json), settings());
  EXPECT_EQ(encoder_weight(*prepared.model).size(0), 40);
  EXPECT_TRUE(at::equal(encoder_weight(*prepared.model).slice(0, 0, 8), renamed.at("net.encoder.0.dense.weight")));
}

TEST_F(Transfer, AWeightsFileOfOursOrAnothers) {
  const Prepared ours = prepare(recipe({{"from", weights_file()}, {"heads", {{{"classes", 4}}}}}, false), settings());
  EXPECT_EQ(ours.model->spec().name, "mlp");
  const std::string bare = folder_->path() + "/bare.safetensors";
  write_safetensors(bare, read_safetensors(weights_file()).tensors);
  EXPECT_FALSE(load_source(bare).model);
  const Prepared described = prepare(recipe({{"from", bare}}, true), settings());
  EXPECT_TRUE(at::equal(encoder_weight(*described.model), encoder_weight(*ours.model)));
  expect_error<ConfigError>(
      [&] {
        prepare(recipe({{"from", bare}}, false), settings());
      },
      {"transfer.from", "weights that carry a description", "section \"model\""});
}

TEST_F(Transfer, WhatIsWrongIsSaid) {
  expect_error<FileError>(
      [&] {
        prepare(recipe({{"from", "zoo:no-such-entry"}}, false), settings());
      },
      {"no-such-entry"});
  expect_error<ConfigError>(
      [&] {
        prepare(recipe({{"from", "none"}, {"freeze", {"encoder.7"}}}, true), settings());
      },
      {"transfer.freeze[0]", "encoder.7"});
  expect_error<ConfigError>(
      [&] {
        prepare(recipe({{"from", source()}, {"freeze", {"*"}}}, true), settings());
        run(recipe({{"from", source()}, {"freeze", {"*"}}}, true), settings());
      },
      {"every layer group is frozen"});
}

}  // namespace
}  // namespace vaetl::recipe
