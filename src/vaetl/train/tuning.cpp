#include "vaetl/train/tuning.hpp"

#include <limits>

#include "vaetl/core/error.hpp"

namespace vaetl {
namespace {

// The first step at which the rule counts.
std::int64_t first_step(const TuningRule& rule, Span span) {
  constexpr double rounding = 1e-9;  // 0.3 of 10 steps is step 3
  if (rule.from == 0) return 0;
  const double unit = rule.unit == "steps" ? 1 : rule.unit == "epochs" ? span.steps_per_epoch : span.steps;
  if (unit == 0) return std::numeric_limits<std::int64_t>::max();
  const double first = std::ceil(rule.from * unit - rounding);
  return first < 0x1p63 ? static_cast<std::int64_t>(first) : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

void TuningRule::validate() const {
  if (from < 0 || (unit == "training" && from > 1)) {
    throw ConfigError({"tuning.from", "a share of training, between 0 and 1", fmt::format("{}", from),
                       "for epochs or steps say so: \"unit\": \"epochs\""});
  }
}

std::map<std::string, GroupTuning> evaluate_tuning(const Tuning& tuning, const Model& model, std::int64_t step,
                                                   Span span) {
  std::map<std::string, GroupTuning> result;
  for (const LayerGroup& group : model.groups()) result[group.name];
  for (std::size_t i = 0; i < tuning.size(); ++i) {
    const TuningRule& rule = tuning[i];
    const auto names = match_groups(model, rule.groups, fmt::format("tuning[{}].groups", i));
    if (step < first_step(rule, span)) continue;
    for (const auto& name : names) result[name] = {rule.train, rule.lr_scale, rule.weight_decay_scale, rule.norm};
  }
  return result;
}

std::set<std::string> trained_groups(const Tuning& tuning, const Model& model) {
  std::set<std::string> groups;
  for (const auto& [group, now] : evaluate_tuning(tuning, model)) {
    if (now.train) groups.insert(group);
  }
  for (const TuningRule& rule : tuning) {
    if (rule.from > 0 && rule.train)
      for (const auto& group : match_groups(model, rule.groups, "tuning")) groups.insert(group);
  }
  return groups;
}

std::vector<std::int64_t> tuning_steps(const Tuning& tuning, Span span) {
  std::set<std::int64_t> steps{0};
  for (const TuningRule& rule : tuning) {
    const std::int64_t first = first_step(rule, span);
    if (static_cast<double>(first) < span.steps) steps.insert(first);
  }
  return {steps.begin(), steps.end()};
}

}  // namespace vaetl
