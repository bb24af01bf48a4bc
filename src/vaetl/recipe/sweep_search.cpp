// One point of a sweep: settings chosen by cross-validation inside the labels at hand, then the final run on all of
// them.
#include <ATen/ops/bincount.h>

#include "vaetl/metrics/metric.hpp"
#include "vaetl/recipe/prepare.hpp"
#include "vaetl/recipe/solve_head.hpp"
#include "vaetl/recipe/sweep_parts.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::recipe {
namespace {

// As many folds as the rarest class has examples.
std::int64_t possible_folds(const Json& recipe, std::int64_t wanted, DataCache& cache) {
  const Recipe parsed = parse(recipe);
  const Data data = open_data(read_data(parsed.data), parsed.seed, cache);
  const Dataset& train = data.train();
  const bool labelled = train.has("target") && train.classes() > 0;
  const std::int64_t least =
      labelled ? at::bincount(train.labels(), {}, train.classes()).min().item<std::int64_t>() : train.size();
  return std::min(wanted, least);
}

// The validation metric of one fold; null where training diverged. Test data are never scored.
Json score_fold(Json recipe, std::int64_t index, std::int64_t folds, const std::string& metric,
                const RunSettings& settings) {
  const DataSection section = read_data(recipe["data"]);
  Json& stream = section.short_form ? recipe["data"] : recipe["data"][section.streams[0].first];
  stream["fold"] = {index, folds};
  recipe["evaluate"] = Json::array();
  const Recipe parsed = parse(recipe);
  Prepared prepared = prepare(parsed, settings);
  solve_first(parsed, prepared, settings);
  try {
    Trainer(prepared.trainer).fit(prepared.model, prepared.objective, prepared.data.pipeline, prepared.tuning);
  } catch (const DivergedError&) {
    return {};
  }
  const double value = evaluate(*prepared.model, *prepared.data.pipeline.validation, {metric}).at(metric);
  return std::isfinite(value) ? Json(value) : Json();
}

// The mean over the folds; null where one of them has no score.
Json mean_score(const Json& scores) {
  double sum = 0;
  for (const Json& score : scores) {
    if (score.is_null()) return {};
    sum += score.get<double>();
  }
  return sum / static_cast<double>(scores.size());
}

bool better(const Json& candidate, const Json& best, bool higher) {
  if (candidate.is_null() || best.is_null()) return best.is_null() && !candidate.is_null();
  return higher ? candidate.get<double>() > best.get<double>() : candidate.get<double>() < best.get<double>();
}

struct Search {
  Json chosen = Json::object();
  Json tried = Json::array();
};

Search search(const SweepPoint& point, const SearchOptions& options, const RunSettings& settings) {
  const std::vector<Json> candidates = settings_of(options.grid, options.random, point.seed);
  Search result{.chosen = candidates[0], .tried = Json::array()};
  const std::int64_t folds = possible_folds(point.recipe, options.folds, *settings.data);
  if (folds < 2 || candidates.size() < 2) return result;
  const bool higher = make_metric(options.metric)->higher_is_better();
  Json best;
  for (const Json& candidate : candidates) {
    Json scores = Json::array();
    for (std::int64_t i = 0; i < folds; ++i) {
      scores.push_back(score_fold(with_settings(point, candidate), i, folds, options.metric, settings));
    }
    const Json mean = mean_score(scores);
    if (better(mean, best, higher)) {
      best = mean;
      result.chosen = candidate;
    }
    result.tried.push_back({{"settings", candidate}, {"scores", scores}, {"mean", mean}});
  }
  return result;
}

// Of the run's weights, on the data that the sweep looks at.
Json value_of(const SweepPoint& point, const SweepOptions& options, const Outcome& outcome, DataCache& cache) {
  if (options.on == "test") return outcome.summary["metrics"][options.metric];
  const Data data = open_data(read_data(point.recipe["data"]), point.seed, cache);
  return evaluate(*outcome.model, *data.pipeline.validation, {options.metric}).at(options.metric);
}

}  // namespace

Json run_point(const SweepPoint& point, const SweepOptions& options, const Json& fingerprint,
               const RunSettings& settings) {
  const auto start = std::chrono::steady_clock::now();
  Search found;
  if (options.search) found = search(point, *options.search, settings);
  const Outcome outcome = run(parse(with_settings(point, found.chosen)), settings);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const Json value = value_of(point, options, outcome, *settings.data);
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    throw DivergedError({"point " + point.id, "a finite " + options.metric, value.dump(), "lower the learning rate"});
  }
  return {{"id", point.id},
          {"way", point.way},
          {"vary", point.vary},
          {"seed", point.seed},
          {"value", value},
          {"metrics", outcome.summary["metrics"]},
          {"chosen", found.chosen},
          {"seconds", seconds.count()},
          {"steps", outcome.summary["steps"]},
          {"training", outcome.summary["training"]},
          {"model", outcome.summary["model"]},
          {"data", outcome.summary["data"]},
          {"search", found.tried},
          {"fingerprint", fingerprint}};
}

}  // namespace vaetl::recipe
