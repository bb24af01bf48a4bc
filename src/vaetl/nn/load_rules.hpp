// Patterns of load rules: `*` stands for any run of characters, and nothing else is special. Internal.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/nn/state.hpp"

namespace vaetl {

// What each `*` of the pattern stands for; none where the text does not match. Of several ways the one in which the
// first `*` is shortest, then the second, and so on: the last takes what is left ("*.*" of "a.b.c": "a", "b.c").
std::optional<std::vector<std::string>> match_stars(std::string_view pattern, std::string_view text);

// ConfigError for a rule that makes no sense whatever the names.
void check_rules(const std::vector<LoadRule>& rules);

std::vector<std::string> names_of(const Weights& weights);
// ConfigError, beginning with `path`, for a pattern that means none of the names: what was expected, the nearest names.
void check_matches(const std::string& pattern, const std::vector<std::string>& names, const std::string& expected,
                   const std::string& path);
inline constexpr const char* tensor_of_source = "a pattern that matches a tensor of the source";

struct Destination {
  std::string name;                // empty: dropped
  const LoadRule* rule = nullptr;  // null: none matches, the name stays
};
Destination destination(const std::string& name, const std::vector<LoadRule>& rules);

}  // namespace vaetl
