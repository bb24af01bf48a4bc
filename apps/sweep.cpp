// vaetl-sweep: many runs of one recipe in parallel processes, and what they say against each other.
#include <cstdlib>

#include "apps/support/program.hpp"
#include "apps/support/signals.hpp"
#include "apps/support/topics.hpp"
#include "apps/support/training.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/recipe/sweep.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

// The recipe's section with what the flags add or replace.
recipe::SweepOptions options_of(const recipe::Recipe& recipe, const Arguments& arguments) {
  recipe::SweepOptions options;
  if (recipe.sweep) options = recipe::read_sweep(*recipe.sweep);
  for (const std::string& assignment : arguments.texts("vary")) recipe::add_vary(options, assignment);
  if (arguments.has("random")) {
    if (!options.random) options.random.emplace();
    options.random->count = arguments.integer("random", between(1, 10000));
  }
  if (arguments.has("on")) options.on = arguments.text("on");
  if (arguments.has("metric")) options.metric = arguments.text("metric");
  if (arguments.has("seeds")) options.seeds = arguments.integer("seeds", between(1, 1000));
  return recipe::read_sweep(to_json(options));
}

int threads_of(const Arguments& arguments) {
  if (arguments.has("threads")) return static_cast<int>(arguments.integer("threads", between(1, 1024)));
  const char* chosen = std::getenv("OMP_NUM_THREADS");
  return chosen != nullptr ? std::clamp(std::atoi(chosen), 1, 1024) : 1;
}

recipe::SweepSettings settings_of(const recipe::Recipe& recipe, const Arguments& arguments) {
  recipe::SweepSettings settings;
  settings.out = arguments.text("out", (std::filesystem::path("runs") / recipe.name).string());
  settings.resume = true;
  if (arguments.has("jobs")) settings.jobs = static_cast<int>(arguments.integer("jobs", between(1, 1024)));
  settings.threads = threads_of(arguments);
  settings.device = arguments.text("device", "auto");
  settings.command = arguments.command;
  settings.stop = [] { return caught_signal().has_value(); };
  return settings;
}

Result print_config(recipe::Recipe recipe, const recipe::SweepOptions& options, const Arguments& arguments) {
  recipe.sweep = to_json(options);
  const Json resolved = recipe::resolve(recipe, arguments.text("device"));
  return {resolved, resolved.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Result list_points(const recipe::Recipe& recipe, const recipe::SweepOptions& options) {
  Json points = Json::array();
  std::string text;
  for (const recipe::SweepPoint& point : recipe::expand(recipe, options)) {
    points.push_back({{"id", point.id}, {"way", point.way}, {"vary", point.vary}, {"seed", point.seed}});
    text += point.id + "\n";
  }
  return {{{"points", points}}, text};
}

// The points that are kept from before do not count in the rate.
class Progress {
 public:
  void update(const std::string& label, std::int64_t done, std::int64_t total, const std::string& text) {
    if (!bar_) {
      bar_.emplace(label, total, "run");
      bar_->start_at(done);
    }
    bar_->update(done, text);
  }
  void finish() { bar_.reset(); }

 private:
  std::optional<ProgressBar> bar_;
};

// Each failed point is a line on stderr; the exit code is the first one's.
Result result_of(const recipe::SweepReport& report, const recipe::SweepSettings& settings) {
  Result result{{{"run", settings.out.string()}}, report.text, Exit::ok};
  result.json.update(report.json);
  for (const auto& failure : report.failures) {
    std::fprintf(stderr, "vaetl-sweep: %s: %s\n", failure.point.c_str(), failure.message.c_str());
  }
  if (!report.failures.empty()) result.exit = report.failures.front().code;
  if (!report.interrupted) return result;
  std::fprintf(stderr, "interrupted; what is done is kept: go on with %s\n", settings.command.c_str());
  result.exit = caught_signal().value_or(Exit::interrupted);
  return result;
}

Result sweep(const Arguments& arguments) {
  const RecipeArguments given = recipe_arguments(arguments);
  if (given.recipe.empty()) throw ConfigError({"command line", "RECIPE", "nothing", "see --help"});
  const recipe::Recipe recipe = recipe::read(given.recipe, given.overrides);
  const recipe::SweepOptions options = options_of(recipe, arguments);
  if (arguments.has("print-config")) return print_config(recipe, options, arguments);
  if (arguments.has("dry-run")) return list_points(recipe, options);
  catch_signals();
  recipe::SweepSettings settings = settings_of(recipe, arguments);
  Progress progress;
  if (!arguments.has("quiet")) {
    settings.progress = [&](std::int64_t done, std::int64_t total, const std::string& text) {
      progress.update(recipe.name, done, total, text);
    };
  }
  const recipe::SweepReport report = recipe::sweep(recipe, options, settings);
  progress.finish();
  return result_of(report, settings);
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-sweep",
      .synopsis = "vaetl-sweep RECIPE [section.key=value …] [--vary key=a,b,c …] [options]",
      .purpose = "runs a recipe many times and compares: means, spreads, paired differences",
      .flags = {{"vary", "KEY=A,B,C", "values to run with, or LOW..HIGH, or log:LOW..HIGH; adds to section \"sweep\"",
                 true},
                {"random", "N", "N settings drawn from these values and ranges (20), in place of every combination"},
                {"metric", "NAME", "what is compared (accuracy)"},
                {"on", "DATA", "test or validation: where it is measured; to choose settings, validation (test)"},
                {"seeds", "N", "runs of each point"},
                {"jobs", "N", "processes side by side (cores / threads)"},
                out_flag("FOLDER", "where it goes (runs/NAME, after the recipe)"),
                {"dry-run", "", "list the points; nothing is run or written"},
                {"print-config", "", "print the recipe with every default written out"},
                device_flag(),
                {"threads", "N", "of each process (1, or OMP_NUM_THREADS)"}},
      .notes =
          "Points that are done are not done again: the same command goes on where it was stopped.\n"
          "RECIPE is a JSON file; its section \"sweep\" names ways, varied keys, seeds and a search (--help sweep).\n",
      .example =
          "  vaetl-sweep recipes/few-labels.json --vary data.take_per_class=1,10,100 --seeds 5 --out runs/few\n"
          "  vaetl-sweep recipes/cnn.json data.validation=0.1 --vary trainer.optimizer.lr=log:1e-4..0.1 \\\n"
          "    --vary trainer.batch_size=32,64,128 --random 20 --on validation --out runs/search\n",
      .run = sweep};
  run_program(program, argc, argv);
}
