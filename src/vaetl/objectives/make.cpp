// Objectives from a recipe.
#include "vaetl/objectives/compose.hpp"

namespace vaetl {
namespace {

struct Part {
  Spec<Objective> spec;
  std::optional<Schedule> weight;
};

Part read_part(const Json& json, const std::string& path) {
  Part part;
  Json rest = json;
  if (json.is_object() && json.contains("weight")) {
    Codec<Schedule>::read(json["weight"], path + ".weight", part.weight.emplace(), {});
    rest.erase("weight");
  }
  Codec<Spec<Objective>>::read(rest, path, part.spec, {});
  return part;
}

const Json& checked_array(const Json& json, const std::string& path) {
  if (json.empty()) throw ConfigError({path, "at least one objective", "an empty array", {}});
  return json;
}

}  // namespace

std::shared_ptr<Objective> make_objective(const Json& json, const std::string& path) {
  if (json.is_array()) {
    std::vector<std::shared_ptr<Objective>> parts;
    for (const Json& item : checked_array(json, path)) {
      parts.push_back(make_objective(item, fmt::format("{}[{}]", path, parts.size())));
    }
    return std::make_shared<Sum>(std::move(parts));
  }
  const Part part = read_part(json, path);
  auto objective = registry<Objective>().make(part.spec, path);
  return part.weight ? *part.weight * std::move(objective) : objective;
}

Json complete_objective(const Json& json, const std::string& path) {
  if (json.is_array()) {
    Json result = Json::array();
    for (const Json& item : checked_array(json, path)) {
      result.push_back(complete_objective(item, fmt::format("{}[{}]", path, result.size())));
    }
    return result;
  }
  const Part part = read_part(json, path);
  const auto spec = registry<Objective>().complete(part.spec, path);
  Json result{{"name", spec.name}};
  result.update(spec.options);
  if (part.weight) result["weight"] = Codec<Schedule>::write(*part.weight);
  return result;
}

}  // namespace vaetl
