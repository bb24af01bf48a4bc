// What a recipe's training costs and which settings suit it, found by a few of its steps. Nothing is written, and no
// run is touched.
//
//   const RateSweep sweep = recipe::find_rate(recipe::read("recipes/fashion-cnn.json"), {});
#pragma once
#include "vaetl/recipe/run.hpp"
#include "vaetl/train/find_batch.hpp"
#include "vaetl/train/find_rate.hpp"
#include "vaetl/train/find_threads.hpp"
#include "vaetl/train/profile.hpp"

namespace vaetl::recipe {

// Each opens the data, builds and adapts as run() does, and throws what it would.
RateSweep find_rate(const Recipe& recipe, const RunSettings& settings, const FindRateOptions& how = {});
BatchSizes find_batch(const Recipe& recipe, const RunSettings& settings, const FindBatchOptions& how = {});
ThreadCounts find_threads(const Recipe& recipe, const RunSettings& settings, const FindThreadsOptions& how = {});
StepProfile profile(const Recipe& recipe, const RunSettings& settings, std::int64_t steps);

}  // namespace vaetl::recipe
