#include "vaetl/core/json.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::json_test {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

void refuse(const std::string& text, std::initializer_list<std::string_view> parts,
            std::source_location where = std::source_location::current()) {
  expect_error<ConfigError>([&] { parse_json(text, "r.json"); }, parts, where);
}

TEST(Json, KeepsTheOrderOfKeysAndEveryKindOfValue) {
  const std::string text = R"({"z":1,"a":[true,false,null,-2,18446744073709551615,0.5,"é\n"],"m":{}})";
  EXPECT_EQ(parse_json(text, "r.json").dump(), text);
  EXPECT_EQ(parse_json(" 7 ", "r.json"), 7);
  EXPECT_EQ(parse_json("\xef\xbb\xbf[]", "r.json"), Json::array());
}

TEST(Json, SyntaxErrorsGiveLineAndColumn) {
  refuse("{\"a\": 1,\n \"b\": }", {"r.json, line 2, column 7: expected '[', '{', or a literal, found '}'"});
  refuse("[1, 2", {"r.json, line 1, column 6: expected ']', found end of input"});
  refuse("", {"line 1, column 1: expected '[', '{', or a literal, found end of input"});
  refuse("{\"é\": nul}", {"line 1, column 10: expected valid JSON, found invalid literal at \"}\""});
  refuse("epochs: 3", {"line 1, column 1: expected valid JSON, found invalid literal at \"epochs: 3\""});
  refuse("[1] [", {"line 1, column 5: expected end of input, found '['"});
  refuse("{\"a\": 1 // comment\n}", {"line 1, column 9", "invalid literal at \"// comment"});
  refuse("[1,]", {"column 4", "found ']'"});
  refuse("{\"a\" 5}", {"column 6: expected ':', found number literal"});
  refuse("{5: 1}", {"expected string literal, found number literal"});
  refuse("{\"a\": 1 \"b\": 2}", {"expected '}', found string literal"});
  refuse("[\"" + std::string(1000, 'q'), {"column 1003: expected valid JSON", "missing closing quote at the end"});
  refuse("[\"a\nb\"]", {"line 1, column 4", "must be escaped"});
}

TEST(Json, MessagesAreShortAndNotTheParsersOwn) {
  try {
    parse_json("[\"" + std::string(100000, 'q') + "\n\"]", "r.json");
    FAIL() << "a line break in a string was accepted";
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    EXPECT_LT(message.size(), 200u);
    EXPECT_EQ(message.find("json.exception"), std::string::npos);
  }
}

TEST(Json, NothingButFiniteNumbers) {
  refuse("[NaN]", {"line 1, column 2"});
  refuse("[Infinity]", {"line 1, column 2"});
  refuse("[-Infinity]", {"line 1, column 3"});
  refuse("[1, 1e999]", {"line 1", "expected a number that fits a double, found \"1e999\""});
}

TEST(Json, RefusesWhatIsNotUtf8) {
  refuse("[\"a\xff\"]", {"line 1, column 4: expected UTF-8 text, found other bytes"});
  refuse("{\"\xc0\xaf\": 1}", {"UTF-8"});
  refuse("[\"\xed\xa0\x80\"]", {"UTF-8"});  // a surrogate
}

TEST(Json, DuplicateKeysAreNamedWithTheirPath) {
  refuse(R"({"seed": 0, "name": "x", "seed": 1})", {"r.json: expected every key once, found \"seed\" twice"});
  refuse(R"({"data": [{}, {"a": {"open": 1, "open": 2}}]})", {"\"data[1].a.open\" twice"});
  EXPECT_NO_THROW(parse_json(R"({"a": {"x": 1}, "b": {"x": 1}})", "r.json"));
}

TEST(Json, DepthIsLimitedWhileParsing) {
  refuse(std::string(200000, '['), {"r.json: expected at most 64 levels of nesting, found more"});
  refuse(std::string(200000, '[') + std::string(200000, ']'), {"64 levels"});
  EXPECT_NO_THROW(parse_json(std::string(64, '[') + std::string(64, ']'), "r.json"));
  refuse(std::string(65, '[') + std::string(65, ']'), {"64 levels"});
  std::string objects;
  for (int i = 0; i < 65; ++i) objects += "{\"a\":";
  refuse(objects, {"64 levels"});
}

TEST(Json, BytesAreLimited) {
  expect_error<ConfigError>([] { parse_json("[1, 2]", "r.json", {.bytes = 5}); },
                            {"r.json: expected at most 5 bytes, found 6 bytes"});
  EXPECT_NO_THROW(parse_json("[1, 2]", "r.json", {.bytes = 6}));
}

// A quadratic search for duplicates would take minutes.
TEST(Json, ManyKeysAreQuick) {
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) text += fmt::format("\"key{}\": {},", i, i);
  text.back() = '}';
  EXPECT_EQ(parse_json(text, "r.json").size(), 100000u);
}

TEST(ReadJson, ReadsAFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("r.json", R"({"seed": 3})");
  EXPECT_EQ(read_json(path)["seed"], 3);
  expect_error<ConfigError>([&] { read_json(path, {.bytes = 4}); }, {path, "at most 4 bytes", "a larger file"});
  expect_error<ConfigError>([&] { read_json(folder.file("bad.json", "{")); }, {"bad.json, line 1, column 2"});
}

TEST(ReadJson, RefusesWhatCannotBeRead) {
  const TemporaryFolder folder;
  expect_error<ConfigError>([&] { read_json(folder.path()); }, {folder.path(), "expected a JSON file, found a folder"});
  expect_error<ConfigError>([&] { read_json(folder.path() + "/absent.json"); },
                            {"absent.json", "expected a JSON file that can be read, found No such file or directory"});
  const std::string file = folder.file("r.json", "{}");
  expect_error<ConfigError>([&] { read_json(file + "/below.json"); }, {"below.json", "Not a directory"});
  expect_error<ConfigError>([] { read_json("/proc/self/mem"); }, {"/proc/self/mem", "Input/output error"});
  expect_error<ConfigError>([] { read_json("/dev/zero", {.bytes = 1000}); }, {"/dev/zero", "at most 1000 bytes"});
}

TEST(Json, TypesInWords) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"null", "null"},    {"true", "a boolean"}, {"-1", "an integer"}, {"1", "an integer"},
      {"1.5", "a number"}, {"\"\"", "a string"},  {"[]", "an array"},   {"{}", "an object"}};
  for (const auto& [text, name] : cases) EXPECT_EQ(json_type(parse_json(text, "r.json")), name);
}

}  // namespace
}  // namespace vaetl::json_test
