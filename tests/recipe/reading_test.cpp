// What data tell a recipe: the model's sizes, and how further files are read.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/data/reader.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/recipe/data.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::recipe {
namespace {

using testing::expect_error;

// A file "NUMBER" as a set of two features: the number as it stands, and divided by the first number ever read. A
// reader that learns, in other words. A number above 1000 is a bad example.
class Ratio final : public Reader {
 public:
  static constexpr const char* name = "ratio";
  struct Options {
    double unit = 0;
    static constexpr auto fields() { return std::tuple{field("unit", &Options::unit, "learnt from the file")}; }
  };
  explicit Ratio(Options options) : options_(options) {}
  Splits open(const std::filesystem::path& path, const Reading& reading) const override {
    const double number = std::stod(read_file(path));
    const double unit = options_.unit > 0 ? options_.unit : number;
    Skips skips(reading);
    if (number > 1000) skips.add({path.string(), "at most 1000", read_file(path), {}});
    Fields fields;
    fields.set("input", at::tensor({number, number / unit}, at::kFloat).expand({8, 2}).contiguous());
    fields.set("target", at::arange(8, at::kLong).remainder(2));
    const Dataset all =
        Dataset::from_tensors(fields, {.name = path.string(), .reader = {{"name", "ratio"}, {"unit", unit}}});
    return {all, readers::none_of(all, "validation"), all};
  }

 private:
  Options options_;
};

class ReadingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    registry<Reader>().add<Ratio>();
    write("two", "2");
    write("six", "6");
  }
  void write(const std::string& name, const std::string& text) { write_atomically(base() / name, text); }
  std::string reference(const std::string& name) const { return "ratio:" + (base() / name).string(); }
  std::filesystem::path base() const { return folder_.path(); }
  Json recipe() const {
    return {{"name", "ratio"},
            {"data", {{"open", reference("two")}, {"test", {{"open", reference("six")}}}}},
            {"model", {{"name", "mlp"}, {"widths", {4}}}},
            {"objective", "cross_entropy"},
            {"trainer", {{"steps", 2}, {"batch_size", 4}}},
            {"evaluate", {"accuracy"}}};
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ReadingTest, WhatTheFirstReaderLearntReadsTheOtherSets) {
  DataCache cache;
  const Data data = open_data(read_data(recipe()["data"]), 0, cache);
  EXPECT_EQ(data.train().all().input()[0][1].item<float>(), 1);
  EXPECT_EQ(data.test->all().input()[0][1].item<float>(), 3);  // 6 in units of the training file
}

TEST_F(ReadingTest, WeightsCarryHowFilesAreRead) {
  const Outcome first = run(parse(recipe()), {.out = base() / "first", .device = "cpu"});
  EXPECT_EQ(Preprocess::from_json(first.model->preprocess()).reader()["unit"], 2);
  Json next = recipe();
  next.erase("model");
  next["data"] = {{"open", reference("six")}};
  next["transfer"] = {{"from", (base() / "first").string()}, {"heads", Json::array({{{"classes", 2}}})}};
  const Outcome second = run(parse(next), {.device = "cpu"});
  EXPECT_EQ(Preprocess::from_json(second.model->preprocess()).reader()["unit"], 2);
}

TEST_F(ReadingTest, TheDataTellTheModelsSizes) {
  const std::filesystem::path out = base() / "run";
  const Outcome outcome = run(parse(recipe()), {.out = out, .device = "cpu", .artefacts = false});
  const Json options = outcome.model->spec().options;
  EXPECT_EQ(options["input"], Json::array({2}));
  EXPECT_EQ(options["classes"], 2);
  const Json written = read_json((out / "recipe.json").string());
  EXPECT_FALSE(written["model"].contains("input"));  // the data tell it again
  const Outcome again = run(parse(written), {.device = "cpu"});
  EXPECT_EQ(again.model->spec().options, options);
}

TEST_F(ReadingTest, BadExamplesAreToldOrFatal) {
  write("two", "2000");
  std::vector<Problem> told;
  RunSettings settings{.device = "cpu", .skipped = [&](const Problem& problem) { told.push_back(problem); }};
  run(parse(recipe()), settings);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].expected, "at most 1000");
  Json strict = recipe();
  strict["data"]["strict"] = true;
  expect_error<DataError>([&] { run(parse(strict), settings); }, {"two", "at most 1000", "found 2000"});
}

}  // namespace
}  // namespace vaetl::recipe
