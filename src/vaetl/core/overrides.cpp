#include "vaetl/core/overrides.hpp"

#include <charconv>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

constexpr std::size_t deepest = JsonLimits{}.depth;

std::vector<std::string> split_path(std::string_view path, const std::string& where) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    parts.emplace_back(path.substr(begin, end - begin));
    if (parts.back().empty()) throw ConfigError({where, "section.key=value", "an empty part before \"=\"", {}});
    if (parts.size() > deepest) throw ConfigError({where, fmt::format("at most {} parts", deepest), "more", {}});
    begin = end + 1;
  }
  return parts;
}

Json parse_value(std::string_view text, const std::string& where) {
  if (Json::accept(text)) return parse_json(text, where);
  return std::string(text);
}

Json& element(Json& array, const std::string& part, const std::string& where, const std::string& at) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  const bool valid = error == std::errc() && end == part.data() + part.size() && index < array.size();
  if (valid) return array[index];
  throw ConfigError(
      {where, fmt::format("an index into \"{}\", which has {} elements", at, array.size()), quote(part), {}});
}

// One step down. Nothing is changed before the last check that can fail: what is created has nothing below it.
Json& descend(Json& node, const std::string& part, const std::string& where, const std::string& at) {
  if (node.is_array()) return element(node, part, where, at);
  if (node.is_string()) node = Json{{"name", node.get<std::string>()}};
  if (node.is_null()) node = Json::object();
  if (node.is_object()) return node[part];
  throw ConfigError(
      {where, fmt::format("an object or an array at \"{}\"", at), json_type(node) + " " + node.dump(), {}});
}

void check_text(std::string_view text) {
  try {
    (void)Json(std::string(text)).dump();
  } catch (const Json::type_error&) {
    throw ConfigError({"override", "UTF-8 text", "other bytes", {}});
  }
}

}  // namespace

void apply_override(Json& recipe, std::string_view assignment) {
  check_text(assignment);
  const std::string where = "override " + quote(assignment);
  if (!recipe.is_object()) throw_type("recipe", "an object", recipe);
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) throw ConfigError({where, "section.key=value", "no \"=\"", {}});
  const std::vector<std::string> parts = split_path(assignment.substr(0, equals), where);
  Json value = parse_value(assignment.substr(equals + 1), where);
  Json* node = &recipe;
  std::string at;
  for (const std::string& part : parts) {
    node = &descend(*node, part, where, at);
    at += (at.empty() ? "" : ".") + part;
  }
  *node = std::move(value);
}

}  // namespace vaetl
