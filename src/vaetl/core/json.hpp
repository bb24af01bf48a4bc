// JSON as the project reads it: ordered keys, limits on bytes and depth, a duplicate key is an error.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vaetl {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  std::size_t bytes = 16u << 20;
  std::size_t depth = 64;
};

// Parses `text`; `where` (a file name, say) begins the message. ConfigError tells line and column of what is wrong.
Json parse_json(std::string_view text, const std::string& where, JsonLimits limits = {});

// Reads and parses a file. An absent or unreadable file is a ConfigError.
Json read_json(const std::string& path, JsonLimits limits = {});

// "a string", "an integer", "an object", …: how error messages name what was found.
std::string json_type(const Json& json);

}  // namespace vaetl
