// The section "callbacks": names and options, CSV, event files, pictures, and that none of them changes training.
#include "vaetl/recipe/callbacks.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/csv.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::testing::callbacks_test {
namespace {

namespace fs = std::filesystem;

Json with_callbacks(Json recipe, const Json& callbacks) {
  recipe["callbacks"] = callbacks;
  recipe["trainer"]["validate_every"] = 1;
  return recipe;
}

Json toy_gan_recipe() {
  return {{"name", "toy-gan"},
          {"seed", 2},
          {"data", {{"open", "toy"}, {"labels", false}}},
          {"model", {{"name", "gan"}, {"input", {1, 8, 8}}, {"widths", {8}}, {"noise", 4}}},
          {"objective", "adversarial"},
          {"trainer", {{"steps", 9}, {"batch_size", 16}, {"ema_decay", 0.9}}}};
}

std::map<std::string, std::string> weights_of(const Model& model) {
  std::map<std::string, std::string> result;
  for (const auto& [name, tensor] : state(model)) {
    const at::Tensor bytes = tensor.detach().contiguous();
    result[name] = sha256_hex({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()});
  }
  return result;
}

recipe::Outcome run_in(const Json& json, const std::string& out, const std::string& resume = "never",
                       std::vector<std::shared_ptr<Callback>> more = {}) {
  return recipe::run(
      recipe::parse(json),
      {.out = out, .resume = resume, .device = "cpu", .callbacks = std::move(more), .data = toy_cache()});
}

std::vector<std::vector<std::string>> csv_rows(const fs::path& file) {
  CsvReader reader(file);
  std::vector<std::vector<std::string>> rows;
  for (CsvRow row; reader.next(row);) rows.push_back(row.values);
  return rows;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path().filename());
  std::sort(files.begin(), files.end());
  return files;
}

struct StopAfter final : Callback {
  explicit StopAfter(std::int64_t step) : step_(step) {}
  void on_step(vaetl::Progress& progress) override { progress.stop = progress.step >= step_; }
  std::int64_t step_;
};

TEST(Callbacks, NamesAndOptionsAreChecked) {
  const auto parse = [](const Json& callbacks) { recipe::parse(with_callbacks(toy_recipe(), callbacks)); };
  expect_error<ConfigError>([&] { parse({"tensorbord"}); }, {"callbacks[0]", "did you mean \"tensorboard\"?"});
  expect_error<ConfigError>(
      [&] {
        parse({"csv", {{"name", "pictures"}, {"evry", 2}}});
      },
      {"callbacks[1]", "did you mean \"every\"?"});
  expect_error<ConfigError>(
      [&] {
        parse({{{"name", "pictures"}, {"every", 0}}});
      },
      {"callbacks[0].every", "at least 1"});
}

TEST(Callbacks, AreWrittenIntoTheResolvedRecipeWhereThereAreAny) {
  const Json with = recipe::resolve(recipe::parse(with_callbacks(toy_recipe(), {"csv", "tensorboard"})));
  EXPECT_EQ(with["callbacks"],
            Json({{{"name", "csv"}}, {{"name", "tensorboard"}, {"histograms", 1}, {"projector", true}}}));
  EXPECT_FALSE(recipe::resolve(recipe::parse(toy_recipe())).contains("callbacks"));
}

TEST(Callbacks, ChangeNoWeights) {
  const Json all = {"csv", "tensorboard", "pictures"};
  for (const Json& json : {toy_vae_recipe(), toy_gan_recipe()}) {
    const TemporaryFolder folder;
    const auto plain = run_in(with_callbacks(json, Json::array()), folder.path() + "/plain");
    const auto watched = run_in(with_callbacks(json, all), folder.path() + "/watched");
    EXPECT_EQ(weights_of(*watched.model), weights_of(*plain.model));
    EXPECT_EQ(watched.run.metrics.at("loss"), plain.run.metrics.at("loss"));
  }
}

TEST(Csv, HasTheEntriesOfTheHistory) {
  const TemporaryFolder folder;
  Json json = with_callbacks(toy_recipe(), {"csv"});
  json["data"]["validation"] = 0.25;
  const auto outcome = run_in(json, folder.path() + "/run");
  const auto rows = csv_rows(folder.path() + "/run/metrics.csv");
  ASSERT_EQ(rows.size(), outcome.run.history.size() + 1);
  EXPECT_EQ(rows[0][0], "epoch");
  EXPECT_EQ(rows[0][1], "step");
  EXPECT_TRUE(std::count(rows[0].begin(), rows[0].end(), "validation.accuracy"));
  for (std::size_t i = 0; i < outcome.run.history.size(); ++i) {
    for (std::size_t c = 0; c < rows[0].size(); ++c) {
      EXPECT_EQ(std::stod(rows[i + 1][c]), outcome.run.history[i].at(rows[0][c])) << rows[0][c];
    }
  }
}

TEST(Csv, GoesOnWhereARunIsResumed) {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/run";
  const Json json = with_callbacks(toy_recipe(), {"csv", "tensorboard"});
  run_in(json, out, "never", {std::make_shared<StopAfter>(7)});
  const auto before = csv_rows(out + "/metrics.csv");
  run_in(json, out, "must");
  const auto after = csv_rows(out + "/metrics.csv");
  std::vector<std::string> steps;
  for (const auto& row : after) steps.push_back(row[1]);
  EXPECT_EQ(steps, (std::vector<std::string>{"step", "3", "6", "9", "12"}));
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i], before[i]);
  const auto files = files_in(out + "/events");
  const auto events = std::count_if(files.begin(), files.end(),
                                    [](const fs::path& file) { return file.string().starts_with("events.out"); });
  EXPECT_EQ(events, 2);  // a file of each part; TensorBoard draws one curve
}

TEST(Pictures, AreDrawnEachFewEpochs) {
  const TemporaryFolder folder;
  run_in(with_callbacks(toy_gan_recipe(), {{{"name", "pictures"}, {"every", 2}, {"count", 6}}}),
         folder.path() + "/gan");
  EXPECT_TRUE(fs::exists(folder.path() + "/gan/pictures/epoch-2.png"));
  EXPECT_FALSE(fs::exists(folder.path() + "/gan/pictures/epoch-1.png"));
  EXPECT_FALSE(fs::exists(folder.path() + "/gan/pictures/epoch-3.png"));
  const at::Tensor grid = read_png(folder.path() + "/gan/pictures/epoch-2.png");
  EXPECT_EQ(grid.sizes(), (std::vector<std::int64_t>{1, 12, 62}));  // six of 8×8 in a row, 2 pixels apart and around
}

// The same noise each time: what differs is the weights.
TEST(Pictures, OfTheSameNoise) {
  const TemporaryFolder folder;
  Json json = with_callbacks(toy_gan_recipe(), {"pictures"});
  json["trainer"]["optimizer"] = {{"name", "sgd"}, {"lr", 0}};
  run_in(json, folder.path() + "/still");
  const auto still = [&](int epoch) {
    return read_png(folder.path() + "/still/pictures/epoch-" + std::to_string(epoch) + ".png");
  };
  EXPECT_TRUE(still(1).equal(still(3)));
}

TEST(Pictures, OriginalsAndReconstructions) {
  const TemporaryFolder folder;
  run_in(with_callbacks(toy_vae_recipe(), {{{"name", "pictures"}, {"count", 4}}}), folder.path() + "/vae");
  const at::Tensor grid = read_png(folder.path() + "/vae/pictures/epoch-1.png");
  EXPECT_EQ(grid.sizes(), (std::vector<std::int64_t>{1, 22, 42}));  // four above, four below
  const auto toy = toy_splits();
  EXPECT_TRUE(grid.slice(1, 2, 10).slice(2, 2, 10).equal(toy.train.gather(at::zeros({1}, at::kLong)).input()[0]));
}

TEST(Pictures, NeedAModelThatMakesThem) {
  const TemporaryFolder folder;
  const auto refuse = [&](const Json& json, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { run_in(json, folder.path() + "/refused"); }, parts);
    EXPECT_FALSE(fs::exists(folder.path() + "/refused"));
  };
  refuse(with_callbacks(toy_recipe(), {"pictures"}), {"callback pictures", "a model that makes pictures", "\"mlp\""});
  refuse(with_callbacks(toy_gan_recipe(), {{{"name", "pictures"}, {"what", "reconstructions"}}}),
         {"makes pictures as reconstructions", "\"gan\""});
}

TEST(Callbacks, WithoutAFolderNothingIsWritten) {
  const auto outcome = recipe::run(recipe::parse(with_callbacks(toy_vae_recipe(), {"csv", "tensorboard", "pictures"})),
                                   {.device = "cpu", .data = toy_cache()});
  EXPECT_EQ(outcome.run.steps, 6);
}

// Epochs may be shorter than entries are apart.
TEST(EveryEpochs, CountsEpochsThatWerePassed) {
  EveryEpochs every(3);
  std::vector<std::int64_t> due;
  for (const std::int64_t epoch : {0, 1, 4, 5, 6, 11}) {
    if (every.due(epoch)) due.push_back(epoch);
  }
  EXPECT_EQ(due, (std::vector<std::int64_t>{4, 5, 11}));
  EveryEpochs resumed(3);
  resumed.begin(4);
  EXPECT_TRUE(resumed.due(5));
  EXPECT_FALSE(EveryEpochs(0).due(5));
}

}  // namespace
}  // namespace vaetl::testing::callbacks_test
