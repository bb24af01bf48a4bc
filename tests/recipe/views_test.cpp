// views.json: which classes are taken for which, and maps of the latents.
#include "vaetl/recipe/views.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/metrics/embedding.hpp"
#include "vaetl/recipe/folder.hpp"
#include "vaetl/recipe/run.hpp"
#include "vaetl/train/confusion.hpp"

namespace vaetl::recipe::views_test {
namespace {

namespace fs = std::filesystem;

RunSettings viewed(const fs::path& out) {
  return {.out = out, .resume = "auto", .device = "cpu", .data = testing::toy_cache()};
}

struct CutAt final : Callback {
  explicit CutAt(std::int64_t at) : step(at) {}
  void on_step(Progress& progress) override { progress.stop = progress.step == step; }
  std::int64_t step;
};

class Views : public ::testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(1); }
  Json views_of(const Json& recipe, const RunSettings& settings) {
    outcome = run(parse(recipe), settings);
    return read_run_json(settings.out / "views.json");
  }
  fs::path path(const char* name) const { return fs::path(folder.path()) / name; }
  testing::TemporaryFolder folder;
  Outcome outcome;
};

TEST_F(Views, TheConfusionMatrixOfTheTestData) {
  Json recipe = testing::toy_recipe();
  recipe["trainer"]["steps"] = 20;
  const Json view = views_of(recipe, viewed(path("run")))["confusion"];
  EXPECT_EQ(view["split"], "test");
  EXPECT_EQ(view["examples"], 40);
  EXPECT_EQ(view["of"], 40);
  EXPECT_EQ(view["classes"], (Json{"a", "b", "c", "d"}));
  const Confusion found = confusion(*outcome.model, testing::toy_splits().test);
  at::Tensor counts = at::zeros({4, 4}, at::kLong);
  std::int64_t right = 0;
  for (const Json& cell : view["cells"]) {
    counts[cell[0].get<std::int64_t>()][cell[1].get<std::int64_t>()] = cell[2].get<std::int64_t>();
    if (cell[0] == cell[1]) right += cell[2].get<std::int64_t>();
  }
  EXPECT_TRUE(at::equal(counts, found.counts)) << counts << found.counts;
  EXPECT_NEAR(static_cast<double>(right) / 40, outcome.summary["metrics"]["accuracy"].get<double>(), 1e-12);
}

// Each point where the components of the latents say; labels of the examples that `index` names.
TEST_F(Views, TheMapsOfTheLatents) {
  const Json view = views_of(testing::toy_vae_recipe(), viewed(path("run")));
  EXPECT_FALSE(view.contains("confusion"));
  const Json& latents = view["latents"];
  EXPECT_EQ(latents["split"], "test");
  EXPECT_EQ(latents["dimensions"], 3);
  EXPECT_EQ(latents["classes"].size(), 4);
  const Dataset test = testing::toy_splits().test;
  const at::Tensor values = encode(*outcome.model, test).values;
  const at::Tensor map = metrics::principal_components(values, 2);
  ASSERT_EQ(latents["maps"].size(), 2);
  EXPECT_EQ(latents["maps"][0]["method"], "pca");
  EXPECT_EQ(latents["maps"][1]["method"], "tsne");
  EXPECT_EQ(latents["maps"][1]["perplexity"], 10);
  EXPECT_EQ(latents["maps"][1]["points"].size(), 40);
  for (std::int64_t i = 0; i < 40; ++i) {
    const double x = map[i][0].item<double>();
    EXPECT_NEAR(latents["maps"][0]["points"][i][0].get<double>(), x, 1e-3 * std::abs(x) + 1e-12);
    EXPECT_EQ(latents["labels"][i], test.labels()[latents["index"][i].get<std::int64_t>()].item<std::int64_t>());
  }
  const double share = latents["maps"][0]["variance_share"].get<double>();
  EXPECT_NEAR(share, (map.var(0).sum() / values.var(0).sum()).item<double>(), 1e-3);
}

TEST_F(Views, TwoLatentsAreAMapAlready) {
  Json recipe = testing::toy_vae_recipe();
  recipe["model"]["latent"] = 2;
  const Json maps = views_of(recipe, viewed(path("run")))["latents"]["maps"];
  ASSERT_EQ(maps.size(), 1);
  EXPECT_EQ(maps[0]["method"], "latents");
}

TEST_F(Views, AResumedRunHasTheSame) {
  for (const Json& recipe : {testing::toy_recipe(), testing::toy_vae_recipe()}) {
    const fs::path whole = path("whole") / recipe["name"], cut = path("cut") / recipe["name"];
    views_of(recipe, viewed(whole));
    RunSettings part = viewed(cut);
    part.callbacks = {std::make_shared<CutAt>(4)};
    run(parse(recipe), part);
    EXPECT_FALSE(fs::exists(cut / "views.json"));
    views_of(recipe, viewed(cut));
    EXPECT_EQ(outcome.summary["resumed_from"], 4);
    EXPECT_EQ(testing::file_bytes(whole / "views.json"), testing::file_bytes(cut / "views.json"));
  }
}

TEST_F(Views, WithoutTestDataTheValidationOrTrainingDataAreShown) {
  Splits splits = testing::toy_splits();
  splits.test = splits.validation;  // empty
  RunSettings settings = viewed(path("train"));
  settings.data = std::make_shared<DataCache>();
  settings.data->put("toy", splits);
  Json recipe = testing::toy_recipe();
  recipe.erase("evaluate");
  const Json train = views_of(recipe, settings);
  EXPECT_FALSE(train.contains("confusion"));
  EXPECT_EQ(train["latents"]["split"], "train");
  recipe["data"]["validation"] = 0.25;
  settings.out = path("validation");
  const Json held = views_of(recipe, settings);
  EXPECT_EQ(held["confusion"]["split"], "validation");
  EXPECT_EQ(held["confusion"]["examples"], 12);
  EXPECT_EQ(held["latents"]["split"], "validation");
}

TEST_F(Views, OfManyExamplesSomeAreTaken) {
  RunSettings settings = viewed(path("run"));
  settings.data = testing::toy_cache({.test_per_class = 2600});
  const Json view = views_of(testing::toy_recipe(), settings);
  EXPECT_EQ(view["confusion"]["examples"], 10'000);
  EXPECT_EQ(view["confusion"]["of"], 10'400);
  EXPECT_EQ(view["latents"]["examples"], 500);
  EXPECT_EQ(view["latents"]["maps"][0]["points"].size(), 500);
}

TEST_F(Views, LabelsThatTheModelDoesNotKnowAreLeftOut) {
  run(parse(testing::toy_recipe()), viewed(path("run")));
  const auto model = run(parse(testing::toy_recipe()), viewed(path("run"))).model;
  const Dataset test = testing::toy_splits().test;
  EXPECT_TRUE(predict_labels(*model, test));
  EXPECT_FALSE(predict_labels(*model, test.without("target")));
  Fields fields = test.all();
  fields.set("target", test.labels() + 1);
  EXPECT_FALSE(predict_labels(*model, Dataset::from_tensors(fields)));
}

TEST_F(Views, LatentsWithoutAMap) {
  LatentSample sample{.split = "test", .of = 20, .latents = {}};
  const auto view = [&](const at::Tensor& values) {
    sample.latents.values = values;
    sample.latents.index = at::arange(values.size(0), at::kLong);
    return latent_view(sample);
  };
  EXPECT_FALSE(view(at::arange(60, at::kFloat).sin().view({20, 3})).is_null());
  EXPECT_TRUE(view(at::ones({20, 3})).is_null());
  EXPECT_TRUE(view(at::arange(20, at::kFloat).view({20, 1})).is_null());
  EXPECT_TRUE(view(at::arange(21, at::kFloat).view({7, 3})).is_null());
  EXPECT_TRUE(view(at::full({20, 3}, std::numeric_limits<float>::quiet_NaN())).is_null());
}

}  // namespace
}  // namespace vaetl::recipe::views_test
