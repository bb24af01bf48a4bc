#include "vaetl/nn/taps.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::nn {
namespace {

// What can be tapped: the groups, and the layers that their paths name.
struct Place {
  std::string name, path;
};

std::vector<Place> places_of(const Model& model) {
  std::vector<Place> places;
  for (const LayerGroup& group : model.groups()) {
    if (is_adapter(group.name) || group.prefixes.empty()) continue;
    for (const std::string& path : group.prefixes) {
      const bool ends = path == group.prefixes.back();
      if (!ends || path != group.name) places.push_back({path, path});
      if (ends) places.push_back({group.name, path});
    }
  }
  return places;
}

// Groups, or else layers of groups.
std::vector<std::string> match_places(const Model& model, const std::vector<Place>& places, const std::string& pattern,
                                      const std::string& path) {
  std::vector<std::string> layers;
  for (const Place& place : places) {
    if (place.name == place.path && glob_match(pattern, place.name)) layers.push_back(place.name);
  }
  try {
    return match_groups(model, pattern, path);
  } catch (const ConfigError&) {
    if (layers.empty()) throw;
    return layers;
  }
}

// The module at a path; null where that is a parameter.
const torch::nn::Module* module_at(const Model& model, const std::string& path) {
  const auto modules = model.named_modules({}, /*include_self=*/false);
  const auto* module = modules.find(path);
  return module ? module->get() : nullptr;
}

}  // namespace

Taps::Taps(const Model& model, const std::vector<std::string>& patterns, const std::string& path) : path_(path) {
  const std::vector<Place> places = places_of(model);
  std::set<std::string> chosen;
  for (const std::string& pattern : patterns) {
    bool any = false;
    const auto matching = match_places(model, places, pattern, path);
    for (const Place& place : places) {
      if (std::find(matching.begin(), matching.end(), place.name) == matching.end()) continue;
      const auto* end = module_at(model, place.path);
      if (end && chosen.insert(place.name).second) wanted_[end].push_back(place.name);
      any = any || end;
    }
    if (any) continue;
    throw ConfigError({path, "a layer group with an output of its own", quote(pattern),
                       "choose the group that holds the layers it adds to"});
  }
  for (const Place& place : places) {
    if (chosen.contains(place.name)) groups_.push_back(place.name);
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
    if (found == taps->wanted_.end()) continue;
    for (const std::string& name : found->second) taps->outputs_.insert_or_assign(name, output);
  }
}

}  // namespace vaetl::nn
