#include "apps/support/training.hpp"

#include <ATen/Parallel.h>

#include "apps/support/progress_callback.hpp"
#include "apps/support/signals.hpp"
#include "apps/support/skipped.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/recipe/explore.hpp"
#include "vaetl/recipe/run.hpp"
#include "vaetl/train/checkpoint.hpp"

namespace vaetl::apps {
namespace {

namespace fs = std::filesystem;

// A run folder that stands for its recipe goes on where it is.
fs::path out_of(const recipe::Recipe& recipe, const Arguments& arguments) {
  if (arguments.has("out")) return arguments.text("out");
  const auto& words = arguments.positional();
  const auto folder = std::find_if(words.begin(), words.end(), [](const auto& word) { return fs::is_directory(word); });
  if (arguments.has("resume") && folder != words.end()) return *folder;
  return fs::path("runs") / recipe.name;
}

recipe::RunSettings settings_of(const recipe::Recipe& recipe, const Arguments& arguments) {
  recipe::RunSettings settings;
  settings.out = out_of(recipe, arguments);
  settings.device = arguments.text("device", "auto");
  settings.command = arguments.command;
  settings.data = std::make_shared<recipe::DataCache>();
  settings.skipped = reading_of(arguments).skipped;
  // A run that ended before its first checkpoint begins anew; where there is no run, --resume is a mistake.
  if (arguments.has("resume")) settings.resume = fs::exists(settings.out / "recipe.json") ? "auto" : "must";
  return settings;
}

Result print_config(const recipe::Recipe& recipe, const Arguments& arguments) {
  const Json resolved = recipe::resolve(recipe, arguments.text("device"));
  return {resolved, resolved.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Result dry_run(const recipe::Recipe& recipe, const recipe::RunSettings& settings) {
  const recipe::Plan plan = recipe::plan(recipe, settings);
  return {plan.json, plan.text};
}

void measure_threads(const recipe::Recipe& recipe, const recipe::RunSettings& settings, const Arguments& arguments) {
  const ThreadCounts counts = recipe::find_threads(recipe, settings);
  at::set_num_threads(counts.suggestion);
  std::vector<std::string> times;
  for (const auto& point : counts.points) {
    times.push_back(fmt::format("{:.3g} ms on {}", point.seconds_a_step * 1000, point.threads));
  }
  tell(arguments, fmt::format("threads: {} (a step takes {})", counts.suggestion, join(times)));
}

// A resumed run takes the number that was measured when it began: it is part of what makes bits repeat.
void prepare_threads(const recipe::Recipe& recipe, const recipe::RunSettings& settings, const Arguments& arguments) {
  const int recorded = arguments.has("resume") ? recipe::recorded_threads(settings.out) : 0;
  if (measures_threads(arguments) && recorded == 0) return measure_threads(recipe, settings, arguments);
  set_threads_as_before(arguments, recorded);
}

// Which weights found their place, before anything is trained.
void tell_matching(const recipe::Recipe& recipe, const recipe::RunSettings& settings, const Arguments& arguments) {
  if (!recipe.transfer || arguments.has("quiet") || arguments.has("resume")) return;
  std::string text = recipe::matching(recipe, settings);
  while (text.ends_with('\n')) text.pop_back();
  if (!text.empty()) tell(arguments, text);
}

std::string resume_command(const Arguments& arguments) {
  return arguments.has("resume") ? arguments.command : arguments.command + " --resume";
}

Result interrupted(const Json& json, const recipe::Outcome& outcome, const Arguments& arguments) {
  std::fprintf(stderr, "interrupted at step %lld and saved; go on with: %s\n",
               static_cast<long long>(outcome.run.steps), resume_command(arguments).c_str());
  return {json, {}, caught_signal().value_or(Exit::interrupted)};
}

std::string summary_text(const Json& summary, const fs::path& out) {
  std::string text;
  if (const Json metrics = summary.value("metrics", Json::object()); !metrics.empty()) {
    text = metrics_text(metrics.get<std::map<std::string, double>>()) + "\n";
  }
  const Json& share = summary.contains("waiting_share") ? summary.at("waiting_share") : Json();
  const double waiting = share.is_number() ? share.get<double>() : 0;
  return text + fmt::format("{} steps in {}{}; the run lies in {}\n", summary.value("steps", std::int64_t{0}),
                            duration(summary.value("seconds", 0.0)),
                            waiting > 0.1 ? fmt::format(", {:.0f} % of it waiting for data", waiting * 100) : "",
                            out.string());
}

Result train(const recipe::Recipe& recipe, recipe::RunSettings settings, const Arguments& arguments) {
  catch_signals();
  prepare_threads(recipe, settings, arguments);
  tell_matching(recipe, settings, arguments);
  const bool anew = settings.resume == "auto" && !has_checkpoint(settings.out / "checkpoints" / "last");
  if (anew) tell(arguments, "the run has no checkpoint yet: it begins anew");
  settings.callbacks.push_back(stop_on_signal());
  if (!arguments.has("quiet")) settings.callbacks.push_back(show_progress(recipe.name));

  const recipe::Outcome outcome = recipe::run(recipe, settings);
  Json json{{"run", settings.out.string()}};
  json.update(outcome.summary);
  if (outcome.run.interrupted) return interrupted(json, outcome, arguments);
  if (outcome.summary.value("complete", false)) tell(arguments, "the run was complete: nothing was left to do");
  return {json, summary_text(outcome.summary, settings.out)};
}

}  // namespace

std::vector<Flag> training_flags() {
  return {out_flag("FOLDER", "run folder (runs/NAME, after the recipe)"),
          {"resume", "", "go on from the last checkpoint in the run folder"},
          strict_flag(),
          {"dry-run", "", "check everything, one batch, no training; nothing is written"},
          {"print-config", "", "print the recipe with every default written out"},
          device_flag(),
          {"threads", "N", "threads of the CPU; auto: as many as prove fastest (all cores, or OMP_NUM_THREADS)"},
          seed_flag("the recipe's seed")};
}

std::string recipe_notes(const std::string& program) {
  return "RECIPE is a JSON file, or a run folder, whose recipe is taken. section.key=value changes one of its values.\n"
         "`" +
         program +
         " --help NAME` tells the options of a model, objective, optimizer, transform, metric or recipe\n"
         "section; `" +
         program + " --help names` lists them. Ctrl-C saves the run; --resume goes on with equal results.\n";
}

RecipeArguments recipe_arguments(const Arguments& arguments) {
  RecipeArguments given;
  for (const std::string& word : arguments.positional()) {
    const bool override = word.find('=') != std::string::npos && !fs::exists(word);
    if (override) {
      given.overrides.push_back(word);
    } else if (given.recipe.empty()) {
      given.recipe = word;
    } else {
      throw ConfigError({"command line", "one RECIPE and section.key=value",
                         quote(given.recipe) + " and " + quote(word), "see --help"});
    }
  }
  if (arguments.has("seed")) given.overrides.push_back(fmt::format("seed={}", arguments.seed()));
  if (arguments.has("strict")) given.overrides.push_back("data.strict=true");
  if (fs::is_directory(given.recipe)) given.recipe = (fs::path(given.recipe) / "recipe.json").string();
  return given;
}

fs::path run_folder(const recipe::Recipe& recipe, const Arguments& arguments) { return out_of(recipe, arguments); }

Result run_recipe(const recipe::Recipe& recipe, const Arguments& arguments) {
  if (arguments.has("print-config")) return print_config(recipe, arguments);
  const recipe::RunSettings settings = settings_of(recipe, arguments);
  if (!arguments.has("dry-run")) return train(recipe, settings, arguments);
  set_threads(arguments);
  return dry_run(recipe, settings);
}

}  // namespace vaetl::apps
