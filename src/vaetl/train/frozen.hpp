// Frozen features, fast: where everything but the heads is frozen for the whole run and nothing is augmented, the
// backbone runs once and its output is fed instead.
#pragma once
#include <string>

#include "vaetl/data/pipeline.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/train/tuning.hpp"

namespace vaetl {

struct FrozenPlan {
  bool frozen = false;  // the backbone stands still for the whole run
  std::string why_not;  // empty: its features may be computed once
};
FrozenPlan plan_frozen(const Model& model, const Objective& objective, const Pipeline& data, const Tuning& tuning);

// Every stream with field "features" in place of its input; validation stays as it is.
Pipeline with_features(Model& model, const Pipeline& data);

}  // namespace vaetl
