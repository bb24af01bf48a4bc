// Which parameters an update of an epoch trains, and with which settings. Internal to train.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "vaetl/nn/model.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/train/optimizer.hpp"
#include "vaetl/train/tuning.hpp"

namespace vaetl {

// The parameters of one update, those with equal settings together.
std::vector<ParameterSet> parameter_sets(const Model& model, const Objective& objective, const Update& update,
                                         const std::map<std::string, GroupTuning>& tuning);

}  // namespace vaetl
