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

TEST(Schedule, ProgressOutsideIsTheNearestEnd) {
  const Schedule s = Schedule::linear(1, 3);
  EXPECT_EQ(s.at(-1), 1);
  EXPECT_EQ(s.at(1.5), 3);
}

TEST(Schedule, IsWrittenAsItIsRead) {
  for (const std::string text :
       {"0.5", R"({"linear":[0.0,4.0]})", R"({"cosine":{"warmup":0.1}})", R"({"dann":10.0})"}) {
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
  refuse(R"({"linear": [0, "1"]})", {"lr_curve.linear[1]: expected a number, found a string \"1\""});
  refuse(R"({"cosine": 0.1})", {"lr_curve.cosine: expected an object, found a number 0.1"});
  refuse(R"({"cosine": {"warm": 0.1}})", {"lr_curve.cosine: found the unknown key \"warm\"", "\"warmup\""});
  refuse(R"({"cosine": {"warmup": 1}})", {"lr_curve.cosine.warmup: expected a share", "below 1, found 1"});
  refuse(R"({"dann": -1})", {"lr_curve.dann: expected at least 0, found -1"});
  refuse("-0.5", {"lr_curve: expected at least 0, found -0.5"}, {at_least(0)});
  refuse(R"({"linear": [1, -1]})", {"lr_curve.linear[1]: expected at least 0, found -1"}, {at_least(0)});
  expect_error<ConfigError>([] { Schedule::cosine(1.0); }, {"cosine.warmup: expected a share", "found 1"});
}

}  // namespace
}  // namespace vaetl::schedule_test
