// What became of each tensor, and the report of it as JSON.
#include "vaetl/core/text.hpp"
#include "vaetl/nn/component.hpp"
#include "vaetl/nn/weight_names.hpp"
#include "vaetl/transfer/report_text.hpp"

namespace vaetl::detail {
namespace {

using Rows = std::vector<LoadReport::Row>;

bool is_inserted(std::string_view group) { return group.starts_with(nn::inserted_group({})); }

std::string why_fresh(const Fate& fate, const LoadReport::Row& row, const AdaptOptions& options) {
  if (!options.weights) return "as asked for";
  if (is_adapter(fate.group)) return "a new adapter";
  if (is_inserted(fate.group)) return "a new component";
  if (is_asked_for(fate.group, options)) return "a new head";
  return is_batch_counter(row.name) ? row.note : "not in the source";
}

Fate fate_of(const Adaptation& a, const std::string& outcome, const LoadReport::Row& row) {
  Fate fate{.name = row.name,
            .group = group_of(a.target, row.name),
            .outcome = outcome,
            .why = row.note,
            .from = row.source,
            .values = row.elements,
            .taken = row.taken};
  const bool counter = is_batch_counter(row.name);
  fate.backbone = !is_head(fate.group) && !is_adapter(fate.group) && !is_inserted(fate.group) && !counter;
  if (outcome == "initialised") {
    fate.asked_for = counter || is_asked_for(fate.group, a.options);
    fate.why = why_fresh(fate, row, a.options);
  }
  return fate;
}

Json groups_json(const Adaptation& a, const std::vector<Fate>& fates) {
  const auto tuning = evaluate_tuning(a.tuning, a.target);
  Json groups = Json::array();
  for (const LayerGroup& group : a.target.groups()) {
    std::int64_t tensors = 0, values = 0, taken = 0;
    for (const Fate& fate : fates) {
      if (fate.group != group.name) continue;
      ++tensors;
      values += fate.values;
      taken += fate.taken;
    }
    groups.push_back({{"name", group.name},
                      {"tensors", tensors},
                      {"values", values},
                      {"loaded", taken},
                      {"trained", tuning.at(group.name).train}});
  }
  return groups;
}

Json tensor_json(const Fate& fate) {
  Json json{{"name", fate.name},     {"group", fate.group},  {"outcome", fate.outcome},
            {"values", fate.values}, {"loaded", fate.taken}, {"trained", fate.trained}};
  if (!fate.why.empty()) json["why"] = fate.why;
  if (!fate.from.empty()) json["from"] = fate.from;
  return json;
}

}  // namespace

bool is_asked_for(std::string_view group, const AdaptOptions& options) {
  return !options.weights || is_adapter(group) || is_inserted(group) || (is_head(group) && !options.heads.empty());
}

bool covers(const LayerGroup& group, std::string_view name) {
  return std::any_of(group.prefixes.begin(), group.prefixes.end(), [&](const std::string& prefix) {
    return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '.');
  });
}

bool is_left_behind(const Adaptation& a, std::string_view name) {
  if (a.options.heads.empty()) return false;
  std::set<std::string> kept;
  for (const LayerGroup& group : a.target.groups()) kept.insert(group.name);
  for (const LayerGroup& group : a.source.groups()) {
    if (covers(group, name)) return !kept.contains(group.name);
  }
  return false;
}

std::vector<Fate> fates(const Adaptation& adaptation) {
  const LoadReport& weights = adaptation.weights;
  const auto tuning = evaluate_tuning(adaptation.tuning, adaptation.target);
  std::map<std::string, Fate> by_name;
  const auto add = [&](const char* outcome, const Rows& rows) {
    for (const auto& row : rows) by_name[row.name] = fate_of(adaptation, outcome, row);
  };
  add("loaded", weights.loaded);
  add("reshaped", weights.reshaped);
  add("initialised", weights.initialised);
  add("mismatched", weights.mismatched);
  std::vector<Fate> result;
  for (const std::string& name : names_in_order(adaptation.target)) {
    Fate fate = std::move(by_name.at(name));
    fate.trained = tuning.at(fate.group).train;
    result.push_back(std::move(fate));
  }
  return result;
}

double matched(const std::vector<Fate>& fates) {
  std::int64_t values = 0, taken = 0;
  for (const Fate& fate : fates) {
    if (!fate.backbone) continue;
    values += fate.values;
    taken += fate.taken;
  }
  return values == 0 ? 1 : static_cast<double>(taken) / static_cast<double>(values);
}

Json report_json(const Adaptation& a) {
  const auto all = fates(a);
  std::int64_t tensors = 0, values = 0, taken = 0;
  Json target = Json::array(), unused = Json::array();
  for (const Fate& fate : all) {
    tensors += fate.taken > 0 || fate.outcome == "loaded";
    values += fate.values;
    taken += fate.taken;
    target.push_back(tensor_json(fate));
  }
  for (const auto& row : a.weights.unused) {
    const bool by_rule = row.note == dropped;
    unused.push_back({{"name", row.name}, {"values", row.elements}, {"why", by_rule ? row.note : "not in the target"}});
  }
  return {{"matched", matched(all)},
          {"match", a.options.match},
          {"tensors", {{"all", all.size()}, {"loaded", tensors}}},
          {"values", {{"all", values}, {"loaded", taken}}},
          {"groups", groups_json(a, all)},
          {"target", std::move(target)},
          {"unused", std::move(unused)},
          {"preprocessing", a.preprocessing}};
}

}  // namespace vaetl::detail
