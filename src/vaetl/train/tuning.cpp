#include "vaetl/train/tuning.hpp"

namespace vaetl {

std::map<std::string, GroupTuning> evaluate_tuning(const Tuning& tuning, const Model& model, std::int64_t epoch) {
  std::map<std::string, GroupTuning> result;
  for (const LayerGroup& group : model.groups()) result[group.name];
  for (std::size_t i = 0; i < tuning.size(); ++i) {
    const TuningRule& rule = tuning[i];
    const auto names = match_groups(model, rule.groups, fmt::format("tuning[{}].groups", i));
    if (epoch < rule.from_epoch) continue;
    for (const auto& name : names) result[name] = {rule.train, rule.lr_scale, rule.weight_decay_scale};
  }
  return result;
}

}  // namespace vaetl
