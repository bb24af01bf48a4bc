#include "vaetl/recipe/explore.hpp"

#include "vaetl/recipe/prepare.hpp"

namespace vaetl::recipe {
namespace {

// The recipe's own steps, without a folder: where it runs and what it reads are as in a run.
Prepared prepare_trial(const Recipe& recipe, const RunSettings& settings) {
  Recipe alone = recipe;
  alone.sweep.reset();
  RunSettings without = settings;
  without.out.clear();
  without.resume = "never";
  Prepared prepared = prepare(alone, without);
  prepared.data.pipeline.validation.reset();
  return prepared;
}

}  // namespace

RateSweep find_rate(const Recipe& recipe, const RunSettings& settings, const FindRateOptions& how) {
  const Prepared prepared = prepare_trial(recipe, settings);
  return vaetl::find_rate(prepared.trainer, *prepared.model, prepared.objective, prepared.data.pipeline,
                          prepared.tuning, how);
}

BatchSizes find_batch(const Recipe& recipe, const RunSettings& settings, const FindBatchOptions& how) {
  const Prepared prepared = prepare_trial(recipe, settings);
  return vaetl::find_batch(
      prepared.trainer, *prepared.model, [&] { return make_objective(recipe.objective); }, prepared.data.pipeline,
      prepared.tuning, how);
}

ThreadCounts find_threads(const Recipe& recipe, const RunSettings& settings, const FindThreadsOptions& how) {
  const Prepared prepared = prepare_trial(recipe, settings);
  return vaetl::find_threads(
      prepared.trainer, *prepared.model, [&] { return make_objective(recipe.objective); }, prepared.data.pipeline,
      prepared.tuning, how);
}

StepProfile profile(const Recipe& recipe, const RunSettings& settings, std::int64_t steps) {
  const Prepared prepared = prepare_trial(recipe, settings);
  const auto recorder = std::make_shared<ProfileSteps>(steps);
  Trainer(for_trial(prepared.trainer, recorder->steps_needed()), {recorder})
      .fit(prepared.model, prepared.objective, prepared.data.pipeline, prepared.tuning);
  return recorder->result();
}

}  // namespace vaetl::recipe
