#include "vaetl/data/reference.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl {
namespace data {
namespace {

std::string escaped(const std::string& text) {
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

std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view code = text.substr(i, 3);
    const char* found = code == "%26" ? "&" : code == "%3F" ? "?" : code == "%25" ? "%" : nullptr;
    if (found != nullptr) i += 2;
    result += found != nullptr ? *found : text[i];
  }
  return result;
}

Json value_of(const std::string& text) {
  const Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

// What value_of() reads back as the same value: text that would parse as JSON keeps its quotes.
std::string text_of(const Json& value) {
  const bool plain = value.is_string() && value_of(value.get<std::string>()) == value;
  return escaped(plain ? value.get<std::string>() : value.dump());
}

void read_options(Reference& reference, std::string_view text, const std::string& whole) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      throw ConfigError({"data", "options after ? such as key=value&key=value", quote(part), "in " + quote(whole)});
    }
    reference.options[unescaped(part.substr(0, equals))] = value_of(unescaped(part.substr(equals + 1)));
  }
}

}  // namespace

std::string Reference::text() const {
  std::string result = path.empty() ? name : name + ":" + escaped(path);
  char mark = '?';
  for (const auto& [key, value] : options.items()) {
    result += fmt::format("{}{}={}", std::exchange(mark, '&'), escaped(key), text_of(value));
  }
  return result;
}

Reference parse_reference(const std::string& text) {
  Reference reference;
  const std::string_view whole = text;
  const auto mark = whole.find('?');
  const std::string_view place = whole.substr(0, mark);
  const auto colon = place.find(':');
  reference.name = std::string(place.substr(0, colon));
  if (colon != std::string_view::npos) {
    reference.path = unescaped(place.substr(colon + 1));
    if (reference.path.empty()) {
      throw ConfigError({"data", fmt::format("a path after \"{}:\"", reference.name), "nothing", {}});
    }
  }
  if (mark != std::string_view::npos) read_options(reference, whole.substr(mark + 1), text);
  return reference;
}

}  // namespace data

void Codec<data::Reference>::read(const Json& json, const std::string& path, data::Reference& value, const Rule&) {
  if (json.is_string()) {
    value = data::parse_reference(json.get<std::string>());
    return;
  }
  if (!json.is_object()) throw_type(path, "NAME, KIND:PATH or {\"name\": …, \"path\": …, options}", json);
  value = {};
  for (const auto& [key, option] : json.items()) {
    if (key == "name" || key == "path") {
      Codec<std::string>::read(option, path + "." + key, key == "name" ? value.name : value.path, {});
    } else {
      value.options[key] = option;
    }
  }
  if (value.name.empty()) throw ConfigError({path + ".name", "a known set or a kind of data", "none", {}});
}

Json Codec<data::Reference>::write(const data::Reference& value) {
  return value.empty() ? Json("") : Json(value.text());
}

Json Codec<data::Reference>::schema(const Rule&) { return Json{{"type", Json::array({"string", "object"})}}; }

}  // namespace vaetl
