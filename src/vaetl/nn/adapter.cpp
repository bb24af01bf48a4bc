#include "vaetl/nn/adapter.hpp"

#include <algorithm>
#include <map>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::nn {
namespace {

constexpr const char* adapters_key = "adapters";
constexpr const char* adapter_module = "adapter";

struct AdaptedLayer {
  std::string path, group;
  Adaptable* layer;
};

// The model's own layers, not those that its adapters are made of.
std::vector<AdaptedLayer> adaptable_layers(const Model& model) {
  std::vector<AdaptedLayer> layers;
  for (const auto& item : model.named_modules({}, /*include_self=*/false)) {
    auto* layer = dynamic_cast<Adaptable*>(item.value().get());
    if (layer && !is_adapter(item.key())) layers.push_back({item.key(), group_of(model, item.key()), layer});
  }
  return layers;
}

bool means(const std::string& to, const AdaptedLayer& layer) {
  if (to == "backbone") return !is_head(layer.group);
  return glob_match(to, layer.path) || glob_match(to, layer.group);
}

[[noreturn]] void throw_no_layer(const std::vector<AdaptedLayer>& layers, const AdapterRule& rule,
                                 const std::string& path) {
  std::vector<std::string> groups, names;
  for (const AdaptedLayer& layer : layers) {
    if (groups.empty() || groups.back() != layer.group) groups.push_back(layer.group);
    names.push_back(layer.path);
  }
  names.insert(names.end(), groups.begin(), groups.end());
  names.emplace_back("backbone");
  throw ConfigError({path, groups.empty() ? "a layer" : fmt::format("a layer, or a layer group ({})", join(groups)),
                     quote(rule.to),
                     layers.empty() ? "this model has no layer that can be adapted" : did_you_mean(rule.to, names)});
}

// The module below `adapter` that bears the name of the layer's parent.
torch::nn::Module& module_beside(torch::nn::Module& adapters, std::string_view parent) {
  torch::nn::Module* module = &adapters;
  while (!parent.empty()) {
    const auto dot = parent.find('.');
    const std::string name(parent.substr(0, dot));
    const auto children = module->named_children();
    const auto* child = children.find(name);
    module = child ? child->get() : module->register_module(name, std::make_shared<torch::nn::Module>()).get();
    parent.remove_prefix(dot == parent.npos ? parent.size() : dot + 1);
  }
  return *module;
}

void add_adapter(torch::nn::Module& adapters, const AdaptedLayer& at, const AdapterRule& rule,
                 const std::string& path) {
  const auto adapter = registry<Adapter>().make(rule.adapter, path);
  try {
    adapter->bind(at.layer->maps());
  } catch (const ConfigError& error) {
    throw ConfigError({path + " to " + quote(at.path) + ": " + error.problem.where, error.problem.expected,
                       error.problem.found, error.problem.remedy});
  }
  const auto dot = at.path.rfind('.');
  const std::string parent = dot == at.path.npos ? "" : at.path.substr(0, dot);
  const std::string name = dot == at.path.npos ? at.path : at.path.substr(dot + 1);
  module_beside(adapters, parent).register_module(name, adapter);
  at.layer->set_adapter(adapter);
}

std::vector<LayerGroup> groups_of_adapters(const Model& model, const std::vector<std::string>& adapted) {
  std::vector<LayerGroup> groups;
  for (LayerGroup group : model.layer_groups()) {
    if (std::find(adapted.begin(), adapted.end(), group.name) == adapted.end()) continue;
    group.name.insert(0, adapter_prefix);
    for (std::string& prefix : group.prefixes) prefix.insert(0, adapter_prefix);
    groups.push_back(std::move(group));
  }
  return groups;
}

void check_merges(const AdaptedLayer& at) {
  const bool output = at.layer->adapter()->changes_output();
  if (!output && !at.layer->maps().derived) return;
  throw ConfigError({"adapters", "adapters that can be merged into plain weights",
                     output ? fmt::format("one of the output of {}", quote(at.path))
                            : fmt::format("one of {}, a layer with spectral norm", quote(at.path)),
                     "keep the adapters: the model computes the same with them"});
}

// The layer's tensors as its adapter has it compute.
void merge_layer(const AdaptedLayer& at, Weights& weights) {
  check_merges(at);
  const auto maps = at.layer->maps().maps;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    weights[at.path + ".weight" + maps[i].suffix] = at.layer->adapter()->weight(maps[i], i);
    if (maps[i].bias.defined()) weights[at.path + ".bias" + maps[i].suffix] = at.layer->adapter()->bias(maps[i], i);
  }
}

}  // namespace

at::Tensor Adaptable::adapted_weight(const LinearMap& map, std::size_t index) const {
  return adapter_ ? adapter_->weight(map, index) : map.weight;
}

at::Tensor Adaptable::adapted_bias(const LinearMap& map, std::size_t index) const {
  return adapter_ ? adapter_->bias(map, index) : map.bias;
}

bool Adaptable::output_is_adapted() const { return adapter_ && adapter_->changes_output(); }

at::Tensor Adaptable::adapted_output(at::Tensor y) const { return output_is_adapted() ? adapter_->output(y) : y; }

std::pair<ModelSpec, AdapterRules> take_adapters(ModelSpec spec, const std::string& path) {
  AdapterRules rules;
  if (spec.options.is_object() && spec.options.contains(adapters_key)) {
    Codec<AdapterRules>::read(spec.options[adapters_key], path + "." + adapters_key, rules, {});
    spec.options.erase(adapters_key);
  }
  return {std::move(spec), std::move(rules)};
}

ModelSpec with_adapters(ModelSpec spec, const AdapterRules& rules) {
  spec.options.erase(adapters_key);
  if (!rules.empty()) spec.options[adapters_key] = Codec<AdapterRules>::write(rules);
  return spec;
}

Json adapters_schema() {
  Json schema = Codec<AdapterRules>::schema({});
  schema["description"] = "small additions to layers: [{\"to\": PATTERN, \"name\": ADAPTER, …}]";
  schema["default"] = Json::array();
  return schema;
}

bool adapts(const Model& model, const std::string& to) {
  const auto layers = adaptable_layers(model);
  return std::any_of(layers.begin(), layers.end(), [&](const auto& layer) { return means(to, layer); });
}

std::vector<LayerGroup> attach(Model& model, const AdapterRules& rules, const std::string& path) {
  const auto layers = adaptable_layers(model);
  std::map<std::size_t, std::size_t> chosen;  // layer → rule
  for (std::size_t rule = 0; rule < rules.size(); ++rule) {
    bool any = false;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      if (!means(rules[rule].to, layers[layer])) continue;
      chosen[layer] = rule;
      any = true;
    }
    if (!any) throw_no_layer(layers, rules[rule], fmt::format("{}[{}].to", path, rule));
  }
  const auto adapters = model.register_module(adapter_module, std::make_shared<torch::nn::Module>());
  std::vector<std::string> groups;
  for (const auto& [layer, rule] : chosen) {
    add_adapter(*adapters, layers[layer], rules[rule], fmt::format("{}[{}]", path, rule));
    groups.push_back(layers[layer].group);
  }
  return groups_of_adapters(model, groups);
}

std::shared_ptr<Model> merge_adapters(const Model& model) {
  const at::NoGradGuard no_grad;
  const auto [plain, rules] = take_adapters(model.spec());
  if (rules.empty()) {
    throw ConfigError({"model " + quote(plain.name), "a model with adapters", "none", "it is as it is"});
  }
  Weights weights = state(model);
  std::erase_if(weights, [](const auto& item) { return is_adapter(item.first); });
  for (const AdaptedLayer& at : adaptable_layers(model)) {
    if (at.layer->adapter()) merge_layer(at, weights);
  }
  return clone(model, plain, weights);
}

}  // namespace vaetl::nn

namespace vaetl {

void Codec<nn::AdapterRule>::read(const Json& json, const std::string& path, nn::AdapterRule& value, const Rule&) {
  value = {};
  Json adapter = json;
  if (json.is_object() && json.contains("to")) {
    Codec<std::string>::read(json.at("to"), path + ".to", value.to, {});
    adapter.erase("to");
  }
  Codec<Spec<nn::Adapter>>::read(adapter, path, value.adapter, {});
  value.adapter = registry<nn::Adapter>().complete(value.adapter, path);
}

Json Codec<nn::AdapterRule>::write(const nn::AdapterRule& value) {
  Json json{{"to", value.to}, {"name", value.adapter.name}};
  json.update(value.adapter.options);
  return json;
}

Json Codec<nn::AdapterRule>::schema(const Rule&) { return Json{{"type", Json::array({"string", "object"})}}; }

}  // namespace vaetl
