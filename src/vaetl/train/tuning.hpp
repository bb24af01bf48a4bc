// What is frozen, from when, at which rate: data, evaluated anew as training goes on and never stored as state, so a
// resumed run cannot re-freeze. The last matching rule wins; one that matches nothing is an error.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "vaetl/core/schedule.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

// What batch norm does in a group that trains: "train"; "statistics": its running statistics stand still and normalise,
// scale and shift train; "frozen": nothing of it changes.
inline constexpr Choices norm_modes = {"train", "statistics", "frozen"};

struct TuningRule {
  std::string groups = "*";  // a pattern over layer groups; "backbone": all but heads and adapters
  bool train = true;  // false: no gradient, no optimiser state, evaluation mode (batch norm and dropout stand still)
  double lr_scale = 1.0;
  double weight_decay_scale = 1.0;
  std::string norm = "train";
  double from = 0;  // the rule is read from here on
  std::string unit = "training";
  void validate() const;
  static constexpr auto fields() {
    using R = TuningRule;
    return std::tuple{
        field("groups", &R::groups, "layer groups, by pattern; backbone: all but heads and adapters"),
        field("train", &R::train, "false: frozen, batch norm and dropout included"),
        field("lr_scale", &R::lr_scale, "factor on the learning rate", at_least(0)),
        field("weight_decay_scale", &R::weight_decay_scale, "factor on the weight decay", at_least(0)),
        choice("norm", &R::norm, "batch norm: train, statistics (they stand still) or frozen", norm_modes),
        field("from", &R::from, "from when on the rule counts", at_least(0)),
        choice("unit", &R::unit, "of from: the share of training, epochs or steps", curves::units)};
  }
};
using Tuning = std::vector<TuningRule>;

struct GroupTuning {
  bool train = true;
  double lr_scale = 1.0, weight_decay_scale = 1.0;
  std::string norm = "train";
  bool operator==(const GroupTuning&) const = default;
};

// Layer group → what holds for it in step `step` of a training of that span; without a span, at the start. ConfigError
// for a pattern that matches no group.
std::map<std::string, GroupTuning> evaluate_tuning(const Tuning& tuning, const Model& model, std::int64_t step = 0,
                                                   Span span = {});
// Layer groups that train at some time.
std::set<std::string> trained_groups(const Tuning& tuning, const Model& model);
// The steps at which a rule begins to count, 0 first, each once; those after the end are left out.
std::vector<std::int64_t> tuning_steps(const Tuning& tuning, Span span);

}  // namespace vaetl
