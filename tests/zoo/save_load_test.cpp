#include "support/fields_cover.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::save_load_test {
namespace {

using ZooSave = ZooTest;
using Names = std::vector<std::string>;

at::Tensor logits(Model& model, const at::Tensor& raw) {
  const at::NoGradGuard no_grad;
  Fields fields;
  fields.set("input", raw.to(at::kFloat) / 255);
  auto& classifier = dynamic_cast<Classifier&>(model);
  return classifier.classify(classifier.encode(fields));
}

TEST(ZooCard, IsDescribed) {
  expect_fields_cover<zoo::WeightsCard>();
  expect_fields_cover<zoo::TestVector>();
  expect_fields_cover<zoo::Card>();
}

TEST_F(ZooSave, WhatIsLoadedComputesTheSame) {
  const auto model = small_classifier();
  const fs::path entry = zoo::save("shapes", *model, finished_run());
  EXPECT_EQ(entry, root() / "zoo/shapes");
  const Pretrained loaded = zoo::load("zoo:shapes");
  seed(3);
  const at::Tensor raw = at::randint(256, {5, 1, 8, 8}, at::kByte);
  // x / 255 and x · (1 / 255) differ in the last bit; 16 products of logits of order 1 follow.
  EXPECT_TRUE(at::allclose(loaded.predict(raw), logits(*model, raw), 0, 1e-5));
  for (const auto& [name, tensor] : state(*model))
    EXPECT_TRUE(at::equal(state(*loaded.model).at(name), tensor)) << name;
  EXPECT_FALSE(loaded.model->is_training());
  EXPECT_EQ(loaded.model->preprocess(), model->preprocess());
}

TEST_F(ZooSave, SavedAgainTheWeightsAreTheSameBytes) {
  const fs::path first = save_classifier("first");
  const Pretrained loaded = zoo::load("first");
  const fs::path second = zoo::save("second", *loaded.model, finished_run());
  EXPECT_EQ(read_file(first / "model.safetensors"), read_file(second / "model.safetensors"));
  EXPECT_EQ(sha256_file(second / "model.safetensors"), loaded.card.weights.sha256);
}

TEST_F(ZooSave, TheCardTellsWhatIsKnown) {
  const zoo::Card card = zoo::read_card(save_classifier());
  EXPECT_EQ(card.name, "shapes");
  EXPECT_EQ(card.summary, "Tells shapes apart.");
  EXPECT_EQ(card.data_licence, "MIT");
  EXPECT_EQ(card.classes, (Names{"disc", "box", "star"}));
  EXPECT_EQ(card.groups, (Names{"encoder.0", "encoder.1", "encoder.2", "head"}));
  EXPECT_EQ(card.capabilities, (Names{"Encoder", "Classifier"}));
  EXPECT_EQ(card.model.options.at("dropout"), 0.0) << "defaults are written out";
  EXPECT_EQ(card.metrics.at("accuracy").value, 0.875);
  EXPECT_EQ(card.training.at("steps"), 40);
  EXPECT_EQ(card.training.at("seed"), 7);
  ASSERT_TRUE(card.test_vector);
  EXPECT_EQ(card.test_vector->input.size(), 64u);
  EXPECT_EQ(card.test_vector->output.size(), 3u);
  EXPECT_EQ(card.test_vector->of, "logits");
}

TEST_F(ZooSave, AnEncodersVectorIsItsFeatures) {
  const auto vae = small_model("conv_vae", {{"latent", 5}});
  const zoo::Card card = zoo::read_card(zoo::save("vae", *vae, {}));
  ASSERT_TRUE(card.test_vector);
  EXPECT_EQ(card.test_vector->of, "features");
  EXPECT_EQ(card.test_vector->output.size(), 5u);
  EXPECT_EQ(zoo::load("vae").predict(at::zeros({2, 1, 8, 8}, at::kByte)).sizes(), (at::IntArrayRef{2, 5}));
  EXPECT_FALSE(fs::exists(root() / "zoo/vae/recipe.json")) << "no recipe made it";
}

TEST_F(ZooSave, OfALargeInputTheFirstValuesAreTold) {
  const fs::path entry = zoo::save("large", *small_model("cnn", {{"input", {3, 48, 48}}, {"classes", 3}}), {});
  const auto vector = *zoo::read_card(entry).test_vector;
  EXPECT_EQ(vector.shape, (std::vector<std::int64_t>{1, 3, 48, 48}));
  EXPECT_EQ(vector.input.size(), 4099u);
  EXPECT_TRUE(zoo::verify(entry).passed()) << zoo::verify(entry).text();
  const auto refused = [&](const std::function<void(Json&)>& edit) {
    edit_card(entry, edit);
    expect_error<FileError>([&] { zoo::load("large"); }, {"test_vector.input: expected values of shape"});
  };
  refused([](Json& card) { card["test_vector"]["input"].push_back(1); });
  refused([](Json& card) {
    card["test_vector"]["input"].erase(0);
    card["test_vector"]["shape"] = {1, 3, 1 << 14, 1 << 14};
  });
}

TEST_F(ZooSave, WhatChangesTheShapeStandsBeforeTheVector) {
  const auto model = small_classifier();
  const Json resize{{"name", "resize"}, {"size", {8, 8}}};
  model->set_preprocess(Json::array({resize, scale_to_unit()[0]}));
  const fs::path entry = zoo::save("resizing", *model, {});
  const zoo::Card card = zoo::read_card(entry);
  EXPECT_EQ(card.test_vector->stage, "preprocessed");
  EXPECT_EQ(card.test_vector->shape, (std::vector<std::int64_t>{1, 1, 8, 8}));
  EXPECT_EQ(zoo::load("resizing").predict(at::zeros({2, 1, 20, 9}, at::kByte)).sizes(), (at::IntArrayRef{2, 3}));
  edit_card(entry, [](Json& json) { json["test_vector"]["stage"] = "raw"; });
  EXPECT_NE(zoo::verify(entry).text().find("do not compute the same"), std::string::npos);
}

TEST_F(ZooSave, TheFilesAreForPeopleToo) {
  const fs::path entry = save_classifier();
  EXPECT_EQ(parse_json(read_file(entry / "recipe.json"), "recipe"), finished_run().recipe);
  const std::string page = read_file(entry / "README.md"), card = read_file(entry / "model.json");
  for (const char* part : {"# shapes\n\nTells shapes apart.\n", "| classes | disc, box, star |", "| accuracy | 0.875 |",
                           "| time | 1m15s |", "| data licence | MIT |", "vaetl::zoo::load(\"shapes\")"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part << "\n" << page;
  }
  std::istringstream lines(card);
  std::size_t count = 0, longest = 0;
  for (std::string line; std::getline(lines, line); ++count) longest = std::max(longest, line.size());
  EXPECT_LE(longest, 120u);
  EXPECT_LT(count, 200u) << "numbers stand side by side:\n" << card;
}

TEST_F(ZooSave, TheModelStaysAsItIs) {
  const auto model = small_classifier();
  model->train();
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : state(*model)) before[name] = tensor.detach().clone();
  zoo::save("shapes", *model, finished_run());
  EXPECT_TRUE(model->is_training());
  for (const auto& [name, tensor] : state(*model)) EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
}

TEST_F(ZooSave, AnEntryIsReplacedWhole) {
  const fs::path entry = save_classifier("shapes", 1);
  write_atomically(entry / "left-over.txt", "x");
  const std::string old = zoo::read_card(entry).weights.sha256;
  save_classifier("shapes", 2);
  EXPECT_NE(zoo::load("shapes").card.weights.sha256, old);
  EXPECT_FALSE(fs::exists(entry / "left-over.txt"));
}

TEST_F(ZooSave, AFailureLeavesTheOldEntryWhole) {
  const fs::path entry = save_classifier();
  const auto before = contents(root() / "zoo");
  const auto model = small_classifier(2);
  {
    const at::NoGradGuard no_grad;
    state(*model).at("head.bias").fill_(std::nan(""));
  }
  expect_error<DivergedError>([&] { zoo::save("shapes", *model, {}); },
                              {"zoo::save \"shapes\"", "finite logits", "nothing was saved"});
  EXPECT_EQ(contents(root() / "zoo"), before);
  EXPECT_TRUE(zoo::verify(entry).passed());
}

// An encoder whose output is never the same: every file is written before loading it shows that.
class Unsteady final : public Model, public Encoder {
 public:
  static constexpr std::string_view name = "unsteady";
  struct Options {
    std::int64_t size = 2;
    static constexpr auto fields() { return std::tuple{field("size", &Options::size, "of the features")}; }
  };
  explicit Unsteady(Options options) : Model(vaetl::spec<Unsteady>(options)), size_(options.size) {
    register_parameter("weight", at::ones({size_}));
  }
  std::vector<LayerGroup> layer_groups() const override { return {{"all", {"weight"}}}; }
  Signature signature() const override { return {{{"input", {{4}, at::kFloat, 0, 1}}}}; }
  at::Tensor encode(const Fields& fields) override { return at::rand({fields.size(), size_}) + 7 * ++calls_; }
  std::int64_t feature_size() const override { return size_; }
  ModelSpec classifier(std::int64_t) const override { return spec(); }

 private:
  std::int64_t size_, calls_ = 0;
};

TEST_F(ZooSave, AFailureInTheMiddleLeavesNothingBehind) {
  registry<Model>().add<Unsteady>();
  const auto model = build({"unsteady", {{"size", 3}}});
  model->set_preprocess(Json::array());
  save_classifier("unsteady");
  const auto before = contents(root() / "zoo");
  const auto first = dynamic_cast<Encoder&>(*model).encode([] {
    Fields fields;
    fields.set("input", at::zeros({1, 4}));
    return fields;
  }());
  EXPECT_GT(first.min().item<float>(), 6);
  expect_error<FileError>([&] { zoo::save("unsteady", *model, {}); }, {"test_vector", "do not compute the same"});
  EXPECT_EQ(contents(root() / "zoo"), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(root() / "zoo"), {}), 1);
}

TEST_F(ZooSave, RefusesWhatCannotBeAnEntry) {
  const auto model = small_classifier();
  for (const char* name : {"", "a/b", "..", ".hidden", "-x", "with space"}) {
    expect_error<ConfigError>([&] { zoo::save(name, *model, {}); }, {"zoo::save: name", "letters, digits, - _ and ."});
  }
  expect_error<ConfigError>(
      [&] {
        zoo::save("x", *model, {}, {.classes = {"a", "b"}});
      },
      {"classes: expected 3 names", "found 2"});
  model->set_preprocess({});
  expect_error<ConfigError>([&] { zoo::save("x", *model, {}); },
                            {"a model with its fitted preprocessing", "set_preprocess"});
  EXPECT_FALSE(fs::exists(root() / "zoo/x"));
}

TEST_F(ZooSave, ReplacesNoFolderOfOthers) {
  const fs::path home = root() / "home";
  make_folder(home);
  write_atomically(home / "thesis.tex", "years of work");
  expect_error<OutputError>([&] { zoo::save("x", *small_classifier(), {}, {.folder = home}); },
                            {"a folder of other things", "choose another folder"});
  EXPECT_EQ(read_file(home / "thesis.tex"), "years of work");
  const fs::path run = root() / "run/model";  // the folder of a run
  EXPECT_EQ(zoo::save("x", *small_classifier(), {}, {.folder = run}), run);
  EXPECT_TRUE(zoo::verify(run).passed());
}

TEST_F(ZooSave, AWeightsFileAloneDescribesItself) {
  const fs::path file = save_classifier() / "model.safetensors";
  const auto weights = zoo::read_weights(file);
  EXPECT_EQ(weights.model.name, "cnn");
  EXPECT_EQ(weights.preprocess, scale_to_unit());
  EXPECT_EQ(weights.classes, (Names{"disc", "box", "star"}));
  const at::Tensor raw = at::randint(256, {2, 1, 8, 8}, at::kByte);
  EXPECT_TRUE(at::equal(zoo::load(file.string()).predict(raw), zoo::load("shapes").predict(raw)));
}

TEST_F(ZooSave, AForeignWeightsFileNeedsADescription) {
  const auto model = small_classifier();
  const fs::path file = root() / "foreign.safetensors";
  write_safetensors(file, state(*model));
  EXPECT_TRUE(zoo::read_weights(file).model.name.empty());
  expect_error<FileError>([&] { zoo::load(file.string()); }, {"foreign.safetensors", "--model JSON"});
  const Pretrained loaded = zoo::load_file(file, model->spec());
  const at::Tensor raw = at::randint(256, {2, 1, 8, 8}, at::kByte);
  EXPECT_TRUE(at::allclose(loaded.predict(raw), logits(*model, raw), 0, 1e-5));
  expect_error<FileError>(
      [&] {
        zoo::load_file(file, {"cnn", {{"input", {1, 8, 8}}, {"channels", {4, 9}}}});
      },
      {"foreign.safetensors", "the weights of this model and nothing else"});
  write_safetensors(file, state(*model), {{"vaetl.model", "{"}});
  expect_error<FileError>([&] { zoo::load(file.string()); }, {"foreign.safetensors", "vaetl.model"});
  write_safetensors(file, state(*model), {{"vaetl.model", "\"cnnn\""}});
  expect_error<FileError>([&] { zoo::load(file.string()); }, {"foreign.safetensors", "did you mean \"cnn\"?"});
}

}  // namespace
}  // namespace vaetl::testing::save_load_test
