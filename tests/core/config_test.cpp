#include "vaetl/core/config.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"

namespace vaetl::config_test {
namespace {

using testing::expect_error;

struct Optimizer {
  double lr = 1e-3;
  std::optional<double> clip = {};
  static constexpr auto fields() {
    return std::tuple{field("lr", &Optimizer::lr, "learning rate", at_least(0)),
                      field("clip", &Optimizer::clip, "largest norm of the gradient", at_least(0))};
  }
};

struct Options {
  bool quiet = false;
  std::int64_t epochs = 10;
  std::uint64_t seed = 0;
  double dropout = 0.5;
  std::string precision = "float32";
  Json extra = Json::object();
  std::vector<std::int64_t> channels = {32, 64};
  std::vector<Optimizer> stages = {};
  Optimizer optimizer = {};
  std::optional<std::string> note = {};

  static constexpr auto fields() {
    using O = Options;
    return std::tuple{field("quiet", &O::quiet, "say nothing"),
                      field("epochs", &O::epochs, "passes over the data", at_least(1)),
                      field("seed", &O::seed, "seed"),
                      field("dropout", &O::dropout, "share dropped", between(0, 1)),
                      choice("precision", &O::precision, "of the arithmetic", {"float32", "bfloat16"}),
                      field("extra", &O::extra, "anything"),
                      field("channels", &O::channels, "channels of each layer", between(1, 4096)),
                      field("stages", &O::stages, "one a stage"),
                      field("optimizer", &O::optimizer, "optimiser"),
                      field("note", &O::note, "a note")};
  }
};

Options read(const std::string& text) { return from_json<Options>(parse_json(text, "test"), "trainer"); }

void refuse(const std::string& text, std::initializer_list<std::string_view> parts,
            std::source_location where = std::source_location::current()) {
  expect_error<ConfigError>([&] { read(text); }, parts, where);
}

TEST(Config, AbsentKeysLeaveTheDefaults) { EXPECT_EQ(to_json(read("{}")), to_json(Options{})); }

TEST(Config, ReadsEveryKind) {
  const Options o = read(R"({"quiet": true, "epochs": 3, "seed": 18446744073709551615, "dropout": 1, "note": "x",
      "precision": "bfloat16", "extra": [1], "channels": [8], "stages": [{"lr": 2}], "optimizer": {"clip": 1}})");
  EXPECT_TRUE(o.quiet);
  EXPECT_EQ(o.epochs, 3);
  EXPECT_EQ(o.seed, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(o.dropout, 1.0);
  EXPECT_EQ(o.precision, "bfloat16");
  EXPECT_EQ(o.extra, Json::array({1}));
  EXPECT_EQ(o.channels, std::vector<std::int64_t>{8});
  ASSERT_EQ(o.stages.size(), 1u);
  EXPECT_EQ(o.stages[0].lr, 2.0);
  EXPECT_EQ(o.optimizer.lr, 1e-3);
  EXPECT_EQ(o.optimizer.clip, 1.0);
  EXPECT_EQ(o.note, "x");
  EXPECT_EQ(to_json(from_json<Options>(to_json(o))), to_json(o));
}

TEST(Config, WritesDefaultsAndLeavesEmptyOptionalsOut) {
  const Json json = to_json(Options{});
  EXPECT_EQ(json.dump(), R"({"quiet":false,"epochs":10,"seed":0,"dropout":0.5,"precision":"float32","extra":{},)"
                         R"("channels":[32,64],"stages":[],"optimizer":{"lr":0.001}})");
  EXPECT_FALSE(read(R"({"note": null})").note.has_value());
}

TEST(Config, WrongTypesNamePathAndBothSides) {
  refuse("[]", {"trainer: expected an object, found an array"});
  refuse(R"({"quiet": 1})", {"trainer.quiet: expected true or false, found an integer 1"});
  refuse(R"({"epochs": "ten"})", {"trainer.epochs: expected an integer, found a string \"ten\""});
  refuse(R"({"epochs": 1.5})", {"trainer.epochs: expected an integer, found a number 1.5"});
  refuse(R"({"epochs": null})", {"trainer.epochs: expected an integer, found null"});
  refuse(R"({"epochs": true})", {"expected an integer, found a boolean true"});
  refuse(R"({"dropout": "0.1"})", {"trainer.dropout: expected a number, found a string \"0.1\""});
  refuse(R"({"precision": 32})", {"trainer.precision: expected a string, found an integer 32"});
  refuse(R"({"channels": 3})", {"trainer.channels: expected an array, found an integer 3"});
  refuse(R"({"channels": [3, "4"]})", {"trainer.channels[1]: expected an integer"});
  refuse(R"({"stages": [{}, {"lr": []}]})", {"trainer.stages[1].lr: expected a number, found an array"});
  refuse(R"({"optimizer": {"lr": {}}})", {"trainer.optimizer.lr: expected a number, found an object"});
  refuse(R"({"optimizer": "adamw"})", {"trainer.optimizer: expected an object, found a string \"adamw\""});
  expect_error<ConfigError>([] { from_json<Options>(Json(3)); }, {"options: expected an object"});
}

TEST(Config, LongValuesAreShortened) {
  try {
    read(R"({"epochs": ")" + std::string(100000, 'x') + "\"}");
    FAIL() << "a string was taken for an integer";
  } catch (const ConfigError& error) {
    EXPECT_LT(std::string(error.what()).size(), 200u);
  }
}

TEST(Config, RangesInWords) {
  refuse(R"({"epochs": 0})", {"trainer.epochs: expected at least 1, found 0"});
  refuse(R"({"dropout": 1.01})", {"trainer.dropout: expected between 0 and 1, found 1.01"});
  refuse(R"({"dropout": -1})", {"expected between 0 and 1, found -1"});
  refuse(R"({"channels": [8, 5000]})", {"trainer.channels[1]: expected between 1 and 4096, found 5000"});
  refuse(R"({"optimizer": {"clip": -0.5}})", {"trainer.optimizer.clip: expected at least 0, found -0.5"});
  EXPECT_EQ(read(R"({"epochs": 1})").epochs, 1);
  EXPECT_EQ(read(R"({"dropout": 0})").dropout, 0);
}

TEST(Config, NotANumberIsOutsideOfEveryRange) {
  const Json json{{"dropout", std::numeric_limits<double>::quiet_NaN()}};
  expect_error<ConfigError>([&] { from_json<Options>(json, "trainer"); }, {"between 0 and 1, found nan"});
}

TEST(Config, IntegersWithPointOrExponent) {
  EXPECT_EQ(read(R"({"epochs": 1e3})").epochs, 1000);
  EXPECT_EQ(read(R"({"epochs": 5.0})").epochs, 5);
  EXPECT_EQ(read(R"({"seed": 1e19})").seed, 10000000000000000000u);
  refuse(R"({"epochs": 1e19})", {"trainer.epochs: expected an integer between -9223372036854775808 and"});
  refuse(R"({"epochs": 9223372036854775808})", {"and 9223372036854775807, found 9223372036854775808"});
  refuse(R"({"epochs": -9223372036854775809})", {"trainer.epochs: expected an integer between"});
  refuse(R"({"seed": -1})", {"trainer.seed: expected an integer between 0 and 18446744073709551615, found -1"});
  refuse(R"({"seed": -1.0})", {"trainer.seed: expected an integer between 0"});
  refuse(R"({"seed": 1e20})", {"trainer.seed"});
}

TEST(Config, UnknownChoiceSuggestsTheNearest) {
  refuse(R"({"precision": "bfloat"})",
         {"trainer.precision: expected one of \"float32\", \"bfloat16\", found \"bfloat\"; did you mean"});
  refuse(R"({"precision": "bfloat61"})", {"did you mean \"bfloat16\"?"});
}

TEST(Config, UnknownKeySuggestsTheNearest) {
  refuse(R"({"epohcs": 3})", {"trainer: found the unknown key \"epohcs\"; did you mean \"epochs\"?"});
  refuse(R"({"optimizer": {"learning_rate": 1}})",
         {"trainer.optimizer: found the unknown key \"learning_rate\"", "\"lr\""});
  refuse(R"({"Seed": 3})", {"did you mean \"seed\"?"});
  const Json json{{"epohcs", 1}};
  expect_error<ConfigError>([&] { from_json<Options>(json); }, {"options: found the unknown key"});
}

struct Bounds {
  double low = 0, high = 1;
  static constexpr auto fields() {
    return std::tuple{field("low", &Bounds::low, "least"), field("high", &Bounds::high, "greatest")};
  }
  void validate() const {
    if (low > high) throw ConfigError({"bounds", "low at most high", fmt::format("{} and {}", low, high), {}});
  }
};

TEST(Config, RelationsBetweenFieldsAreValidated) {
  expect_error<ConfigError>(
      [] {
        from_json<Bounds>(Json{{"low", 2}});
      },
      {"bounds: expected low at most high, found 2 and 1"});
}

TEST(Config, SchemaSaysWhatReadingDoes) {
  const Json schema = json_schema<Options>();
  EXPECT_EQ(schema["type"], "object");
  EXPECT_EQ(schema["additionalProperties"], false);
  const Json& properties = schema["properties"];
  EXPECT_EQ(properties.size(), 10u);
  EXPECT_EQ(properties["quiet"], (Json{{"type", "boolean"}, {"description", "say nothing"}, {"default", false}}));
  EXPECT_EQ(properties["epochs"]["minimum"].dump(), "1");
  EXPECT_EQ(properties["seed"]["minimum"].dump(), "0");
  EXPECT_EQ(properties["dropout"]["maximum"].dump(), "1");
  EXPECT_EQ(properties["precision"]["enum"], Json::array({"float32", "bfloat16"}));
  EXPECT_EQ(properties["channels"]["items"]["maximum"], 4096);
  EXPECT_EQ(properties["optimizer"]["properties"]["lr"]["default"], 0.001);
  EXPECT_FALSE(properties["note"].contains("default"));
  EXPECT_FALSE(properties["extra"].contains("type"));
}

TEST(FieldsCover, CountsMembersOfEveryKind) {
  struct Empty {};
  struct Nested {
    Options options = {};
    std::array<double, 3> triple = {};
    std::map<std::string, Options> named = {};
    int plain[4] = {};
  };
  EXPECT_EQ(testing::member_count<Empty>(), 0u);
  EXPECT_EQ(testing::member_count<Bounds>(), 2u);
  EXPECT_EQ(testing::member_count<Options>(), 10u);
  EXPECT_EQ(testing::member_count<Nested>(), 4u);
}

TEST(FieldsCover, HoldsForTheseOptions) {
  testing::expect_fields_cover<Options>();
  testing::expect_fields_cover<Optimizer>();
  testing::expect_defaults_round_trip<Options>();
}

struct Forgetful {
  double listed = 0, forgotten = 0;
  static constexpr auto fields() { return std::tuple{field("listed", &Forgetful::listed, "listed")}; }
};

TEST(FieldsCover, SeesAForgottenMember) {
  EXPECT_NE(testing::member_count<Forgetful>(), std::tuple_size_v<decltype(Forgetful::fields())>);
}

}  // namespace
}  // namespace vaetl::config_test
