// What the names in files of other programs tell.
#pragma once
#include <string>
#include <string_view>

#include "vaetl/nn/state.hpp"

namespace vaetl {

// How many batches a normalisation has seen: nothing that a forward pass needs, and absent in files of PyTorch before
// 0.4.1, where the model's own 0 stays.
bool is_batch_counter(std::string_view name);

// "module.", where every name of `weights` begins with it and some are names of `own` without it; else empty.
std::string foreign_prefix(const Weights& weights, const Weights& own);

// What to do about such a prefix; else `otherwise`.
std::string prefix_remedy(const Weights& weights, const Weights& own, const std::string& otherwise);

}  // namespace vaetl
