#include "vaetl/nn/taps.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::nn {
namespace {

// The module at the last of a group's paths; null where that is a parameter or none.
const torch::nn::Module* end_of_group(const Model& model, const std::string& group) {
  const auto groups = model.groups();
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.name == group; });
  if (found == groups.end() || found->prefixes.empty()) return nullptr;
  const auto modules = model.named_modules({}, /*include_self=*/false);
  const auto* module = modules.find(found->prefixes.back());
  return module ? module->get() : nullptr;
}

}  // namespace

Taps::Taps(const Model& model, const std::vector<std::string>& patterns, const std::string& path) : path_(path) {
  std::set<std::string> chosen;
  for (const std::string& pattern : patterns) {
    bool any = false;
    for (const std::string& group : match_groups(model, pattern, path)) {
      const auto* end = is_adapter(group) ? nullptr : end_of_group(model, group);
      if (end) chosen.insert(wanted_.insert_or_assign(end, group).first->second);
      any = any || end;
    }
    if (any) continue;
    throw ConfigError({path, "a layer group with an output of its own", quote(pattern),
                       "choose the group that holds the layers it adds to"});
  }
  for (const LayerGroup& group : model.groups()) {
    if (chosen.contains(group.name)) groups_.push_back(group.name);
  }
  outer_ = std::exchange(active_, this);
}

const at::Tensor& Taps::operator[](std::string_view group) const {
  if (const auto found = outputs_.find(group); found != outputs_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, output] : outputs_) known.push_back(name);
  throw ConfigError({path_, "a layer group that the pass runs" + (known.empty() ? "" : " (" + join(known) + ")"),
                     quote(group), "choose one between the model's input and its features"});
}

bool Taps::wants(const torch::nn::Module* module) {
  if (!module) return false;
  for (const Taps* taps = active_; taps; taps = taps->outer_) {
    if (taps->wanted_.contains(module)) return true;
  }
  return false;
}

void Taps::keep(const torch::nn::Module* module, const at::Tensor& output) {
  for (Taps* taps = this; taps; taps = taps->outer_) {
    const auto found = taps->wanted_.find(module);
    if (found != taps->wanted_.end()) taps->outputs_.insert_or_assign(found->second, output);
  }
}

}  // namespace vaetl::nn
