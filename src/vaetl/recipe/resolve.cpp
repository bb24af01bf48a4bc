// A recipe with every default written out.
#include "vaetl/core/device.hpp"
#include "vaetl/recipe/recipe.hpp"
#include "vaetl/recipe/sweep.hpp"

namespace vaetl::recipe {
namespace {

// Always an object, so that a resolved recipe looks the same for all names.
template <class Base>
Json write_object(const Spec<Base>& complete) {
  Json json{{"name", complete.name}};
  json.update(complete.options);
  return json;
}

template <class Base>
Json write_complete(const Spec<Base>& spec, const std::string& path) {
  return write_object(registry<Base>().complete(spec, path));
}

Json write_transforms(const std::vector<Spec<Transform>>& transforms, const std::string& path) {
  Json json = Json::array();
  for (const auto& transform : transforms) json.push_back(write_complete(transform, path));
  return json;
}

Json write_stream(const DataOptions& options, const std::string& path) {
  Json json = to_json(options);
  json["augment"] = write_transforms(options.augment, path + ".augment");
  return json;
}

Json write_data(const DataSection& section) {
  Json json = Json::object();
  if (section.short_form) {
    json = write_stream(section.streams[0].second, "data");
  } else {
    for (const auto& [name, options] : section.streams) json[name] = write_stream(options, "data." + name);
  }
  if (section.validation) json["validation"] = to_json(*section.validation);
  if (section.test) json["test"] = to_json(*section.test);
  json["strict"] = section.strict;
  const bool inherit = section.preprocess.empty();
  json["preprocess"] = inherit ? Json("inherit") : write_transforms(section.preprocess, "data.preprocess");
  return json;
}

// What the data tell is left to them: a default would say something else.
Json write_model(const Json& model) {
  Spec<Model> spec;
  Codec<Spec<Model>>::read(model, "model", spec, {});
  Json json = write_object(complete(spec));
  for (const char* key : {"input", "vocabulary", "classes", "outputs"}) {
    if (!spec.options.contains(key)) json.erase(key);
  }
  return json;
}

Json write_trainer(const TrainerOptions& options) {
  Json json = to_json(options);
  for (const char* key : {"seed", "device", "directory", "resume"}) json.erase(key);
  json["optimizer"] = write_complete(options.optimizer, "trainer.optimizer");
  return json;
}

Json write_callbacks(const std::vector<Spec<Callback>>& callbacks) {
  Json json = Json::array();
  for (std::size_t i = 0; i < callbacks.size(); ++i) {
    json.push_back(write_complete(callbacks[i], fmt::format("callbacks[{}]", i)));
  }
  return json;
}

Json write_transfer(const TransferOptions& options) {
  Json json{{"from", options.from}};
  if (!options.expanded_from.is_null()) json["expanded_from"] = options.expanded_from;
  if (options.grow) json["grow"] = to_json(*options.grow);
  json.update(to_json(options.adapt));
  if (options.solve_head) json["solve_head"] = to_json(*options.solve_head);
  return json;
}

}  // namespace

Json resolve(const Recipe& recipe, const std::string& device) {
  if (!device.empty()) choose_device(device);
  Json json{{"name", recipe.name}, {"seed", recipe.seed}, {"data", write_data(read_data(recipe.data))}};
  if (!recipe.model.is_null()) json["model"] = write_model(recipe.model);
  if (recipe.transfer) json["transfer"] = write_transfer(read_transfer(*recipe.transfer));
  json["objective"] = complete_objective(recipe.objective);
  json["trainer"] = write_trainer(read_trainer(recipe.trainer));
  json["evaluate"] = recipe.evaluate;
  if (!recipe.callbacks.empty()) json["callbacks"] = write_callbacks(recipe.callbacks);
  if (recipe.sweep) json["sweep"] = to_json(read_sweep(*recipe.sweep));
  return json;
}

}  // namespace vaetl::recipe
