#include "vaetl/recipe/overrides.hpp"

#include "vaetl/core/overrides.hpp"
#include "vaetl/train/trainer.hpp"

namespace vaetl::recipe {
namespace {

void remove(Json& recipe, const std::string& path) {
  Json* node = &recipe;
  std::size_t begin = 0;
  for (std::size_t dot; (dot = path.find('.', begin)) != std::string::npos; begin = dot + 1) {
    const std::string part = path.substr(begin, dot - begin);
    if (!node->is_object() || !node->contains(part)) return;
    node = &(*node)[part];
  }
  if (node->is_object()) node->erase(path.substr(begin));
}

}  // namespace

void apply(Json& recipe, std::string_view assignment) {
  const bool optimizer = assignment.starts_with("trainer.optimizer.");
  const Json::json_pointer place("/trainer/optimizer");
  const bool absent = !recipe.contains("trainer") || (recipe["trainer"].is_object() && !recipe.contains(place));
  if (recipe.is_object() && optimizer && absent) recipe["trainer"]["optimizer"] = TrainerOptions{}.optimizer.name;
  apply_override(recipe, assignment);
}

void set_at(Json& json, const std::string& path, const Json& value) {
  if (value.is_null()) {
    remove(json, path);
  } else {
    recipe::apply(json, path + "=" + value.dump());
  }
}

}  // namespace vaetl::recipe
