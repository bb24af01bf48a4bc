// Sequences by recipes alone: what a description leaves to the data, texts that are trained on, written and scored.
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/recipe/data_cache.hpp"
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
  // The run's own recipe, with every default written out, makes the same weights.
  const fs::path run = fs::path(folder.path()) / "run", second = fs::path(folder.path()) / "second";
  recipe::run(recipe::parse(read_json((run / "recipe.json").string())), {.out = second, .device = "cpu"});
  EXPECT_EQ(read_file(second / "model/model.safetensors"), read_file(run / "model/model.safetensors"));
}

// Weights that know words by their ids classify lines whose own words, by their own counts, would have other ids.
TEST(SequenceRecipe, ALanguageModelClassifiesLines) {
  const TemporaryFolder folder;
  const fs::path base = folder.path();
  std::string text, lines;
  for (int i = 0; i < 40; ++i) text += i % 2 == 0 ? "how many cats are there ? " : "who saw the cats there ? ";
  for (int i = 0; i < 20; ++i) lines += i % 2 == 0 ? "number\tmany many cats saw\n" : "person\twho who cats saw\n";
  write_atomically(base / "text.txt", text);
  write_atomically(base / "lines.tsv", lines);
  const Json trainer{{"steps", 30}, {"batch_size", 8}, {"optimizer", {{"name", "adam"}, {"lr", 0.02}}}};
  const Json language{
      {"name", "language"},
      {"data",
       {{"open", {{"name", "text"}, {"path", (base / "text.txt").string()}, {"by", "word"}, {"window", 6}}},
        {"order", "lanes"}}},
      {"model", {{"name", "lstm"}, {"embedding", 8}, {"hidden", 8}, {"pool", "mean"}, {"per_step", true}}},
      {"objective", "language_model"},
      {"trainer", trainer}};
  const auto source = run_in(base, language);
  const Json classes{
      {"name", "classes"},
      {"data", {{"open", {{"name", "lines"}, {"path", (base / "lines.tsv").string()}, {"test_share", 0.2}}}}},
      {"transfer", {{"from", (base / "run").string()}, {"heads", Json::array({{{"classes", 2}}})}}},
      {"objective", "cross_entropy"},
      {"trainer", trainer},
      {"evaluate", {"accuracy"}}};
  const auto target = recipe::run(recipe::parse(classes), {.out = base / "target", .device = "cpu"});
  EXPECT_EQ(target.summary["metrics"]["accuracy"], 1.0);
  const auto reader_of = [](const Model& model) { return Preprocess::from_json(model.preprocess()).reader(); };
  const Json known = reader_of(*source.model), now = reader_of(*target.model);
  EXPECT_EQ(now["vocabulary"], known["vocabulary"]);
  // Further files are read as lines of the new classes.
  EXPECT_EQ(now["name"], "lines");
  EXPECT_EQ(now["classes"], Json::array({"number", "person"}));
  const Pretrained again = zoo::load((base / "target").string());
  EXPECT_EQ(reader_of(*again.model), now);
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

// A program's own model that labels every step, and has no option to say so.
class StepLabeller final : public Model, public SequenceModel {
 public:
  static constexpr std::string_view name = "step_labeller";
  struct Options {
    std::vector<std::int64_t> input = {4, 3};
    std::int64_t classes = 0, outputs = 0;
    static constexpr auto fields() {
      return std::tuple{field("input", &Options::input, "(T, F)"), field("classes", &Options::classes, "of a step"),
                        field("outputs", &Options::outputs, "values of a step")};
    }
  };
  explicit StepLabeller(const Options& o) : Model(vaetl::spec<StepLabeller>(o)), options_(o) {
    head_ = register_module("head", std::make_shared<nn::Linear>(o.input.at(1), o.classes + o.outputs));
  }
  std::vector<LayerGroup> layer_groups() const override { return {{"head", {"head"}}}; }
  Signature signature() const override { return {{{"input", {options_.input, at::kFloat, 0, 1}}}}; }
  at::Tensor unroll(const Fields& fields, std::vector<at::Tensor>&) override { return head_->forward(fields.input()); }
  std::int64_t step_outputs() const override { return options_.classes + options_.outputs; }

 private:
  Options options_;
  std::shared_ptr<nn::Linear> head_;
};

// What leaves a description to its targets is asked of the model, not of its options' names.
TEST(SequenceRecipe, TargetsOfStepsDescribeWhatPutsOutSteps) {
  registry<Model>().add<StepLabeller>();
  const auto described = [](const ModelSpec& model, const at::Tensor& target, const std::string& objective) {
    Fields fields;
    fields.set("input", at::rand({6, 4, 3}));
    fields.set("target", target);
    DatasetInfo info{.name = "steps"};
    if (!target.is_floating_point()) info.fields["target"] = {{4}, at::kLong, 0, 4};
    const Dataset data = Dataset::from_tensors(fields, info);
    auto cache = std::make_shared<recipe::DataCache>();
    cache->put("steps", {data, data.select(at::empty({0}, at::kLong)), data});
    const Json json = {{"name", "steps"},
                       {"data", {{"open", "steps"}}},
                       {"model", Codec<ModelSpec>::write(model)},
                       {"objective", objective},
                       {"trainer", {{"steps", 1}, {"batch_size", 3}}}};
    const auto outcome = recipe::run(recipe::parse(json), {.device = "cpu", .data = cache});
    const Json& options = outcome.model->spec().options;
    return std::pair(options["classes"].get<int>(), options["outputs"].get<int>());
  };
  using Counts = std::pair<int, int>;
  const at::Tensor labels = at::arange(24, at::kLong).remainder(5).view({6, 4}), values = at::rand({6, 4, 2});
  for (const ModelSpec& model :
       {ModelSpec{"step_labeller", Json::object()}, ModelSpec{"lstm", {{"hidden", 4}, {"per_step", true}}}}) {
    EXPECT_EQ(described(model, labels, "per_step"), (Counts{5, 0})) << model.name;
    EXPECT_EQ(described(model, values, "per_step"), (Counts{0, 2})) << model.name;
  }
  // A forecaster's are values of the whole.
  EXPECT_EQ(described({"lstm", {{"hidden", 4}}}, values.flatten(1), "squared_error"), (Counts{0, 8}));
}

}  // namespace
}  // namespace vaetl::testing::recipe_sequence_test
