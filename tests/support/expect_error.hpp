// expect_error<ConfigError>([&] { … }, {"trainer.lr", "at least 0"}): the callable throws exactly that class, its
// message is one line, and every substring occurs in it.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>

namespace vaetl::testing {

inline void check_message(const std::string& message, std::initializer_list<std::string_view> parts,
                          const std::source_location& where) {
  const bool one_line =
      std::none_of(message.begin(), message.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (message.empty() || !one_line) {
    ADD_FAILURE_AT(where.file_name(), where.line()) << "the message is not one line: \"" << message << "\"";
  }
  for (std::string_view part : parts) {
    if (message.find(part) != std::string::npos) continue;
    ADD_FAILURE_AT(where.file_name(), where.line()) << "the message lacks \"" << part << "\": " << message;
  }
}

template <class ErrorType, class Callable>
void expect_error(Callable&& callable, std::initializer_list<std::string_view> parts = {},
                  std::source_location where = std::source_location::current()) {
  try {
    std::forward<Callable>(callable)();
    ADD_FAILURE_AT(where.file_name(), where.line()) << "nothing was thrown";
  } catch (const ErrorType& error) {
    if (typeid(error) != typeid(ErrorType)) {
      ADD_FAILURE_AT(where.file_name(), where.line()) << "a derived class was thrown: " << typeid(error).name();
    }
    check_message(error.what(), parts, where);
  } catch (const std::exception& error) {
    ADD_FAILURE_AT(where.file_name(), where.line())
        << "another class was thrown, " << typeid(error).name() << ": " << error.what();
  }
}

}  // namespace vaetl::testing
