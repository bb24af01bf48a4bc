// Metrics with their intervals, and whether they return.
#include "vaetl/zoo/measure.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/packed.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::measure_test {
namespace {

using ZooMeasure = ZooTest;

// Pictures and labels that have nothing to do with each other: accuracy is a share of independent draws.
Dataset noise(std::int64_t count, std::int64_t overlap = 0) {
  seed(5);
  Fields fields;
  fields.set("input", at::randint(256, {count, 1, 8, 8}, at::kByte));
  fields.set("target", at::randint(3, {count}, at::kLong));
  DatasetInfo info{.name = "noise", .classes = {"disc", "box", "star"}};
  info.overlap = overlap;
  return Dataset::from_tensors(fields, info);
}

TEST_F(ZooMeasure, TheIntervalIsThatOfAShare) {
  const auto model = small_classifier();
  const auto card = zoo::measure(*model, noise(2000), {"accuracy"}).at("accuracy");
  ASSERT_TRUE(card.interval);
  const double half = (card.interval->high - card.interval->low) / 2;
  const double binomial = 1.96 * std::sqrt(card.value * (1 - card.value) / 2000);
  // The spread of 20 parts is known to about 1/√38 = 16 %; three of these, and t over the normal quantile.
  EXPECT_GT(half, 0.5 * binomial);
  EXPECT_LT(half, 1.6 * binomial);
  EXPECT_LT(card.interval->low, 1.0 / 3);
  EXPECT_GT(card.interval->high, 1.0 / 3);
  EXPECT_EQ(card.examples, 2000);
  EXPECT_EQ(card.data, "noise");
  EXPECT_EQ(card.interval->method, "spread over 20 parts of the examples");
  EXPECT_EQ(zoo::measure(*model, noise(2000), {"accuracy"}).at("accuracy").interval->low, card.interval->low);
}

TEST_F(ZooMeasure, FewExamplesHaveNone) {
  const auto model = small_classifier();
  EXPECT_FALSE(zoo::measure(*model, noise(39), {"accuracy"}).at("accuracy").interval);
  EXPECT_EQ(zoo::measure(*model, noise(60), {"accuracy"}).at("accuracy").interval->method,
            "spread over 10 parts of the examples");
  const auto knn = zoo::measure(*model, noise(60), {"knn?k=3", "accuracy"}, noise(50));
  EXPECT_FALSE(knn.at("knn?k=3").interval);
  EXPECT_TRUE(knn.at("accuracy").interval);
}

TEST_F(ZooMeasure, OnlySetsWithANameAreOpenedForACard) {
  EXPECT_TRUE(zoo::is_named_data("fashion-mnist"));
  EXPECT_TRUE(zoo::is_named_data("mnist?keep=[5,6]"));
  EXPECT_TRUE(zoo::is_named_data("tiny-shakespeare?window=64"));
  for (const char* other : {"csv:/etc/passwd", "idx:/data", "fashion-mnist?test=/etc/passwd",
                            "fashion-mnist?test=[\"/etc/passwd\"]", "nobody-knows"}) {
    EXPECT_FALSE(zoo::is_named_data(other)) << other;
  }
}

// A set of 60 examples in two files, as `packed` or csv would have it.
std::string write_csv(const fs::path& file) {
  std::string text = "a,b,label\n";
  seed(3);
  const at::Tensor values = at::rand({120, 2});
  for (std::int64_t i = 0; i < 120; ++i) {
    const double a = values[i][0].item<double>(), b = values[i][1].item<double>();
    text += fmt::format("{:.4f},{:.4f},{}\n", a, b, a > b ? "left" : "right");
  }
  write_atomically(file, text);
  return "csv:" + file.string() + "?target=label";
}

TEST_F(ZooMeasure, VerifyMeasuresAgainAndComparesWithTheInterval) {
  const std::string data = write_csv(root() / "sides.csv");
  auto model = build({"mlp", {{"input", {2}}, {"widths", {4}}, {"classes", 2}}});
  model->set_preprocess(Json::array());
  model->eval();
  auto metrics = zoo::measure(*model, {.data = data, .metrics = {"accuracy", "cross_entropy"}});
  EXPECT_EQ(metrics.at("accuracy").split, "train") << "a set without splits is scored whole";
  metrics["told"] = {.value = 1};
  metrics["mae"] = {.value = 1};
  const fs::path entry = zoo::save("sides", *model, {}, {.metrics = metrics});
  const auto outcome = [&](const std::string& name, const std::string& where) {
    for (const auto& check : zoo::verify_metrics(entry, where)) {
      if (check.name == "metric " + name) return check.outcome + ": " + check.detail;
    }
    return std::string("none");
  };
  EXPECT_NE(outcome("accuracy", {}).find("skipped: its data are files of whoever made it"), std::string::npos);
  EXPECT_NE(outcome("mae", {}).find("skipped: the card does not tell"), std::string::npos);
  EXPECT_NE(outcome("told", data).find("skipped: metric: expected the name of a known metric"), std::string::npos)
      << outcome("told", data);
  EXPECT_TRUE(outcome("accuracy", data).starts_with("passed: "));
  EXPECT_TRUE(outcome("cross_entropy", data).starts_with("passed: "));
  EXPECT_TRUE(
      outcome("accuracy", "csv:" + (root() / "absent.csv").string() + "?target=label").starts_with("skipped: "));
  EXPECT_NE(outcome("mae", data).find("failed: "), std::string::npos) << "of a regressor";
  metrics.erase("told");
  metrics.erase("mae");
  for (auto& [name, metric] : metrics) {
    metric.value += 0.5;
    metric.interval->low += 0.5;
    metric.interval->high += 0.5;
  }
  zoo::save("sides", *model, {}, {.metrics = metrics});
  EXPECT_NE(outcome("accuracy", data).find("metrics.accuracy: expected "), std::string::npos)
      << outcome("accuracy", data);
}

TEST_F(ZooMeasure, AJudgeOfTheZooIsAskedAgain) {
  const Dataset all = noise(200);
  data::pack({all.select(at::arange(100)), all.select(at::arange(0)), all.select(at::arange(100, 200))},
             root() / "noise.safetensors");
  const std::string data = "packed:" + (root() / "noise.safetensors").string();
  save_classifier("judge");
  seed(2);
  auto generator = build({"dcgan", {{"input", {1, 8, 8}}, {"channels", {4}}, {"noise", 4}, {"conditions", 3}}});
  generator->set_preprocess(Json::array({{{"name", "scale"}, {"from", {0, 255}}, {"to", {-1, 1}}}}));
  generator->eval();
  auto metrics = zoo::measure(*generator, {.data = data, .judge = "judge"});
  ASSERT_EQ(metrics.size(), 6u);
  for (const auto& [name, metric] : metrics) {
    EXPECT_EQ(metric.judge, "judge") << name;
    EXPECT_EQ(metric.split, "test") << name;
    ASSERT_TRUE(metric.interval) << name;
    EXPECT_EQ(metric.interval->method, "spread over 5 draws of samples");
    EXPECT_LT(metric.interval->low, metric.interval->high) << name;
    EXPECT_NEAR((metric.interval->low + metric.interval->high) / 2, metric.value, 1e-9) << name;
  }
  EXPECT_EQ(zoo::requests_of(metrics).size(), 1u) << "all of a judge's are measured together";
  const auto outcomes = [&] {
    const fs::path entry = zoo::save("generator", *generator, {}, {.metrics = metrics});
    std::map<std::string, std::string> found;
    for (const auto& check : zoo::verify_metrics(entry, data)) found[check.name] = check.outcome + ": " + check.detail;
    return found;
  };
  for (const auto& [name, outcome] : outcomes()) EXPECT_TRUE(outcome.starts_with("passed: ")) << name << outcome;
  auto& forged = metrics.at("frechet");
  forged = {.value = 2 * forged.value, .data = forged.data, .split = forged.split, .judge = forged.judge};
  EXPECT_TRUE(outcomes().at("metric frechet").starts_with("failed: "));
  for (auto& [name, metric] : metrics) metric.judge = "nobody";
  for (const auto& [name, outcome] : outcomes()) EXPECT_TRUE(outcome.starts_with("skipped: ")) << name << outcome;
}

}  // namespace
}  // namespace vaetl::testing::measure_test
