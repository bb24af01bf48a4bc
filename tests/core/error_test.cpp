#include "vaetl/core/error.hpp"

#include <gtest/gtest.h>

#include "tests/support/expect_error.hpp"

namespace vaetl::error_test {
namespace {

std::string message(Problem problem) { return ConfigError(std::move(problem)).what(); }

TEST(Error, PutsThePartsIntoOneLine) {
  EXPECT_EQ(message({"where", "a", "b", "c"}), "where: expected a, found b; c");
  EXPECT_EQ(message({"where", "", "b", "c"}), "where: found b; c");
  EXPECT_EQ(message({"where", "a", "", ""}), "where: expected a");
  EXPECT_EQ(message({"", "a", "b", ""}), "expected a, found b");
  EXPECT_EQ(message({"where", "a\nb", "c\td", "e\r\x1b[31m"}), "where: expected a b, found c d; e  [31m");
}

TEST(Error, KeepsTheParts) {
  const DataError error({"where", "a", "b\nc", "d"});
  EXPECT_EQ(error.problem.found, "b\nc");
  EXPECT_EQ(error.exit_code, Exit::data);
}

TEST(Error, EachKindHasItsExitCode) {
  auto code = [](const Error& error) { return static_cast<int>(error.exit_code); };
  EXPECT_EQ(code(ConfigError({})), 2);
  EXPECT_EQ(code(DataError({})), 3);
  EXPECT_EQ(code(FileError({})), 4);
  EXPECT_EQ(code(DeviceError({})), 5);
  EXPECT_EQ(code(DivergedError({})), 6);
  EXPECT_EQ(code(OutputError({})), 7);
}

}  // namespace
}  // namespace vaetl::error_test
