#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
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

const Head& wanted_head(const AdaptOptions& options) {
  if (options.heads.size() > 1) {
    throw ConfigError(
        {heads_path, "one head at most", std::to_string(options.heads.size()), "adapt once for each task"});
  }
  const Head& head = options.heads[0];
  if (head.classes >= 2) return head;
  throw ConfigError({std::string(heads_path) + "[0].classes", "at least 2", std::to_string(head.classes), {}});
}

// The classifier that shares the model's encoder, its head fresh: linear unless it is to have hidden layers.
ModelSpec classifier_of(const Model& model, const Head& head) {
  require_capability(model, Encoder::capability, heads_path);
  ModelSpec target = dynamic_cast<const Encoder&>(model).classifier(head.classes);
  if (head.hidden.empty()) return target;
  if (!registry<Model>().schema(target.name)["properties"].contains("head")) {
    throw ConfigError({std::string(heads_path) + "[0].hidden", "a model with an option \"head\"", quote(target.name),
                       "leave hidden out: its head is linear"});
  }
  target.options["head"] = head.hidden;
  return target;
}

// The classifier that shares an encoder takes over the adapters of the layers that it has.
ModelSpec with_adapters_of(const Model& source, ModelSpec target) {
  auto rules = nn::take_adapters(source.spec()).second;
  if (rules.empty()) return target;
  const auto plain = build(target, model_path);
  std::erase_if(rules, [&](const nn::AdapterRule& rule) { return !nn::adapts(*plain, rule.to); });
  return nn::with_adapters(std::move(target), rules);
}

// The same again is the same.
ModelSpec with_more_adapters(ModelSpec target, const std::vector<nn::AdapterRule>& more) {
  auto [plain, rules] = nn::take_adapters(std::move(target), model_path);
  for (std::size_t i = 0; i < more.size(); ++i) {
    const std::string path = fmt::format("transfer.adapters[{}]", i);
    const nn::AdapterRule rule{more[i].to, registry<nn::Adapter>().complete(more[i].adapter, path)};
    const auto same = [&](const nn::AdapterRule& other) {
      return Codec<nn::AdapterRule>::write(other) == Codec<nn::AdapterRule>::write(rule);
    };
    if (std::none_of(rules.begin(), rules.end(), same)) rules.push_back(rule);
  }
  return nn::with_adapters(std::move(plain), rules);
}

}  // namespace

ModelSpec describe_target(const Model& source, const AdaptOptions& options) {
  const Json change = changes(options);
  ModelSpec target = source.spec();
  if (options.heads.empty()) {
    target = changed(target, change);
  } else {
    const Head& head = wanted_head(options);
    target = classifier_of(source, head);
    if (keeps_architecture(target, change)) {
      target = changed(with_adapters_of(source, target), change);
    } else {  // the architecture that `model` names shares its own encoder with a classifier
      target = classifier_of(*build(changed(source.spec(), change), model_path), head);
    }
  }
  return with_more_adapters(complete(target, model_path), options.adapters);
}

}  // namespace vaetl
