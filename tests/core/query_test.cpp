#include "vaetl/core/query.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::testing::query_test {
namespace {

TEST(Query, ValuesAreJsonOrText) {
  const Json options = parse_query("k=5&rate=0.5&on=true&name=abc&list=[1,2]&quoted=\"5\"", "test", "");
  EXPECT_EQ(options, (Json{{"k", 5}, {"rate", 0.5}, {"on", true}, {"name", "abc"}, {"list", {1, 2}}, {"quoted", "5"}}));
  EXPECT_EQ(parse_query("", "test", ""), Json::object());
}

TEST(Query, IsReadBackAsItWasWritten) {
  for (const Json& options : {Json::object(), Json{{"k", 5}}, Json{{"a", "5"}, {"b", "x&y?z=100%"}, {"c?", nullptr}}}) {
    const std::string text = query_text(options);
    EXPECT_EQ(text.empty(), options.empty());
    EXPECT_EQ(parse_query(text.empty() ? text : text.substr(1), "test", text), options) << text;
  }
  EXPECT_EQ(query_unescaped(query_escaped("50%26&?")), "50%26&?");
}

TEST(Query, AKeyIsNeeded) {
  for (const char* text : {"samples", "=5", "a=1&b"}) {
    expect_error<ConfigError>([&] { parse_query(text, "data", "the whole"); },
                              {"data: expected options after ? such as key=value&key=value", "in \"the whole\""});
  }
}

}  // namespace
}  // namespace vaetl::testing::query_test
