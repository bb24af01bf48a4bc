#include "vaetl/recipe/recipe.hpp"

#include "vaetl/core/overrides.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/recipe/overrides.hpp"
#include "vaetl/recipe/sweep.hpp"
#include "vaetl/transfer/method.hpp"

namespace vaetl::recipe {
namespace {

void check_name(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (plain && !name.empty() && name[0] != '.' && name.size() <= 100) return;
  throw ConfigError({"name", "1 to 100 letters, digits, \"-\", \"_\" or \".\"", quote(name), {}});
}

void check_model(const Recipe& recipe) {
  if (recipe.model.is_null()) {
    if (recipe.transfer) return;
    throw ConfigError({"model", "a model, such as {\"name\": \"cnn\", \"classes\": 10}", "none", {}});
  }
  Spec<Model> spec;
  Codec<Spec<Model>>::read(recipe.model, "model", spec, {});
  complete(spec);
}

void check_transfer(const Recipe& recipe) {
  if (!recipe.transfer) return;
  const TransferOptions transfer = read_transfer(*recipe.transfer);
  if (transfer.from == "none" && recipe.model.is_null()) {
    throw ConfigError({"transfer.from", "a source, or a section \"model\" to start from scratch", "neither",
                       "name a source, or describe the model"});
  }
  if (transfer.from == "none" && transfer.grow) {
    throw ConfigError({"transfer.grow", "a source that grows", "transfer.from \"none\"", "name a source"});
  }
}

void check_objective(const Recipe& recipe) {
  if (recipe.objective.is_null()) {
    throw ConfigError({"objective", "what is minimised: " + join(registry<Objective>().names()), "none", {}});
  }
  complete_objective(recipe.objective);
}

void check_callbacks(const Recipe& recipe) {
  for (std::size_t i = 0; i < recipe.callbacks.size(); ++i) {
    registry<Callback>().complete(recipe.callbacks[i], fmt::format("callbacks[{}]", i));
  }
}

void check_metrics(const Recipe& recipe, const TrainerOptions& trainer) {
  for (std::size_t i = 0; i < recipe.evaluate.size(); ++i) {
    make_metric(recipe.evaluate[i], fmt::format("evaluate[{}]", i));
  }
  if (!trainer.monitor.empty()) make_metric(trainer.monitor, "trainer.monitor");
}

// A metric may be written as an object; from here on it is its one-line form, under which its value is reported too.
void name_metrics(Json& json) {
  if (!json.is_object() || !json.contains("evaluate") || !json["evaluate"].is_array()) return;
  for (std::size_t i = 0; i < json["evaluate"].size(); ++i) {
    Json& metric = json["evaluate"][i];
    if (metric.is_object()) metric = metric_reference(metric, fmt::format("evaluate[{}]", i));
  }
}

// A sweep varies the method too, which must not find what another left.
Json changed_sections(const Json& given, const Json& expanded) {
  Json sections = Json::object();
  for (const char* key : {"transfer", "objective", "trainer", "data"}) {
    const Json was = given.value(key, Json());
    if (was != expanded.value(key, Json())) sections[key] = was;
  }
  return sections;
}

}  // namespace

Recipe parse(const Json& given) {
  Json json = given;
  name_metrics(json);
  json = transfer::expand_method(json);
  Recipe recipe = from_json<Recipe>(json);
  recipe.unexpanded = changed_sections(given, json);
  check_name(recipe.name);
  read_data(recipe.data);
  check_model(recipe);
  check_transfer(recipe);
  check_objective(recipe);
  check_callbacks(recipe);
  check_metrics(recipe, read_trainer(recipe.trainer));
  if (recipe.sweep) read_sweep(*recipe.sweep);
  return recipe;
}

Recipe read(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  Json json = read_json(file.string());
  if (!json.is_object()) throw_type(file.string(), "an object", json);
  for (const auto& assignment : overrides) recipe::apply(json, assignment);
  return parse(json);
}

}  // namespace vaetl::recipe
