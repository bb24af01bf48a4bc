#include "vaetl/train/parameter_sets.hpp"

#include <algorithm>

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

bool any_matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) { return glob_match(p, name); });
}

// An adapter trains in the update that its layer does.
bool has_group(const Model& model, const std::vector<std::string>& patterns, const std::string& own) {
  const std::string_view group = adapted_group(own);
  for (const auto& pattern : patterns) {
    if (pattern.starts_with("objective.")) continue;
    const auto names = match_groups(model, pattern, "update");
    if (std::count(names.begin(), names.end(), group)) return true;
  }
  return false;
}

// Scales and shifts of the batch norms that stand still as a whole.
std::set<const c10::TensorImpl*> frozen_norms(const Model& model, const std::map<std::string, GroupTuning>& tuning) {
  std::set<const c10::TensorImpl*> result;
  for (const LayerGroup& group : model.groups()) {
    if (tuning.at(group.name).norm != "frozen") continue;
    for (const nn::BatchNorm* norm : batch_norms(model, group)) {
      result.insert(norm->weight.unsafeGetTensorImpl());
      result.insert(norm->bias.unsafeGetTensorImpl());
    }
  }
  return result;
}

}  // namespace

std::vector<nn::BatchNorm*> batch_norms(const Model& model, const LayerGroup& group) {
  std::vector<nn::BatchNorm*> result;
  for (const auto& root : group_modules(model, group)) {
    for (const auto& module : root->modules()) {
      if (auto* norm = dynamic_cast<nn::BatchNorm*>(module.get())) result.push_back(norm);
    }
  }
  return result;
}

void stand_still(const Model& model, const std::map<std::string, GroupTuning>& tuning) {
  for (const LayerGroup& group : model.groups()) {
    const GroupTuning& setting = tuning.at(group.name);
    if (setting.norm != "train") {
      for (nn::BatchNorm* norm : batch_norms(model, group)) norm->eval();
    }
    if (setting.train) continue;
    for (const auto& module : group_modules(model, group)) module->eval();
  }
}

std::vector<ParameterSet> parameter_sets(const Model& model, const Objective& objective, const Update& update,
                                         const std::map<std::string, GroupTuning>& tuning,
                                         bool decay_norms_and_biases) {
  std::map<std::pair<double, double>, ParameterSet> sets;
  auto add = [&](const std::string& name, const at::Tensor& parameter, const GroupTuning& setting) {
    const double decay = decay_norms_and_biases || parameter.dim() >= 2 ? setting.weight_decay_scale : 0;
    ParameterSet& set = sets[{setting.lr_scale, decay}];
    set.lr_scale = setting.lr_scale;
    set.weight_decay_scale = decay;
    set.names.push_back(name);
    set.parameters.push_back(parameter);
  };
  const auto still = frozen_norms(model, tuning);
  for (const auto& item : model.named_parameters()) {
    const std::string group = group_of(model, item.key());
    if (still.contains(item.value().unsafeGetTensorImpl())) continue;
    if (tuning.at(group).train && has_group(model, update.groups, group))
      add(item.key(), item.value(), tuning.at(group));
  }
  for (const auto& item : objective.named_parameters()) {
    if (any_matches(update.groups, "objective." + item.key())) add("objective." + item.key(), item.value(), {});
  }
  std::vector<ParameterSet> result;
  for (auto& [settings, set] : sets) result.push_back(std::move(set));
  return result;
}

std::set<std::string> head_parameters(const Model& model) {
  std::set<std::string> result;
  for (const auto& item : model.named_parameters()) {
    const std::string group = group_of(model, item.key());
    if (group == "head" || group.starts_with("head.")) result.insert(item.key());
  }
  return result;
}

}  // namespace vaetl
