// Small text helpers: the nearest names for an error message, quotes, joined lists, glob patterns.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl {

// The number of single-character edits (insert, delete, replace, swap of neighbours) between two names.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Up to `count` candidates by increasing edit distance; ties keep the order of the candidates.
std::vector<std::string> nearest(std::string_view name, std::span<const std::string> candidates, std::size_t count = 3);

std::string join(std::span<const std::string> parts, std::string_view separator = ", ");

// "text" in double quotes for a message, shortened to about `longest` bytes between two characters.
std::string quote(std::string_view text, std::size_t longest = 60);

// `did you mean "a", "b" or "c"?` with the nearest names: one where it is a likely slip of the pen, else up to three.
// Empty where there are no candidates.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

// 1234567 → "1,234,567".
std::string thousands(std::int64_t number);

// `*` matches any run of characters (dots too), `?` one, `[ab]` a set.
bool glob_match(std::string_view pattern, std::string_view text);

// With every control character as a space, so that it stays on one line.
std::string one_line(std::string text);

}  // namespace vaetl
