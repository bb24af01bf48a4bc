#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/load_rules.hpp"
#include "vaetl/zoo/base.hpp"
#include "vaetl/zoo/entry.hpp"
#include "vaetl/zoo/file_error.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

// The part of our own metadata under `key`, null where there is none.
Json told(const TensorFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? Json() : parse_json(found->second, std::string("metadata ") + key);
}

// A checkpoint's weights are described by the state beside the last of them.
void describe_by_checkpoint(const fs::path& file, WeightsFile& weights) {
  const fs::path checkpoints = file.parent_path().parent_path(), state = checkpoints / "last" / "state.json";
  std::error_code ignored;
  if (checkpoints.filename() != "checkpoints" || !fs::is_regular_file(state, ignored)) return;
  blame(state.string(), [&] {
    const Json json = parse_json(read_file(state), {});
    Json model, spec = Json::object();
    ObjectReader all(json, {});
    all.read("model", model, {});
    all.read("preprocess", weights.preprocess, {});
    ObjectReader described(model, "model");
    described.read("options", spec, {});
    if (!spec.is_object()) throw_type("model.options", "an object", spec);
    described.read("name", spec["name"], {});
    Codec<ModelSpec>::read(spec, "model", weights.model, {});
    if (!weights.preprocess.is_null()) Preprocess::from_json(weights.preprocess);
  });
}

// What a card says, read off a weights file and its model.
Card card_of(const fs::path& file, const WeightsFile& weights, const Model& model) {
  Card card;
  card.name = file.stem().string();
  card.model = model.spec();
  card.classes = weights.classes;
  card.inputs = inputs_of(model);
  card.outputs = outputs_of(model, card.classes);
  for (const LayerGroup& group : model.groups()) card.groups.push_back(group.name);
  card.capabilities = capabilities(model);
  card.preprocess = model.preprocess();
  card.base = weights.base;
  std::error_code ignored;
  card.weights = {.file = file.filename().string(),
                  .sha256 = sha256_file(file),
                  .bytes = static_cast<std::int64_t>(fs::file_size(file, ignored)),
                  .tensors = static_cast<std::int64_t>(weights.tensors.size()),
                  .parameters = parameter_count(model)};
  return card;
}

// Under the names that the rules give them; what they send nowhere is left out.
Weights renamed(Weights weights, const std::vector<LoadRule>& rules, const std::string& file) {
  if (rules.empty()) return weights;
  check_rules(rules);
  for (const LoadRule& rule : rules) {
    if (rule.on_mismatch == "error" && rule.scale == 1) continue;
    throw ConfigError({"load " + quote(rule.from), "from and to alone, since every value is taken as it is",
                       "another key", "a transfer has rules for other shapes"});
  }
  Weights result;
  for (auto& [name, tensor] : weights) {
    const std::string to = destination(name, rules).name;
    if (to.empty() || result.emplace(to, tensor).second) continue;
    throw FileError(
        {file, "one tensor for " + quote(to), "two, of which one is " + quote(name), "make the rules apart"});
  }
  return result;
}

}  // namespace

WeightsFile read_weights(const fs::path& file, const PytorchOptions& options) {
  if (is_pytorch(file)) {
    PytorchFile content = read_pytorch(file, options);
    return {.tensors = std::move(content.tensors), .order = std::move(content.order)};
  }
  if (!options.key.empty()) {
    throw ConfigError({file.string() + ": key", "a file of PyTorch, whose dicts have keys", "a safetensors file", {}});
  }
  TensorFile content = read_safetensors(file);
  if (!options.strip_prefix.empty()) strip_prefix(content.tensors, options.strip_prefix, file.string());
  WeightsFile weights{.tensors = std::move(content.tensors)};
  return blame(file.string(), [&] {
    const Json model = told(content, metadata_model), classes = told(content, metadata_classes);
    Codec<std::optional<BaseCard>>::read(told(content, metadata_base), metadata_base, weights.base, {});
    if (weights.base) check_base(*weights.base, file.string());
    if (!model.is_null()) Codec<ModelSpec>::read(model, metadata_model, weights.model, {});
    if (!classes.is_null()) Codec<std::vector<std::string>>::read(classes, metadata_classes, weights.classes, {});
    weights.preprocess = told(content, metadata_preprocess);
    if (weights.model.name.empty()) describe_by_checkpoint(file, weights);
    return std::move(weights);
  });
}

Pretrained load_file(const fs::path& file, const ModelSpec& model, const Json& preprocess,
                     const PytorchOptions& options, const std::vector<LoadRule>& rules) {
  WeightsFile weights = read_weights(file, options);
  weights.tensors = renamed(std::move(weights.tensors), rules, file.string());
  if (model.name.empty() && weights.model.name.empty()) {
    throw FileError({file.string(), "metadata that describe the model", "none", "describe it: --model JSON"});
  }
  Pretrained result;
  result.model = model.name.empty() ? blame(file.string(), [&] { return build(weights.model); }) : build(model);
  if (weights.base) add_base(weights.tensors, *result.model, *weights.base, file.parent_path(), file.string());
  load_strict(*result.model, weights.tensors, file.string());
  result.model->eval();
  if (!preprocess.is_null()) {
    result.model->set_preprocess(Preprocess::from_json(preprocess).json());
  } else if (!weights.preprocess.is_null()) {
    blame(file.string(), [&] { return Preprocess::from_json(weights.preprocess); });
    result.model->set_preprocess(weights.preprocess);
  }
  result.card = card_of(file, weights, *result.model);
  return result;
}

Pretrained load(std::string_view reference) {
  const fs::path found = resolve(reference);
  if (fs::is_regular_file(found)) return load_file(found, {}, {}, file_reference(reference).options);
  Entry entry = open_entry(found);
  return {std::move(entry.model), std::move(entry.card)};
}

}  // namespace vaetl::zoo
