#include "vaetl/nn/model.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <charconv>
#include <mutex>

#include "vaetl/core/text.hpp"
#include "vaetl/nn/adapter.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl {
namespace {

bool under(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '.');
}

bool covers(const LayerGroup& group, std::string_view path) {
  return std::any_of(group.prefixes.begin(), group.prefixes.end(),
                     [&](const auto& prefix) { return under(path, prefix); });
}

std::vector<std::string> groups_covering(const std::vector<LayerGroup>& groups, std::string_view path) {
  std::vector<std::string> names;
  for (const LayerGroup& group : groups) {
    if (covers(group, path)) names.push_back(group.name);
  }
  return names;
}

std::string name_of(const Model& model) { return "model " + quote(model.spec().name); }

[[noreturn]] void throw_not_in_one_group(const Model& model, std::string_view path,
                                         const std::vector<std::string>& in) {
  throw Error(Exit::internal, {name_of(model), fmt::format("{} in one layer group", quote(path)),
                               in.empty() ? "it in none" : "it in " + join(in), "mend the model's layer_groups()"});
}

// Keeps the default generator's state while something is built whose values do not matter.
class GeneratorGuard {
 public:
  GeneratorGuard() : generator_(at::detail::getDefaultCPUGenerator()) {
    const std::lock_guard lock(generator_.mutex());
    state_ = generator_.get_state();
  }
  ~GeneratorGuard() {
    const std::lock_guard lock(generator_.mutex());
    generator_.set_state(state_);
  }
  GeneratorGuard(const GeneratorGuard&) = delete;
  GeneratorGuard& operator=(const GeneratorGuard&) = delete;

 private:
  at::Generator generator_;
  at::Tensor state_;
};

std::string input_remedy(const at::Tensor& x, bool fits) {
  if (fits) return "apply the model's preprocessing first";
  if (x.dim() < 2) return "stack examples along a first dimension";
  return "convert the data, or describe the model with \"input\": " + Json(x.sizes().slice(1).vec()).dump();
}

// "backbone" is all of it, "backbone[a:b]" from a to before b, as in Python: counted from 0, from the end where
// negative.
std::optional<std::vector<std::string>> slice_of_backbone(const std::string& pattern,
                                                          const std::vector<std::string>& backbone) {
  if (pattern == "backbone") return backbone;
  const std::size_t colon = pattern.find(':');
  if (!pattern.starts_with("backbone[") || !pattern.ends_with(']') || colon == std::string::npos) return std::nullopt;
  const auto size = static_cast<std::int64_t>(backbone.size());
  const auto bound = [&](std::string_view text, std::int64_t otherwise) -> std::optional<std::int64_t> {
    std::int64_t value = otherwise;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (!text.empty() && (error != std::errc() || end != text.data() + text.size())) return std::nullopt;
    return std::clamp<std::int64_t>(value < 0 ? value + size : value, 0, size);
  };
  const std::size_t begin = pattern.find('[') + 1;
  const auto from = bound(std::string_view(pattern).substr(begin, colon - begin), 0);
  const auto to = bound(std::string_view(pattern).substr(colon + 1, pattern.size() - colon - 2), size);
  if (!from || !to) return std::nullopt;
  return std::vector<std::string>(backbone.begin() + *from, backbone.begin() + std::max(*from, *to));
}

// float64, where a test or a program has made a model so.
void take_precision(Model& copy, const Model& model) {
  const auto parameters = model.parameters();
  if (parameters.empty() || parameters.front().scalar_type() == at::kFloat) return;
  for (auto& [name, tensor] : state(copy)) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(parameters.front().scalar_type()));
  }
}

}  // namespace

std::shared_ptr<Model> build(const ModelSpec& spec, const std::string& path) {
  const auto [plain, adapters] = nn::take_adapters(spec, path);
  try {
    auto model = registry<Model>().make(plain, path);
    if (!adapters.empty()) {
      model->adapter_groups_ = nn::attach(*model, adapters, path + ".adapters");
      model->spec_ = nn::with_adapters(model->spec_, adapters);
    }
    check_groups(*model);
    return model;
  } catch (const c10::Error& error) {
    throw ConfigError({path, "a model that can be built here", error.what_without_backtrace(), "make it smaller"});
  } catch (const std::bad_alloc&) {
    throw ConfigError({path, "a model that fits in memory", "too little of it", "make it smaller"});
  }
}

ModelSpec complete(const ModelSpec& spec, const std::string& path) {
  const auto [plain, adapters] = nn::take_adapters(spec, path);
  return nn::with_adapters(registry<Model>().complete(plain, path), adapters);
}

Json model_schema(const std::string& name) {
  Json schema = registry<Model>().schema(name);
  schema["properties"]["adapters"] = nn::adapters_schema();
  return schema;
}

std::vector<LayerGroup> Model::groups() const {
  auto groups = layer_groups();
  groups.insert(groups.end(), adapter_groups_.begin(), adapter_groups_.end());
  return groups;
}

bool is_head(std::string_view group) { return group == "head" || group.starts_with("head."); }

bool is_adapter(std::string_view group) { return group.starts_with(nn::adapter_prefix); }

std::string_view adapted_group(std::string_view group) {
  return is_adapter(group) ? group.substr(nn::adapter_prefix.size()) : group;
}

std::shared_ptr<Model> clone(const Model& model) { return clone(model, model.spec(), state(model)); }

std::shared_ptr<Model> clone(const Model& model, const ModelSpec& spec, const Weights& weights) {
  const GeneratorGuard guard;
  auto copy = build(spec);
  copy->to(device_of(model));
  take_precision(*copy, model);
  load_strict(*copy, weights, name_of(model));
  copy->set_preprocess(model.preprocess());
  copy->train(model.is_training());
  return copy;
}

void check_groups(const Model& model) {
  const auto groups = model.groups();
  for (const auto& [path, tensor] : state(model)) {
    if (const auto in = groups_covering(groups, path); in.size() != 1) throw_not_in_one_group(model, path, in);
  }
}

std::string group_of(const Model& model, std::string_view path) {
  const auto in = groups_covering(model.groups(), path);
  if (in.size() != 1) throw_not_in_one_group(model, path, in);
  return in.front();
}

std::vector<std::string> match_groups(const Model& model, const std::string& pattern, const std::string& path) {
  std::vector<std::string> names, matching, backbone;
  for (const LayerGroup& group : model.groups()) {
    names.push_back(group.name);
    if (!is_head(group.name) && !is_adapter(group.name)) backbone.push_back(group.name);
    if (glob_match(pattern, group.name)) matching.push_back(group.name);
  }
  if (const auto part = slice_of_backbone(pattern, backbone)) matching = *part;
  if (!matching.empty()) return matching;
  const std::string expected = fmt::format("a layer group of {} ({})", quote(model.spec().name), join(names));
  names.emplace_back("backbone");
  const bool slice = pattern.starts_with("backbone[");
  throw ConfigError(
      {path, expected, quote(pattern),
       slice ? fmt::format("the backbone has {} layer groups", backbone.size()) : did_you_mean(pattern, names)});
}

std::vector<std::shared_ptr<torch::nn::Module>> group_modules(const Model& model, const LayerGroup& group) {
  std::vector<std::shared_ptr<torch::nn::Module>> result;
  for (const auto& item : model.named_modules({}, /*include_self=*/false)) {
    const bool named = std::find(group.prefixes.begin(), group.prefixes.end(), item.key()) != group.prefixes.end();
    if (named) result.push_back(item.value());
  }
  return result;
}

std::string batch_shape_text(const std::vector<std::int64_t>& shape) {
  return shape.empty() ? "(N)" : "(N, " + shape_text(shape).substr(1);
}

const at::Tensor& checked_input(const Model& model, const Fields& fields) {
  const at::Tensor& x = fields.input();
  const FieldInfo wanted = model.signature().inputs.at("input");
  const bool fits = x.dim() > 0 && shape_fits(wanted.shape, x.sizes().slice(1));
  const bool ids = wanted.dtype == at::kLong;  // of tokens; anything else is numbers
  if (fits && (ids ? x.scalar_type() == at::kLong : x.is_floating_point())) return x;
  throw DataError(
      {name_of(model), fmt::format("input of shape {}, {}", batch_shape_text(wanted.shape), ids ? "int64" : "float32"),
       fmt::format("{}, {}", shape_text(x.sizes().vec()), dtype_name(x.scalar_type())), input_remedy(x, fits)});
}

std::int64_t parameter_count(const torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

}  // namespace vaetl
