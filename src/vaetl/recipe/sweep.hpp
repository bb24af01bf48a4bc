// Many runs of one recipe: named ways × varied keys × seeds, each optionally after a search for its settings that sees
// nothing but the labels at hand. Points run in parallel processes, what is done is not done again.
//
//   "sweep": {"ways": {"scratch": {"transfer.from": "none"}, "probe": {"transfer.freeze": ["backbone"]}},
//             "vary": {"data.take_per_class": [1, 10, 100]}, "seeds": 3, "metric": "accuracy", "baseline": "scratch",
//             "search": {"grid": {"trainer.optimizer.lr": [1e-3, 1e-4]}, "folds": 2, "metric": "cross_entropy"}}
//
// In place of every combination, `random` draws settings: each key's value from its list or range, independently
// (Bergstra and Bengio, JMLR 13, 2012). The first draws are the same however many there are.
//
//   "sweep": {"vary": {"model.widths": [[64], [256]]}, "on": "validation",
//             "random": {"count": 20, "ranges": {"trainer.optimizer.lr": {"low": 1e-4, "high": 0.1, "log": true}}}}
//
// A key is a dotted path, as in overrides; its value may be a whole section, and null removes what is there. A point is
// the recipe with its way's changes, then the varied ones, then its seed: so labels drawn, initialisation and order
// vary by seed, and equally for all ways, which makes differences between ways paired.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/recipe/run.hpp"

namespace vaetl::recipe {

// Numbers from low to high, evenly spread, or with `log` by their logarithms.
struct RangeOptions {
  double low = 0, high = 1;
  bool log = false, whole = false;
  static constexpr auto fields() {
    using R = RangeOptions;
    return std::tuple{field("low", &R::low, "least value"), field("high", &R::high, "largest value"),
                      field("log", &R::log, "evenly in the logarithm"),
                      field("whole", &R::whole, "whole numbers alone")};
  }
};

struct RandomOptions {
  std::int64_t count = 20;
  std::map<std::string, RangeOptions> ranges = {};
  static constexpr auto fields() {
    using R = RandomOptions;
    return std::tuple{
        field("count", &R::count, "settings that are drawn, without repetition", between(1, 10000)),
        field("ranges", &R::ranges, "key → numbers to draw from, {low, high, log, whole}, beside the lists of values")};
  }
};

using ValueLists = std::map<std::string, std::vector<Json>>;  // key → values

struct SearchOptions {
  ValueLists grid = {};  // every combination is tried for every point, or with `random` so many
  std::optional<RandomOptions> random = {};
  std::int64_t folds = 2;  // cross-validation inside the point's own labels, by at most so many folds
  std::string metric = "accuracy";
  static constexpr auto fields() {
    using S = SearchOptions;
    return std::tuple{
        field("grid", &S::grid, "key → values to choose from; the first ones where nothing can be held out"),
        field("random", &S::random, "draw settings in place of every combination"),
        field("folds", &S::folds, "folds of the labels at hand", between(2, 10)),
        field("metric", &S::metric, "validation metric to choose by")};
  }
};

struct SweepOptions {
  Json ways = Json::object();  // name → {key: value}, in the order of the table; empty: one way, the recipe's own
  ValueLists vary = {};        // every combination, or with `random` so many
  std::optional<RandomOptions> random = {};
  std::int64_t seeds = 1;
  std::string metric = "accuracy";
  std::string on = "test";
  std::string baseline = {};  // the way that paired differences are taken against; empty: none are
  std::optional<SearchOptions> search = {};
  static constexpr auto fields() {
    using S = SweepOptions;
    return std::tuple{
        field("ways", &S::ways, "named sets of overrides"),
        field("vary", &S::vary, "key → values"),
        field("random", &S::random, "draw settings in place of every combination"),
        field("seeds", &S::seeds, "runs of each point, with the recipe's seed and those after it", between(1, 1000)),
        field("metric", &S::metric, "metric that is compared"),
        choice("on", &S::on, "data that it is measured on; to choose settings, validation", {"test", "validation"}),
        field("baseline", &S::baseline, "way that the others are paired with"),
        field("search", &S::search, "choice of settings without test labels")};
  }
};

// The section "sweep" of a recipe. ConfigError for unknown keys and metrics, and for values that are none.
SweepOptions read_sweep(const Json& json);
// "key=a,b,c" of a command line: adds to, or replaces, what is varied. Each value is JSON where it parses as such.
// "key=low..high" or "key=log:low..high" is a range, of whole numbers where both are written so; settings are drawn
// then.
void add_vary(SweepOptions& options, const std::string& assignment);

struct SweepPoint {
  std::string id, way;
  Json vary = Json::object();  // key → value
  std::uint64_t seed = 0;
  Json recipe = {};  // resolved; what the search chooses is not in it yet
  Json given = {};   // the same as given, with its transfer.method
};
// Every point, checked as a recipe: ConfigError names the point. Points of one seed stand together, so that a sweep
// that is cut short is complete for the first seeds.
std::vector<SweepPoint> expand(const Recipe& recipe, const SweepOptions& options);

struct SweepSettings {
  std::filesystem::path out = {};
  bool resume = false;  // points that are done, with equal settings and sources, are kept
  int jobs = 0;         // processes; 0: cores / threads
  int threads = 1;      // of each process
  std::string device = "auto";
  std::string command = {};
  std::function<void(std::int64_t done, std::int64_t total, const std::string& text)> progress = {};
  std::function<bool()> stop = {};       // asked several times a second; true ends the workers
  std::shared_ptr<DataCache> data = {};  // a program's own sets
};

struct SweepReport {
  Json json;  // sweep.json
  struct Failure {
    std::string point, message;
    Exit code = Exit::internal;
  };
  std::vector<Failure> failures = {};
  bool interrupted = false;
  std::string text = {};  // the table, for people
};

// Runs what is not done yet in worker processes, which are forked: the caller must not have used CUDA,
// nor LibTorch on several threads where a worker shall use several. Every point's
// result is points/ID.json as soon as it is done; sweep.json at the end:
//   {"kind": "sweep", "name", "status": "done" | "failed" | "interrupted", "metric", "on", "higher_is_better",
//    "baseline", "ways": [names], "vary": {key: [values] or its range}, "drawn": how many settings or null, "seeds",
//    "seconds", "jobs", "threads", "command",
//    "points": [{"id", "way", "vary", "seed", "value", "metrics", "chosen", "seconds", "steps"}],
//    "summary": [{"way", "vary", "mean", "spread", "n", "values"}],
//    "paired": [{"way", "against", "vary", "mean", "spread", "low", "high", "n"}],
//    "failures": [{"point", "message"}]}
// spread is the sample standard deviation; low and high are the 95 % t-interval of the mean of paired differences; both
// null for n = 1. OutputError: the folder holds points and is not resumed, or points of other settings.
SweepReport sweep(const Recipe& recipe, const SweepOptions& options, const SweepSettings& settings);

}  // namespace vaetl::recipe
