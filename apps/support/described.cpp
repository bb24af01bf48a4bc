#include "apps/support/described.hpp"

namespace vaetl::apps {
namespace {

Json description_of(const std::string& text) {
  if (text.starts_with('{')) return parse_json(text, "--model");
  std::error_code ignored;
  return std::filesystem::is_regular_file(text, ignored) || text.ends_with(".json") ? read_json(text) : Json(text);
}

}  // namespace

Flag model_flag() { return {"model", "JSON", "describes a weights file that others made: JSON, or a file of it"}; }

std::optional<recipe::Description> told_of(const Arguments& arguments, const std::string& reference) {
  if (!arguments.has("model")) return std::nullopt;
  return recipe::describe(reference, description_of(arguments.text("model")));
}

Pretrained load_model(const Arguments& arguments, const std::string& reference) {
  if (!arguments.has("model")) return zoo::load(reference);
  return recipe::load_described(reference, description_of(arguments.text("model")));
}

}  // namespace vaetl::apps
