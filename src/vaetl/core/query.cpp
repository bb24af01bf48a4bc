#include "vaetl/core/query.hpp"

#include <utility>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

Json query_value(const std::string& text) {
  const Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

// What query_value() reads back as the same value: text that would parse as JSON keeps its quotes.
std::string query_value_text(const Json& value) {
  const bool plain = value.is_string() && query_value(value.get<std::string>()) == value;
  return query_escaped(plain ? value.get<std::string>() : value.dump());
}

}  // namespace

std::string query_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '%' || c == '&' || c == '?') {
      result += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      result += c;
    }
  }
  return result;
}

std::string query_unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view code = text.substr(i, 3);
    const char* found = code == "%26" ? "&" : code == "%3F" ? "?" : code == "%25" ? "%" : nullptr;
    if (found != nullptr) i += 2;
    result += found != nullptr ? *found : text[i];
  }
  return result;
}

Json parse_query(std::string_view text, const std::string& where, const std::string& whole) {
  Json options = Json::object();
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      throw ConfigError({where, "options after ? such as key=value&key=value", quote(part), "in " + quote(whole)});
    }
    options[query_unescaped(part.substr(0, equals))] = query_value(query_unescaped(part.substr(equals + 1)));
  }
  return options;
}

std::string query_text(const Json& options) {
  std::string result;
  char mark = '?';
  for (const auto& [key, value] : options.items()) {
    result += fmt::format("{}{}={}", std::exchange(mark, '&'), query_escaped(key), query_value_text(value));
  }
  return result;
}

}  // namespace vaetl
