#include "vaetl/recipe/class_weights.hpp"

#include <algorithm>

namespace vaetl {

void Codec<recipe::ClassWeights>::read(const Json& json, const std::string& path, recipe::ClassWeights& value,
                                       const Rule& rule) {
  value = {};
  if (json == "balanced") return;
  if (!json.is_array() || json.empty()) throw_type(path, "\"balanced\" or an array of one number a class", json);
  Codec<std::vector<double>>::read(json, path, value.each, rule);
  if (std::any_of(value.each.begin(), value.each.end(), [](double weight) { return weight > 0; })) return;
  throw ConfigError({path, "a weight above 0", json.dump(), {}});
}

Json Codec<recipe::ClassWeights>::write(const recipe::ClassWeights& value) {
  return value.each.empty() ? Json("balanced") : Codec<std::vector<double>>::write(value.each);
}

Json Codec<recipe::ClassWeights>::schema(const Rule& rule) {
  const Json balanced{{"type", "string"}, {"enum", Json::array({"balanced"})}};
  return Json{{"anyOf", Json::array({balanced, Codec<std::vector<double>>::schema(rule)})}};
}

}  // namespace vaetl
