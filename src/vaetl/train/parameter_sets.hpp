// Which parameters an update of an epoch trains, and with which settings. Internal to train.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "vaetl/nn/layers.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/train/optimizer.hpp"
#include "vaetl/train/tuning.hpp"

namespace vaetl {

// The parameters of one update, those with equal settings together. Without `decay_norms_and_biases` those of fewer
// than two dimensions have no weight decay.
std::vector<ParameterSet> parameter_sets(const Model& model, const Objective& objective, const Update& update,
                                         const std::map<std::string, GroupTuning>& tuning,
                                         bool decay_norms_and_biases = true);

std::vector<nn::BatchNorm*> batch_norms(const Model& model, const LayerGroup& group);
// Modules of groups that do not train to evaluation mode, and batch norms whose statistics stand still.
void stand_still(const Model& model, const std::map<std::string, GroupTuning>& tuning);

std::set<std::string> head_parameters(const Model& model);  // of the groups "head" and "head.NAME"

}  // namespace vaetl
