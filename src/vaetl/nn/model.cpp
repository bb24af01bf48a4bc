#include "vaetl/nn/model.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <mutex>

#include "vaetl/core/text.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl {
namespace {

bool is_head(const std::string& group) { return group == "head" || group.starts_with("head."); }

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
                               in.empty() ? "it in none" : "it in " + join(in), "mend the model's groups()"});
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

}  // namespace

std::shared_ptr<Model> build(const ModelSpec& spec, const std::string& path) {
  try {
    auto model = registry<Model>().make(spec, path);
    check_groups(*model);
    return model;
  } catch (const c10::Error& error) {
    throw ConfigError({path, "a model that can be built here", error.what_without_backtrace(), "make it smaller"});
  } catch (const std::bad_alloc&) {
    throw ConfigError({path, "a model that fits in memory", "too little of it", "make it smaller"});
  }
}

std::shared_ptr<Model> clone(const Model& model) {
  const GeneratorGuard guard;
  auto copy = build(model.spec());
  copy->to(device_of(model));
  load_strict(*copy, state(model), name_of(model));
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
  std::vector<std::string> names, matching;
  for (const LayerGroup& group : model.groups()) {
    names.push_back(group.name);
    const bool fits = pattern == "backbone" ? !is_head(group.name) : glob_match(pattern, group.name);
    if (fits) matching.push_back(group.name);
  }
  if (!matching.empty()) return matching;
  const std::string expected = fmt::format("a layer group of {} ({})", quote(model.spec().name), join(names));
  names.emplace_back("backbone");
  throw ConfigError({path, expected, quote(pattern), did_you_mean(pattern, names)});
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
