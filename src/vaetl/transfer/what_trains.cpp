// What trains in a target: the short forms of AdaptOptions as tuning rules.
#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/transfer/adapt.hpp"

namespace vaetl {
namespace {

// `freeze` as rules: a pattern's groups stand still, those of "!PATTERN" train all the same.
Tuning frozen_by_name(const Model& target, const AdaptOptions& options) {
  Tuning rules;
  for (std::size_t i = 0; i < options.freeze.size(); ++i) {
    const bool still = !options.freeze[i].starts_with('!');
    rules.push_back({.groups = options.freeze[i].substr(still ? 0 : 1), .train = !still});
    match_groups(target, rules.back().groups, fmt::format("transfer.freeze[{}]", i));
  }
  return rules;
}

// The backbone's groups that have something to train and are not frozen for good, from the head down.
std::vector<std::string> tunable_groups(const Model& target, const Tuning& frozen_by_name) {
  std::set<std::string> filled, frozen;
  for (const auto& item : target.named_parameters()) filled.insert(group_of(target, item.key()));
  for (const auto& [group, now] : evaluate_tuning(frozen_by_name, target)) {
    if (!now.train) frozen.insert(group);
  }
  std::vector<std::string> result;
  for (const LayerGroup& group : target.groups()) {
    const bool own = !is_head(group.name) && !is_adapter(group.name) && filled.contains(group.name);
    if (own && !frozen.contains(group.name)) result.push_back(group.name);
  }
  return {result.rbegin(), result.rend()};
}

// When the group that is `depth` groups before the heads (1: the next) of `groups` thaws, as the rule's from and unit.
std::pair<double, std::string> thaws_at(const AdaptOptions& options, std::size_t depth, std::size_t groups) {
  if (!options.gradual) return {options.head_first, "training"};
  const auto place = static_cast<double>(depth);
  if (options.gradual->every > 0) return {place * options.gradual->every, "epochs"};
  return {options.gradual->over * place / static_cast<double>(groups), "training"};
}

void add_short_forms(Tuning& tuning, const Model& target, const AdaptOptions& options) {
  const std::vector<std::string> groups = tunable_groups(target, tuning);
  double rate = 1;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    rate *= options.layer_decay;
    const auto [from, unit] = thaws_at(options, i + 1, groups.size());
    if (from > 0) tuning.push_back({.groups = groups[i], .train = false});
    tuning.push_back({.groups = groups[i], .lr_scale = rate, .norm = options.norm, .from = from, .unit = unit});
  }
}

// What is trained while the backbone stands still.
void check_fresh(const Model& target, const AdaptOptions& options) {
  const auto groups = target.groups();
  const bool any = std::any_of(groups.begin(), groups.end(),
                               [](const auto& group) { return is_head(group.name) || is_adapter(group.name); });
  if (any || (options.head_first == 0 && !options.gradual)) return;
  throw ConfigError({options.gradual ? "transfer.gradual" : "transfer.head_first", "a target with a head",
                     "none in " + quote(target.spec().name), "ask for transfer.heads, or leave it out"});
}

void check_thawing(const AdaptOptions& options) {
  if (options.gradual && options.head_first > 0) {
    throw ConfigError({"transfer", "head_first or gradual", "both", "leave one out"});
  }
  if (options.gradual && options.gradual->every == 0 && options.gradual->over == 0) {
    throw ConfigError(
        {"transfer.gradual", "every or over above 0", "both 0", "leave gradual out to train all at once"});
  }
}

void check_norm(const Model& target, const AdaptOptions& options) {
  if (options.norm == "train") return;
  const auto modules = target.modules();
  const bool any = std::any_of(modules.begin(), modules.end(), [](const auto& module) {
    return dynamic_cast<const nn::BatchNorm*>(module.get()) != nullptr;
  });
  if (any) return;
  throw ConfigError(
      {"transfer.norm", "a model with batch norm", "none in " + quote(target.spec().name), "leave norm at \"train\""});
}

}  // namespace

Tuning tuning_of(const Model& target, const AdaptOptions& options) {
  check_thawing(options);
  check_fresh(target, options);
  check_norm(target, options);
  Tuning tuning = frozen_by_name(target, options);
  const bool any = options.gradual || options.head_first > 0 || options.layer_decay != 1 || options.norm != "train";
  if (any) add_short_forms(tuning, target, options);
  for (std::size_t i = 0; i < options.tuning.size(); ++i) {
    match_groups(target, options.tuning[i].groups, fmt::format("transfer.tuning[{}].groups", i));
    tuning.push_back(options.tuning[i]);
  }
  return tuning;
}

}  // namespace vaetl
