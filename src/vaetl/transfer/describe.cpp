#include "vaetl/core/error.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/transfer/adapt.hpp"

namespace vaetl {
namespace {

constexpr const char* model_path = "transfer.model";
constexpr const char* heads_path = "transfer.heads";

Json changes(const AdaptOptions& options) {
  if (options.model.is_null()) return Json::object();
  if (options.model.is_string()) return Json{{"name", options.model}};
  if (!options.model.is_object()) throw_type(model_path, "an object of options to change", options.model);
  const auto name = options.model.find("name");
  if (name != options.model.end() && !name->is_string()) {
    throw_type(std::string(model_path) + ".name", "a string", *name);
  }
  return options.model;
}

bool keeps_architecture(const ModelSpec& spec, const Json& changes) {
  return changes.value("name", spec.name) == spec.name;
}

ModelSpec changed(const ModelSpec& spec, Json changes) {
  const bool same = keeps_architecture(spec, changes);
  const std::string name = changes.value("name", spec.name);
  changes.erase("name");
  if (!same) return {name, std::move(changes)};
  Json options = spec.options;
  options.merge_patch(changes);
  return {name, std::move(options)};
}

std::int64_t wanted_classes(const AdaptOptions& options) {
  if (options.heads.size() > 1) {
    throw ConfigError(
        {heads_path, "one head at most", std::to_string(options.heads.size()), "adapt once for each task"});
  }
  const std::int64_t classes = options.heads[0].classes;
  if (classes >= 2) return classes;
  throw ConfigError({std::string(heads_path) + "[0].classes", "at least 2", std::to_string(classes), {}});
}

ModelSpec classifier_of(const Model& model, std::int64_t classes) {
  require_capability(model, Encoder::capability, heads_path);
  return dynamic_cast<const Encoder&>(model).classifier(classes);
}

}  // namespace

ModelSpec describe_target(const Model& source, const AdaptOptions& options) {
  const Json change = changes(options);
  ModelSpec target = source.spec();
  if (options.heads.empty()) {
    target = changed(target, change);
  } else {
    const std::int64_t classes = wanted_classes(options);
    target = classifier_of(source, classes);
    if (keeps_architecture(target, change)) {
      target = changed(target, change);
    } else {  // the architecture that `model` names shares its own encoder with a classifier
      target = classifier_of(*build(changed(source.spec(), change), model_path), classes);
    }
  }
  return registry<Model>().complete(target, model_path);
}

}  // namespace vaetl
