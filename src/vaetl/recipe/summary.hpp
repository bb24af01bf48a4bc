// run.json, and where a run came from. Internal to recipe.
#pragma once
#include "vaetl/recipe/prepare.hpp"

namespace vaetl::recipe {

Json summarise_run(const Recipe& recipe, const RunSettings& settings, const Prepared& prepared, const Run& run,
                   const std::map<std::string, double>& metrics);
// Data, seed, software, device: what a card tells of its training.
Json provenance(const Recipe& recipe, const RunSettings& settings, const Prepared& prepared, const Run& run);
// {"name", "parameters", "groups": [{"name", "parameters", "trained": in epoch 0}, …]}
Json describe_model(const Model& model, const Tuning& tuning);
Json describe_data(const Data& data);
// Batches of the first stream in an epoch.
std::int64_t steps_per_epoch(const Prepared& prepared);

}  // namespace vaetl::recipe
