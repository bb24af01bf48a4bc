// What a transfer may start from.
#include "vaetl/recipe/source.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "support/torch_stream.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/recipe/prepare.hpp"

namespace vaetl::recipe::source_test {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
namespace hand = testing::hand;

// The run "toy" keeps its best epoch and averaged weights; "killed" is the same without what only the end writes.
class Sources : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    Json recipe = testing::toy_recipe();
    recipe["data"]["validation"] = 0.25;
    recipe["trainer"].update({{"monitor", "accuracy"}, {"ema_decay", 0.9}, {"keep", 1}});
    run(parse(recipe), settings(root() / "toy"));
    fs::copy(root() / "toy", root() / "killed", fs::copy_options::recursive);
    fs::remove_all(root() / "killed/model");
    fs::remove(root() / "killed/run.json");
  }
  static void TearDownTestSuite() { delete std::exchange(folder_, nullptr); }

  static fs::path root() { return folder_->path(); }
  static std::string path(const std::string& name) { return (root() / name).string(); }
  static RunSettings settings(const fs::path& out = {}) {
    return {.out = out, .device = "cpu", .data = testing::toy_cache()};
  }
  static Recipe transfer(Json section) {
    Json json = testing::toy_recipe();
    json.erase("model");
    if (!section.contains("heads")) section["heads"] = {{{"classes", 4}}};
    json["transfer"] = std::move(section);
    return parse(json);
  }

  static testing::TemporaryFolder* folder_;
};

testing::TemporaryFolder* Sources::folder_ = nullptr;

at::Tensor first_weight(const Weights& weights) { return weights.at("encoder.0.dense.weight"); }

TEST_F(Sources, ARunsModelOrOneOfItsCheckpoints) {
  const auto weights_of = [](const std::string& file) { return first_weight(read_safetensors(path(file)).tensors); };
  EXPECT_TRUE(at::equal(first_weight(load_source(path("toy")).weights), weights_of("toy/model/model.safetensors")));
  const Source last = load_source(path("toy?which=last")), best = load_source(path("toy?which=best"));
  EXPECT_TRUE(at::equal(first_weight(last.weights), weights_of("toy/checkpoints/last/averaged.safetensors")));
  EXPECT_TRUE(at::equal(first_weight(best.weights), weights_of("toy/checkpoints/best/model.safetensors")));
  EXPECT_EQ(last.model->spec().name, "mlp");
  EXPECT_FALSE(last.preprocess.is_null());
  EXPECT_EQ(last.sha256.size(), 64u);
  EXPECT_EQ(load_source(path("toy?which=step-12")).model->spec().options, last.model->spec().options);
}

TEST_F(Sources, ARunThatHasNotEndedHasCheckpoints) {
  expect_error<FileError>([] { load_source(path("killed")); },
                          {"a run that has not finished", "or take its last checkpoint", "killed?which=last"});
  const Prepared prepared = prepare(transfer({{"from", path("killed?which=last")}}), settings());
  EXPECT_TRUE(
      at::equal(first_weight(state(*prepared.model)), first_weight(load_source(path("toy?which=last")).weights)));
  EXPECT_EQ(prepared.report->matched, 1);
  expect_error<FileError>([] { load_source(path("killed?which=lst")); },
                          {"killed?which=lst: expected one of the checkpoints best, last, step-12, found none of that "
                           "name; did you mean \"last\""});
  expect_error<FileError>([] { load_source(path("toy/model?which=last")); }, {"a run folder with checkpoints"});
  expect_error<ConfigError>([] { load_source(path("toy?whic=last")); }, {"did you mean \"which\"?"});
}

TEST_F(Sources, AZooEntryByNameOrFolder) {
  fs::create_directories(root() / "zoo");
  fs::copy(root() / "toy/model", root() / "zoo/my-toy", fs::copy_options::recursive);
  const std::string before = std::getenv("VAETL_ZOO") ? std::getenv("VAETL_ZOO") : "";
  ::setenv("VAETL_ZOO", path("zoo").c_str(), 1);
  for (const std::string& from : {std::string("zoo:my-toy"), path("zoo/my-toy")}) {
    const Source source = load_source(from);
    EXPECT_EQ(source.classes, (std::vector<std::string>{"a", "b", "c", "d"}));
    EXPECT_EQ(prepare(transfer({{"from", from}}), settings()).report->matched, 1);
  }
  before.empty() ? ::unsetenv("VAETL_ZOO") : ::setenv("VAETL_ZOO", before.c_str(), 1);
}

TEST_F(Sources, APytorchFileKeepsItsOrder) {
  const Source toy = load_source(path("toy"));
  const fs::path file = root() / "toy.pth";
  write_atomically(file, hand::checkpoint(toy.weights, "module."));
  const Source source = load_source(file.string() + "?strip_prefix=module.");
  EXPECT_FALSE(source.model);
  std::vector<std::string> sorted;
  for (const auto& [name, tensor] : source.weights) sorted.push_back(name);
  EXPECT_EQ(source.order, sorted) << "as it was written";
  EXPECT_EQ(toy.order,
            (std::vector<std::string>{"encoder.0.dense.weight", "encoder.0.dense.bias", "head.weight", "head.bias"}));
}

// The source's classes stand in its card, the target's are those of the data.
TEST_F(Sources, RowsOfTheClassesInCommon) {
  Splits other = testing::toy_splits();
  for (Dataset* part : {&other.train, &other.test}) {
    const Fields fields = part->gather(at::arange(part->size(), at::kLong));
    *part =
        Dataset::from_tensors(fields, {.name = "other", .split = part->info().split, .classes = {"c", "x", "a", "y"}});
  }
  RunSettings given = settings();
  given.data->put("other", other);
  Json section{{"from", path("toy")},
               {"load", {{{"from", "head.*"}, {"to", "head.*"}, {"on_mismatch", "rows"}}}},
               {"heads", {{{"classes", 4}}}}};
  Json json = testing::toy_recipe();
  json.erase("model");
  json["data"]["open"] = "other";
  json["transfer"] = section;
  const Prepared prepared = prepare(parse(json), given);
  const at::Tensor from = load_source(path("toy")).weights.at("head.weight"),
                   to = state(*prepared.model).at("head.weight");
  EXPECT_TRUE(at::equal(to[0], from[2]));
  EXPECT_TRUE(at::equal(to[2], from[0]));
  EXPECT_FALSE(at::equal(to[1], from[1]));
  EXPECT_NE(prepared.report->text.find("2 of 4 rows by name (c, a), the others fresh"), std::string::npos);
}

TEST_F(Sources, ThePlanAndTheRunTellOfEveryTensor) {
  const Recipe recipe = transfer({{"from", path("toy")}, {"freeze", {"backbone"}}});
  const Json planned = plan(recipe, settings()).json.at("transfer").at("match");
  EXPECT_EQ(planned.at("target").size(), 4u);
  EXPECT_EQ(planned.at("target")[0].at("outcome"), "loaded");
  const Outcome outcome = run(recipe, settings());
  EXPECT_EQ(outcome.summary.at("transfer").at("match"), planned);
}

}  // namespace
}  // namespace vaetl::recipe::source_test
