#include "vaetl/train/frozen.hpp"

#include "vaetl/nn/capabilities.hpp"
#include "vaetl/train/features.hpp"

namespace vaetl {
namespace {

bool backbone_frozen(const Model& model, const Tuning& tuning) {
  const auto groups = model.groups();
  const auto trained = trained_groups(tuning, model);
  const bool any_head = std::any_of(groups.begin(), groups.end(), [](const auto& g) { return is_head(g.name); });
  return any_head && groups.size() > 1 && std::all_of(trained.begin(), trained.end(), is_head);
}

constexpr std::int64_t most_feature_bytes = std::int64_t{1} << 30;

// Data may be larger than memory, and so may their features, which are kept in it.
bool too_large(const Model& model, const Pipeline& data) {
  std::int64_t examples = 0;
  for (const Stream& stream : data.streams) examples += stream.data.size();
  const std::int64_t size = dynamic_cast<const Encoder&>(model).feature_size();
  return examples > most_feature_bytes / (static_cast<std::int64_t>(sizeof(float)) * std::max<std::int64_t>(1, size));
}

std::string obstacle(const Model& model, const Objective& objective, const Pipeline& data) {
  const Needs needs = objective.needs();
  if (!offers(model, "Encoder")) return "the model offers no features";
  if (std::count(needs.fields.begin(), needs.fields.end(), "input")) return "the objective reads the input itself";
  if (needs.views > 1) return "the objective compares augmented views";
  if (!needs.taps.empty()) return "the objective reads outputs of layer groups";
  if (too_large(model, data)) return "its features would take more than 1 GiB of memory";
  for (const Stream& stream : data.streams) {
    if (!stream.augment.empty()) return "stream \"" + stream.name + "\" is augmented";
  }
  return {};
}

}  // namespace

FrozenPlan plan_frozen(const Model& model, const Objective& objective, const Pipeline& data, const Tuning& tuning) {
  if (!backbone_frozen(model, tuning)) return {};
  return {true, obstacle(model, objective, data)};
}

Pipeline with_features(Model& model, const Pipeline& data) {
  Pipeline result = data;
  for (Stream& stream : result.streams) {
    stream.data = extract(model, stream.data).without("input");
  }
  return result;
}

}  // namespace vaetl
