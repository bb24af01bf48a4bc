// Sequences by recipes alone: what a description leaves to the data, texts that are trained on, written and scored.
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/recipe/generate.hpp"
#include "vaetl/recipe/generate_text.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::testing::recipe_sequence_test {
namespace {

namespace fs = std::filesystem;

recipe::Outcome run_in(const fs::path& folder, const Json& json) {
  return recipe::run(recipe::parse(json), {.out = folder / "run", .device = "cpu"});
}

TEST(SequenceRecipe, ALanguageModelIsDescribedByItsText) {
  const TemporaryFolder folder;
  const fs::path file = fs::path(folder.path()) / "text.txt";
  std::string text;
  for (int i = 0; i < 60; ++i) text += "the cat sat on the mat.\n";
  write_atomically(file, text);
  const Json json = {{"name", "cat"},
                     {"data",
                      {{"open", {{"name", "text"}, {"path", file.string()}, {"window", 12}, {"test_share", 0.2}}},
                       {"order", "lanes"}}},
                     {"model", {{"name", "lstm"}, {"embedding", 8}, {"hidden", 24}, {"per_step", true}}},
                     {"objective", "language_model"},
                     {"trainer", {{"epochs", 25}, {"batch_size", 8}, {"optimizer", {{"name", "adam"}, {"lr", 0.02}}}}},
                     {"evaluate", {"nats_per_token"}}};
  const auto outcome = run_in(folder.path(), json);
  // "acehmnost .\n" are 12 characters; padding and the unknown one come before them.
  const Json& options = outcome.model->spec().options;
  EXPECT_EQ(options["vocabulary"], 14) << options;
  EXPECT_EQ(options["classes"], 14);
  EXPECT_EQ(options["outputs"], 0);
  EXPECT_LT(outcome.summary["metrics"]["nats_per_token"].get<double>(), 0.3);
  EXPECT_EQ(recipe::generate_text(*outcome.model, {.prompt = "the cat", .tokens = 17, .temperature = 0}).front(),
            "the cat sat on the mat.\n");
  const Pretrained again = zoo::load((fs::path(folder.path()) / "run").string());
  EXPECT_EQ(recipe::generate_text(*again.model, {.prompt = "the c", .tokens = 30, .seed = 2}),
            recipe::generate_text(*outcome.model, {.prompt = "the c", .tokens = 30, .seed = 2}));
}

TEST(SequenceRecipe, AVaeOfLinesWritesLines) {
  const TemporaryFolder folder;
  const fs::path file = fs::path(folder.path()) / "lines.tsv";
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += i % 2 ? "a\tred cat runs\n" : "b\tblue dog sleeps well\n";
  write_atomically(file, lines);
  const Json json = {
      {"name", "lines"},
      {"data", {{"open", {{"name", "lines"}, {"path", file.string()}, {"test_share", 0.2}}}, {"labels", false}}},
      {"model", {{"name", "sequence_vae"}, {"embedding", 8}, {"hidden", 16}, {"latent", 2}, {"word_dropout", 0.3}}},
      {"objective", {{"name", "elbo"}, {"beta", 0.2}}},
      {"trainer", {{"epochs", 40}, {"batch_size", 16}, {"optimizer", {{"name", "adam"}, {"lr", 0.02}}}}},
      {"evaluate", {"elbo"}}};
  const auto outcome = run_in(folder.path(), json);
  EXPECT_EQ(outcome.model->spec().options["vocabulary"], 9);
  EXPECT_EQ(outcome.model->spec().options["input"], Json::array({4}));
  EXPECT_GT(outcome.summary["metrics"]["elbo"].get<double>(), -6);  // an untrained one has about −10
  const auto made = recipe::generate(*outcome.model, {.count = 16}).values;
  for (const std::string& text : recipe::texts_of(*outcome.model, made)) {
    EXPECT_TRUE(text == "red cat runs" || text == "blue dog sleeps well") << text;
  }
}

}  // namespace
}  // namespace vaetl::testing::recipe_sequence_test
