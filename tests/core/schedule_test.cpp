#include "vaetl/core/schedule.hpp"

#include <gtest/gtest.h>

#include "tests/support/expect_error.hpp"

namespace vaetl::schedule_test {
namespace {

using testing::expect_error;

Schedule read(const std::string& text, const Rule& rule = {}) {
  Schedule result;
  Codec<Schedule>::read(parse_json(text, "test"), "lr_curve", result, rule);
  return result;
}

void refuse(const std::string& text, std::initializer_list<std::string_view> parts, const Rule& rule = {},
            std::source_location where = std::source_location::current()) {
  expect_error<ConfigError>([&] { read(text, rule); }, parts, where);
}

TEST(Schedule, Constant) {
  EXPECT_EQ(Schedule(0.5).at(0), 0.5);
  EXPECT_EQ(Schedule(0.5).at(1), 0.5);
  EXPECT_EQ(Schedule().at(0.3), 0);
}

TEST(Schedule, LinearFollowsItsLine) {
  const Schedule s = Schedule::linear(2, -2);
  EXPECT_EQ(s.at(0), 2);
  EXPECT_EQ(s.at(0.25), 1);
  EXPECT_EQ(s.at(1), -2);
}

// Four operations of a rounding error of 1.1e-16 relative each; the values are at most 1.
TEST(Schedule, CosineWarmsUpThenFalls) {
  const Schedule s = Schedule::cosine(0.2);
  EXPECT_EQ(s.at(0), 0);
  EXPECT_EQ(s.at(0.1), 0.5);
  EXPECT_EQ(s.at(0.2), 1);
  EXPECT_NEAR(s.at(0.4), 0.8535533905932737, 1e-15);  // ½ (1 + cos π/4)
  EXPECT_NEAR(s.at(0.6), 0.5, 1e-15);
  EXPECT_NEAR(s.at(1), 0, 1e-15);
  EXPECT_EQ(Schedule::cosine().at(0), 1);
}

TEST(Schedule, DannRisesFromZero) {
  const Schedule s = Schedule::dann();
  EXPECT_EQ(s.at(0), 0);
  EXPECT_NEAR(s.at(0.1), 0.46211715726000973, 1e-15);  // tanh(½)
  EXPECT_NEAR(s.at(1), 0.9999092042625951, 1e-15);     // tanh(5)
}

// Two restarts; each period is twice as long as the one before: [0, 0.1), [0.1, 0.3), [0.3, 0.7).
TEST(Schedule, CosineRestartsAtOne) {
  const Schedule s = curves::Cosine{.floor = 0.2, .period = 0.1, .multiplier = 2};
  for (const double start : {0.0, 0.1, 0.3, 0.7}) EXPECT_NEAR(s.at(start), 1, 1e-9) << start;
  EXPECT_NEAR(s.at(0.2), 0.6, 1e-9);  // half of the second
  EXPECT_NEAR(s.at(0.6999999), 0.2, 1e-6);
}

TEST(Schedule, StepsCountFromTheStartOfTraining) {
  const Schedule s = curves::Step{.every = 30, .warmup = 5, .unit = "epochs"};
  const Span span{900, 10};  // 90 epochs
  EXPECT_EQ(s.at(0, span), 0);
  EXPECT_NEAR(s.at(25 / 900.0, span), 0.5, 1e-15);
  EXPECT_EQ(s.at(299 / 900.0, span), 1);
  EXPECT_EQ(s.at(300 / 900.0, span), 0.1);
  EXPECT_NEAR(s.at(600 / 900.0, span), 0.01, 1e-17);
}

TEST(Schedule, WarmsUpToWhatTheCurveBeginsWith) {
  EXPECT_NEAR(Schedule(curves::Linear{.from = 4, .to = 2, .warmup = 0.5}).at(0.25), 2, 1e-15);
  EXPECT_NEAR(Schedule(curves::Linear{.from = 4, .to = 2, .warmup = 0.5}).at(0.75), 3, 1e-15);
  EXPECT_NEAR(Schedule(curves::Constant{.value = 3, .warmup = 10, .unit = "steps"}).at(0.05, {100, 10}), 1.5, 1e-15);
  EXPECT_EQ(Schedule(curves::Exponential{.factor = 0.01, .warmup = 0.1}).at(0.1), 1);
}

TEST(Schedule, OneCycleRisesThenFallsFarther) {
  const Schedule s = curves::OneCycle{};
  EXPECT_NEAR(s.at(0), 1.0 / 25, 1e-15);
  EXPECT_EQ(s.at(0.3), 1);
  EXPECT_NEAR(s.at(1), 1.0 / 25e4, 1e-15);
}

TEST(Schedule, EpochsNeedATrainingOfKnownLength) {
  const Schedule s = curves::Step{.every = 30, .unit = "epochs"};
  expect_error<ConfigError>([&] { s.at(0.5); }, {"a training whose length is known", "a curve in epochs", "shares"});
  EXPECT_EQ(Schedule(curves::Step{.every = 0.5}).at(0.6), 0.1);
}

TEST(Schedule, ProgressOutsideIsTheNearestEnd) {
  const Schedule s = Schedule::linear(1, 3);
  EXPECT_EQ(s.at(-1), 1);
  EXPECT_EQ(s.at(1.5), 3);
}

TEST(Schedule, IsWrittenAsItIsRead) {
  for (const std::string text :
       {"0.5", R"({"linear":[0.0,4.0]})", R"({"cosine":{"warmup":0.1}})", R"({"dann":10.0})",
        R"({"cosine":{"warmup":0.0,"floor":0.1,"period":5.0,"unit":"epochs"}})",
        R"({"linear":{"to":2.0,"over":10.0,"unit":"epochs"}})", R"({"constant":{"value":1.0,"warmup":0.1}})",
        R"({"step":{"at":[0.5,0.75],"factor":0.2}})", R"({"exponential":{"factor":0.9,"unit":"epochs"}})",
        R"({"one_cycle":{}})", R"({"one_cycle":{"pct_start":0.25}})"}) {
    EXPECT_EQ(Codec<Schedule>::write(read(text)).dump(), text);
  }
  EXPECT_EQ(read("1").at(0.5), 1);
  EXPECT_EQ(read(R"({"cosine": {}})").at(0), 1);
  EXPECT_EQ(read(R"({"linear": [0, 4]})").at(0.5), 2);
}

TEST(Schedule, RefusesWhatIsNone) {
  refuse("\"cosine\"", {"lr_curve: expected a number, {\"linear\": [from, to]}", "found a string \"cosine\""});
  refuse("{}", {"lr_curve: expected a number", "found an object"});
  refuse(R"({"linear": [0, 1], "dann": 1})", {"lr_curve: expected a number", "found an object"});
  refuse(R"({"cosin": {}})", {"found the unknown curve \"cosin\"; did you mean \"cosine\"?"});
  refuse(R"({"linear": [0]})", {"lr_curve.linear: expected an array of two numbers, [from, to], found an array"});
  refuse(R"({"linear": [0, "1"]})", {"lr_curve.linear.to: expected a number, found a string \"1\""});
  refuse(R"({"cosine": 0.1})", {"lr_curve.cosine: expected an object, found a number 0.1"});
  refuse(R"({"cosine": {"warm": 0.1}})", {"lr_curve.cosine: found the unknown key \"warm\"", "\"warmup\""});
  refuse(R"({"cosine": {"warmup": 1}})", {"lr_curve.cosine.warmup: expected a share", "below 1, found 1"});
  refuse(R"({"cosine": {"multiplier": 2}})", {"cosine.multiplier: expected a period", "set period"});
  refuse(R"({"dann": -1})", {"lr_curve.dann.gamma: expected at least 0, found -1"});
  refuse(R"({"plateau": {}})", {"the unknown curve \"plateau\"", "it depends on results: set trainer.plateau"});
  refuse(R"({"step": {}})", {"step: expected either \"every\" or \"at\", found neither"});
  refuse(R"({"step": {"every": 1, "at": [2]}})", {"found both"});
  refuse(R"({"step": {"every": 3, "unit": "epoch"}})", {"lr_curve.step.unit", "\"epochs\"", "found \"epoch\""});
  refuse(R"({"linear": {"from": 1, "warmup": 1.5}})", {"lr_curve.linear.warmup: expected a share of training"});
  refuse(R"({"constant": {"value": -1}})", {"lr_curve", "expected at least 0, found -1"}, {at_least(0)});
  refuse("-0.5", {"lr_curve: expected at least 0, found -0.5"}, {at_least(0)});
  refuse(R"({"linear": [1, -1]})", {"lr_curve.linear.to: expected at least 0, found -1"}, {at_least(0)});
  expect_error<ConfigError>([] { Schedule::cosine(1.0); }, {"cosine.warmup: expected a share", "found 1"});
}

}  // namespace
}  // namespace vaetl::schedule_test
