#include "vaetl/data/reference.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/query.hpp"

namespace vaetl {
namespace data {

std::string Reference::text() const {
  return (path.empty() ? name : name + ":" + query_escaped(path)) + query_text(options);
}

Reference parse_reference(const std::string& text) {
  Reference reference;
  const std::string_view whole = text;
  const auto mark = whole.find('?');
  const std::string_view place = whole.substr(0, mark);
  const auto colon = place.find(':');
  reference.name = std::string(place.substr(0, colon));
  if (colon != std::string_view::npos) {
    reference.path = query_unescaped(place.substr(colon + 1));
    if (reference.path.empty()) {
      throw ConfigError({"data", fmt::format("a path after \"{}:\"", reference.name), "nothing", {}});
    }
  }
  if (mark != std::string_view::npos) reference.options = parse_query(whole.substr(mark + 1), "data", text);
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
