// Options written behind a name, "NAME?key=value&key=value": how data and metrics are referred to in one line. A value
// is JSON where it parses as JSON, else text; `%26`, `%3F` and `%25` stand for & ? % in it.
#pragma once
#include <string>
#include <string_view>

#include "vaetl/core/json.hpp"

namespace vaetl {

// "key=value&key=value" → {"key": value, …}. ConfigError, beginning with `where`, for a part without a key; it quotes
// the `whole`.
Json parse_query(std::string_view text, const std::string& where, const std::string& whole);
// {"key": value, …} → "?key=value&key=value", which the former reads back without the mark; nothing for no options.
std::string query_text(const Json& options);

std::string query_escaped(const std::string& text);
std::string query_unescaped(std::string_view text);

}  // namespace vaetl
