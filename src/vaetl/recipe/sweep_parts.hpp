// What a sweep is made of. Internal to recipe.
#pragma once
#include "vaetl/recipe/sweep.hpp"

namespace vaetl::recipe {

// Every combination of one value a key, the last key fastest: [{key: value, …}, …]; one empty object without keys.
std::vector<Json> combinations(const ValueLists& values);
// The same, or with `random` settings that are drawn: no two alike, so fewer where there are fewer.
std::vector<Json> settings_of(const ValueLists& values, const std::optional<RandomOptions>& random, std::uint64_t seed);

// The point's recipe with these settings, {key: value}; those of transfer.method expand it anew.
Json with_settings(const SweepPoint& point, const Json& settings);

// Weights files that the points start from: source → SHA-256, so that retrained encoders are not mixed with old points.
std::map<std::string, std::string> source_hashes(const std::vector<SweepPoint>& points);

// What makes two results of a point the same: its recipe, the search, the sources.
Json fingerprint(const SweepPoint& point, const SweepOptions& options,
                 const std::map<std::string, std::string>& hashes);

// One point in this process: the search, the final run, its scores. The result is what points/ID.json holds.
Json run_point(const SweepPoint& point, const SweepOptions& options, const Json& fingerprint,
               const RunSettings& settings);

// {"points", "summary", "paired"} from the results that there are.
Json summarise_points(const SweepOptions& options, const std::vector<Json>& results);
std::string sweep_table(const Json& sweep);

// The t quantile for a two-sided interval of 95 %.
double t_quantile_95(std::int64_t degrees_of_freedom);

// Calls work(i) for each task in `jobs` forked processes, done(i, failure) in this one as they end: failure is null, or
// {"message", "code"}. A process that dies fails its task and is replaced. Returns false where `stop` ended it.
struct WorkerSettings {
  int jobs = 1;
  std::function<void()> begin = {};  // in each process, first
  std::function<void(std::size_t task)> work = {};
  std::function<void(std::size_t task, const Json& failure)> done = {};
  std::function<bool()> stop = {};
};
bool run_in_processes(const std::vector<std::size_t>& tasks, const WorkerSettings& settings);

}  // namespace vaetl::recipe
