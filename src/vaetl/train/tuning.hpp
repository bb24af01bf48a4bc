// What is frozen, from which epoch, at which rate: data, evaluated anew each epoch and never stored as state, so a
// resumed run cannot re-freeze. The last matching rule wins; one that matches nothing is an error.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

struct TuningRule {
  std::string groups = "*";  // a pattern over layer groups; "backbone": all but the heads
  bool train = true;  // false: no gradient, no optimiser state, evaluation mode (batch norm and dropout stand still)
  double lr_scale = 1.0;
  double weight_decay_scale = 1.0;
  std::int64_t from_epoch = 0;  // the rule is read from this epoch on
  static constexpr auto fields() {
    using R = TuningRule;
    return std::tuple{field("groups", &R::groups, "layer groups, by pattern; backbone: all but the heads"),
                      field("train", &R::train, "false: frozen, batch norm and dropout included"),
                      field("lr_scale", &R::lr_scale, "factor on the learning rate", at_least(0)),
                      field("weight_decay_scale", &R::weight_decay_scale, "factor on the weight decay", at_least(0)),
                      field("from_epoch", &R::from_epoch, "first epoch in which the rule counts", at_least(0))};
  }
};
using Tuning = std::vector<TuningRule>;

struct GroupTuning {
  bool train = true;
  double lr_scale = 1.0, weight_decay_scale = 1.0;
  bool operator==(const GroupTuning&) const = default;
};

// Layer group → what holds for it in this epoch. ConfigError for a pattern that matches no group.
std::map<std::string, GroupTuning> evaluate_tuning(const Tuning& tuning, const Model& model, std::int64_t epoch);

}  // namespace vaetl
