// Weights of classes in a recipe: whom they weigh, whom they leave alone, and what they do.
#include "vaetl/recipe/class_weights.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/recipe/data.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::recipe::class_weights_test {
namespace {

using testing::expect_error;
using testing::file_bytes;

namespace fs = std::filesystem;

// The toy set with one example of the last class in three of the others'.
std::shared_ptr<DataCache> rare_cache() {
  Splits splits = testing::toy_splits();
  const at::Tensor labels = splits.train.labels();
  splits.train = splits.train.select(labels.ne(3).logical_or(at::arange(labels.size(0)).remainder(12).eq(3)));
  auto cache = std::make_shared<DataCache>();
  cache->put("toy", splits);
  return cache;
}

Data open_rare(const char* section) { return open_data(read_data(parse_json(section, "data")), 0, *rare_cache()); }

std::vector<double> by_class(const Dataset& data) {
  std::vector<double> weights(4, 0.0);
  const at::Tensor labels = data.labels(), all = data.column("weight");
  for (std::int64_t i = 0; i < data.size(); ++i)
    weights[static_cast<std::size_t>(labels[i].item<std::int64_t>())] = all[i].item<double>();
  return weights;
}

TEST(ClassWeights, WeighTheTrainingDataAlone) {
  const Data data = open_rare(R"({"open": "toy", "validation": 0.25, "class_weights": "balanced"})");
  const std::vector<double> weights = by_class(data.train());
  // A quarter of 12, 12, 12 and 4 is held out.
  ASSERT_EQ(data.train().size(), 30);
  EXPECT_FLOAT_EQ(static_cast<float>(weights[0]), 30.F / 36);
  EXPECT_FLOAT_EQ(static_cast<float>(weights[3]), 30.F / 12);
  EXPECT_FALSE(data.pipeline.validation->has("weight"));
  EXPECT_FALSE(data.test->has("weight"));
  const Data drawn = open_rare(R"({"open": "toy", "take_per_class": 2, "class_weights": "balanced"})");
  EXPECT_EQ(by_class(drawn.train()), (std::vector<double>{1, 1, 1, 1}));
}

TEST(ClassWeights, AreAStreamsOwn) {
  const Data data = open_rare(R"({"train": {"open": "toy", "class_weights": [1, 2, 3, 4]},
                                  "more": {"open": "toy", "labels": false},
                                  "others": {"open": "toy", "class_weights": "balanced"}})");
  EXPECT_EQ(by_class(data.train()), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_FALSE(data.pipeline.stream("more").data.has("weight"));
  EXPECT_EQ(by_class(data.pipeline.stream("others").data)[3], 2.5);  // 40 / (4 · 4)
}

TEST(ClassWeights, AreReadAndWritten) {
  const auto again = [](const char* text) {
    const DataOptions options = from_json<DataOptions>(parse_json(text, "data"), "data");
    const Json written = to_json(options);
    return written.contains("class_weights") ? written["class_weights"] : Json();
  };
  EXPECT_EQ(again(R"({"open": "toy", "class_weights": "balanced"})"), "balanced");
  EXPECT_EQ(again(R"({"open": "toy", "class_weights": [1, 0.5]})"), Json({1.0, 0.5}));
  EXPECT_TRUE(again(R"({"open": "toy"})").is_null());
  const auto refuse = [](const char* section, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { open_rare(section); }, parts);
  };
  refuse(R"({"open": "toy", "class_weights": "even"})", {"data.class_weights", "\"balanced\" or an array", "\"even\""});
  refuse(R"({"open": "toy", "class_weights": []})", {"data.class_weights", "\"balanced\" or an array"});
  refuse(R"({"open": "toy", "class_weights": [1, -1, 1, 1]})", {"data.class_weights[1]", "at least 0", "-1"});
  refuse(R"({"open": "toy", "class_weights": [0, 0, 0, 0]})", {"data.class_weights", "a weight above 0"});
  refuse(R"({"open": "toy", "class_weights": [1, 2]})", {"class_weights", "4 numbers, one a class", "found 2"});
  refuse(R"({"open": "toy", "labels": false, "class_weights": "balanced"})", {"labels for class_weights"});
}

RunSettings rare_settings(const fs::path& out) {
  return {.out = out, .resume = "auto", .device = "cpu", .data = rare_cache()};
}

// With mixing and accumulation besides: a run that was stopped goes on with the same bits.
TEST(ClassWeights, ResumeToTheSameBits) {
  struct Stop final : Callback {
    void on_step(Progress& p) override { p.stop = p.step == 5; }
  };
  at::set_num_threads(1);
  const testing::TemporaryFolder folder;
  const fs::path base = folder.path();
  Json json = testing::toy_recipe();
  json["data"]["class_weights"] = "balanced";
  json["data"]["augment"] = Json::array({"mixup"});
  json["trainer"]["accumulate"] = 2;
  json["trainer"]["batch_size"] = 8;
  run(parse(json), rare_settings(base / "whole"));
  RunSettings cut = rare_settings(base / "cut");
  cut.callbacks = {std::make_shared<Stop>()};
  run(parse(json), cut);
  EXPECT_EQ(run(parse(json), rare_settings(base / "cut")).summary["resumed_from"], 5);
  const std::string weights = "model/model.safetensors";
  EXPECT_EQ(file_bytes(base / "cut" / weights), file_bytes(base / "whole" / weights));
  json["data"].erase("class_weights");
  run(parse(json), rare_settings(base / "even"));
  EXPECT_NE(file_bytes(base / "even" / weights), file_bytes(base / "whole" / weights));
}

}  // namespace
}  // namespace vaetl::recipe::class_weights_test
