// Runs a recipe: resolves its names to things, checks them, trains, scores on the test split and fills the run folder:
// recipe.json (resolved, reproduces the run), metrics.jsonl, checkpoints/, model/ (a zoo entry's form), pictures/,
// views.json (confusion matrix, map of the latents), run.json, report.html.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "vaetl/recipe/data_cache.hpp"
#include "vaetl/recipe/recipe.hpp"

namespace vaetl::recipe {

struct RunSettings {
  std::filesystem::path out = {};  // run folder; empty: nothing is written
  std::string resume = "never";    // auto, must: see TrainerOptions
  std::string device = "auto";
  std::string command = {};  // as typed, for the report
  bool artefacts = true;     // model/, pictures/, views.json and report.html; a sweep's points leave them out
  std::vector<std::shared_ptr<Callback>> callbacks = {};
  std::shared_ptr<DataCache> data = {};              // opened sets, and a program's own; null: a fresh one
  std::function<void(const Problem&)> skipped = {};  // told of every example that reading leaves out
};

struct Outcome {
  Json summary;                  // run.json
  std::shared_ptr<Model> model;  // in evaluation mode; null where a finished run left none
  Run run;
};

// run.json: {"kind": "train", "name", "status": "done" | "interrupted", "ended": null |
//   "patience" | "max_minutes", "rewinds", "seconds", "steps", "epochs", "resumed_from",
//   "metrics": {name: value on the test split}, "higher_is_better": {name: true | false}, "training": the last epoch's
//   terms, "model": {"name", "parameters", "groups": [{"name", "parameters", "trained"}]}, "device", "threads",
//   "vaetl", "torch": their versions, "peak_memory_mb", "samples_per_second", "warnings": of what was looked at before
//   the first step, "waiting_share": of the seconds, for batches, "command",
//   "data": {"name", "sha256", "licence", "classes", "train", "validation", "test"}, "transfer": {"from", "method",
//   "sha256", "report", "match": AdaptReport::json, "head": {"l2", "validation": {"accuracy", "cross_entropy"},
//   "tried", …} where it was solved}}
// A null stands for what does not apply. A folder that holds something is refused with an OutputError unless the run is
// resumed; resuming a finished run returns its summary ("complete": true) and trains nothing; another process at work
// in the folder is an OutputError.
Outcome run(const Recipe& recipe, const RunSettings& settings);

// Everything but training: opens the data, builds, adapts, one step on one batch of each stream. Returns lines for
// people (data, model and groups, the matching report, what trains, step and epoch counts, memory) and throws what
// run() would.
struct Plan {
  std::string text;
  Json json;
};
Plan plan(const Recipe& recipe, const RunSettings& settings);
// How the weights of a transfer found their places, in lines for people; empty without a transfer.
std::string matching(const Recipe& recipe, const RunSettings& settings);

// Threads of the run whose folder this is, for a resume that repeats bits; 0 where there is none.
int recorded_threads(const std::filesystem::path& run_folder);

}  // namespace vaetl::recipe
