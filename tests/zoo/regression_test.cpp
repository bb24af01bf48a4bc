// Regression from a table to a saved model and back: predictions are in the targets' own units wherever they are made.
#include <ATen/ATen.h>

#include "vaetl/data/open.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/objectives/squared_error.hpp"
#include "vaetl/train/evaluate.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::regression_test {
namespace {

// y = 1000 + 30 x + 200 of the colour red, with a missing x and a text at times.
std::string priced(std::int64_t count) {
  std::string text = "x,colour,price\n";
  for (std::int64_t i = 0; i < count; ++i) {
    const bool red = i % 3 == 0;
    const double x = static_cast<double>(i * 37 % 101) / 10;
    text += fmt::format("{},{},{}\n", i % 17 == 5 ? "?" : fmt::format("{}", x), red ? "red" : "blue",
                        1000 + 30 * (i % 17 == 5 ? 5 : x) + (red ? 200 : 0));
  }
  return text;
}

struct Story {
  TemporaryFolder folder;
  Splits data = data::open("csv:" + folder.file("prices.csv", priced(240)) + "?target=price&test_share=0.25");
  std::shared_ptr<Model> model = [] {
    seed(3);
    return build({"mlp", {{"input", {3}}, {"widths", {16}}, {"classes", 0}, {"outputs", 1}}});
  }();
  vaetl::Run train(const Tuning& tuning = {}, std::int64_t steps = 300) {
    const TrainerOptions options{
        .steps = steps, .batch_size = 60, .optimizer = {"adamw", {{"lr", 0.01}}}, .device = "cpu"};
    return Trainer(options).fit(model, make<objectives::SquaredError>({}), data.train, tuning);
  }
};

using ZooRegression = ZooTest;

TEST_F(ZooRegression, PredictsInTheTargetsOwnUnits) {
  Story story;
  const vaetl::Run run = story.train();
  const double rmse = evaluate(*story.model, story.data.test, {"rmse"}).at("rmse");
  EXPECT_LT(rmse, 20) << "of prices that differ by 100 and more";
  const auto entry = zoo::save("prices", *story.model, run, {.licence = "MIT"});
  const Pretrained loaded = zoo::load("prices");
  EXPECT_EQ(loaded.card.capabilities, (std::vector<std::string>{"Encoder", "Regressor"}));
  ASSERT_TRUE(loaded.card.test_vector);
  EXPECT_EQ(loaded.card.test_vector->of, "predictions");
  EXPECT_EQ(loaded.card.test_vector->stage, "preprocessed");
  const Fields raw = story.data.test.all();
  const at::Tensor predictions = loaded.predict(raw.input());
  EXPECT_EQ(predictions.sizes(), raw.target().sizes());
  const double by_hand = (predictions - raw.target()).to(at::kDouble).square().mean().sqrt().item<double>();
  EXPECT_NEAR(by_hand, rmse, 1e-3);  // float32 of prices near 1000: 2⁻²⁴ · 1000 an error
  expect_error<DataError>([&] { loaded.predict(at::zeros({2, 5})); }, {"columns", "(N, 2)", "found (2, 5)"});
  // The test vector is a check: other weights fail it.
  edit_card(entry, [](Json& card) { card["test_vector"]["output"][0] = 1e6; });
  expect_error<FileError>([] { zoo::load("prices"); }, {"test_vector", "predictions within"});
}

// Features that are computed once are trained on with the same standardised targets.
TEST_F(ZooRegression, AFrozenBackboneLearnsTheSameTargets) {
  Story story;
  story.train({{.groups = "encoder.*", .train = false}}, 400);
  const auto metrics = evaluate(*story.model, story.data.test, {"rmse", "r2"});
  EXPECT_GT(metrics.at("r2"), 0.8) << "rmse " << metrics.at("rmse");
}

TEST_F(ZooRegression, FurtherFilesNeedNoTarget) {
  Story story;
  story.train();
  Reading reading;
  reading.fitted = Preprocess::from_json(story.model->preprocess()).reader();
  const std::string file = story.folder.file("new.csv", "colour,x\nred,5\nblue,5\ngreen,?\n");
  const Dataset further = data::open("csv:" + file, reading).train;
  story.model->eval();
  const at::Tensor prices = Pretrained{story.model}.predict(further.column("input"));
  EXPECT_NEAR(prices[0][0].item<double>(), 1350, 40);
  EXPECT_NEAR(prices[1][0].item<double>(), 1150, 40);
  EXPECT_TRUE(prices.isfinite().all().item<bool>());
}

}  // namespace
}  // namespace vaetl::testing::regression_test
