#include "vaetl/core/registry.hpp"

#include "vaetl/core/text.hpp"

namespace vaetl::detail {

Json no_options() { return Json::object(); }

void throw_unknown_name(std::string_view kind, const std::string& path, const std::string& name,
                        const std::vector<std::string>& known) {
  const std::string remedy = known.empty() ? "none is registered" : did_you_mean(name, known);
  throw ConfigError(
      {path.empty() ? std::string(kind) : path, fmt::format("the name of a known {}", kind), quote(name), remedy});
}

void read_spec(const Json& json, const std::string& path, std::string& name, Json& options) {
  constexpr std::string_view expected = "a name, or an object with \"name\" and options";
  if (!json.is_string() && !json.is_object()) throw_type(path, expected, json);
  options = Json::object();
  if (json.is_object()) {
    const auto found = json.find("name");
    if (found == json.end()) throw ConfigError({path, std::string(expected), "no \"name\"", {}});
    if (!found->is_string()) throw_type(path.empty() ? "name" : path + ".name", "a string", *found);
    name = found->get<std::string>();
    options = json;
    options.erase("name");
  } else {
    name = json.get<std::string>();
  }
  if (name.empty()) throw ConfigError({path, std::string(expected), "an empty name", {}});
}

Json write_spec(const std::string& name, const Json& options) {
  if (options.empty()) return name;
  Json json{{"name", name}};
  json.update(options);
  return json;
}

}  // namespace vaetl::detail
