#include "vaetl/core/overrides.hpp"

#include <gtest/gtest.h>

#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::overrides_test {
namespace {

using testing::expect_error;

const std::string base =
    R"({"seed":0,"objective":"elbo","trainer":{"epochs":10},"transfer":{"heads":[{"classes":2},{"classes":3}]}})";

std::string after(const std::string& assignment, const std::string& recipe = base) {
  Json json = parse_json(recipe, "test");
  apply_override(json, assignment);
  return json.dump();
}

// The recipe stays as it was, too.
void refuse(const std::string& assignment, std::initializer_list<std::string_view> parts,
            std::source_location where = std::source_location::current()) {
  Json json = parse_json(base, "test");
  expect_error<ConfigError>([&] { apply_override(json, assignment); }, parts, where);
  EXPECT_EQ(json.dump(), base);
}

TEST(Override, SetsAndCreates) {
  EXPECT_EQ(after("a=1", "{}"), R"({"a":1})");
  EXPECT_EQ(after("a.b.c=1", "{}"), R"({"a":{"b":{"c":1}}})");
  EXPECT_EQ(after("trainer.epochs=3", R"({"trainer":{"epochs":10,"steps":5}})"),
            R"({"trainer":{"epochs":3,"steps":5}})");
  EXPECT_EQ(after("a.b=1", R"({"a":null})"), R"({"a":{"b":1}})");
}

TEST(Override, TheValueIsJsonOrAString) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1e-3", "0.001"},          {"true", "true"},   {"null", "null"},           {"[1, 2]", "[1,2]"},
      {"{\"b\":1}", "{\"b\":1}"}, {"\"7\"", "\"7\""}, {"adamw", "\"adamw\""},     {"", "\"\""},
      {"a=b", "\"a=b\""},         {"[1,", "\"[1,\""}, {"zoo:x.y", "\"zoo:x.y\""}, {"NaN", "\"NaN\""}};
  for (const auto& [value, expected] : cases) EXPECT_EQ(after("a=" + value, "{}"), "{\"a\":" + expected + "}") << value;
}

TEST(Override, NumbersIndexArrays) {
  const std::string recipe = R"({"heads":[{"classes":2},{"classes":3}]})";
  EXPECT_EQ(after("heads.1.classes=5", recipe), R"({"heads":[{"classes":2},{"classes":5}]})");
  EXPECT_EQ(after("heads.0=7", recipe), R"({"heads":[7,{"classes":3}]})");
  EXPECT_EQ(after("streams.0=7", "{}"), R"({"streams":{"0":7}})");
}

TEST(Override, ABareNameBecomesAnObject) {
  EXPECT_EQ(after("objective.beta=4", R"({"objective":"elbo"})"), R"({"objective":{"name":"elbo","beta":4}})");
  EXPECT_EQ(after("o.1.weight=2", R"({"o":["ce","coral"]})"), R"({"o":["ce",{"name":"coral","weight":2}]})");
  EXPECT_EQ(after("objective=simclr", R"({"objective":{"name":"elbo","beta":4}})"), R"({"objective":"simclr"})");
}

TEST(Override, RefusesWhatIsNoAssignment) {
  refuse("trainer.epochs", {"override \"trainer.epochs\": expected section.key=value, found no \"=\""});
  refuse("", {"override \"\": expected section.key=value"});
  for (const std::string text : {"=1", ".a=1", "a.=1", "a..b=1"}) {
    refuse(text, {"override \"" + text + "\": expected section.key=value, found an empty part before \"=\""});
  }
  refuse("a=\xff", {"override: expected UTF-8 text, found other bytes"});
}

TEST(Override, RefusesPathsThatLeadNowhere) {
  refuse("trainer.epochs.x=1", {"expected an object or an array at \"trainer.epochs\", found an integer 10"});
  refuse("seed.a.b=1", {"at \"seed\", found an integer 0"});
  refuse("transfer.heads.2.classes=1",
         {"expected an index into \"transfer.heads\", which has 2 elements, found \"2\""});
  refuse("transfer.heads.x=1", {"which has 2 elements, found \"x\""});
  refuse("transfer.heads.-1=1", {"found \"-1\""});
  refuse("transfer.heads.99999999999999999999=1", {"which has 2 elements"});
}

TEST(Override, KeepsTheLimitsOfJson) {
  refuse("a={\"b\":1,\"b\":2}", {"override", "\"b\" twice"});
  refuse("a=" + std::string(200000, '[') + std::string(200000, ']'), {"at most 64 levels of nesting"});
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "a.";
  refuse(deep + "a=1", {"at most 64 parts"});
  Json array = Json::array();
  expect_error<ConfigError>([&] { apply_override(array, "a=1"); }, {"recipe: expected an object, found an array"});
}

}  // namespace
}  // namespace vaetl::overrides_test
