#include "apps/support/explore.hpp"

#include "apps/support/skipped.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "apps/support/training.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/recipe/explore.hpp"
#include "vaetl/report/html.hpp"
#include "vaetl/report/plot.hpp"

namespace vaetl::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::array explorations = {"profile", "find-lr", "find-batch"};

void check_alone(const Arguments& arguments) {
  std::vector<std::string> asked;
  for (const char* flag : {"profile", "find-lr", "find-batch", "resume", "dry-run", "print-config"}) {
    if (arguments.has(flag)) asked.push_back(std::string("--") + flag);
  }
  if (asked.size() == 1) return;
  throw ConfigError({"command line", "one of them", join(asked, " and "), "see --help"});
}

// --out FILE, or a run folder there, or beside where the run would lie: a folder of its own would stand in the run's
// way.
fs::path file_for(const recipe::Recipe& recipe, const Arguments& arguments, const std::string& name) {
  const fs::path out = run_folder(recipe, arguments);
  if (fs::is_directory(out)) return out / name;
  return arguments.has("out") ? out : fs::path(out.string() + "." + name);
}

fs::path write_beside(const fs::path& file, const std::string& text) {
  if (file.has_parent_path()) make_folder(file.parent_path());
  write_atomically(file, text);
  return file;
}

recipe::RunSettings exploring_settings(const Arguments& arguments) {
  recipe::RunSettings settings;
  settings.device = arguments.text("device", "auto");
  settings.skipped = reading_of(arguments).skipped;
  return settings;
}

std::string milliseconds(double seconds) { return fmt::format("{:.3f}", 1000 * seconds); }
std::string percent(double share) { return fmt::format("{:.1f}", 100 * share); }

std::string profile_text(const StepProfile& profile, const fs::path& trace) {
  constexpr std::size_t shown = 10;
  const auto steps = static_cast<double>(profile.steps);
  std::vector<std::vector<std::string>> phases, operators;
  for (const auto& phase : profile.phases) {
    phases.push_back({phase.name, milliseconds(phase.seconds / steps), percent(phase.seconds / profile.seconds)});
  }
  for (std::size_t i = 0; i < std::min(shown, profile.operators.size()); ++i) {
    const auto& one = profile.operators[i];
    operators.push_back({one.name, fmt::format("{:.4g}", static_cast<double>(one.calls) / steps),
                         milliseconds(one.seconds / steps), percent(one.seconds / profile.seconds)});
  }
  std::string text = fmt::format("{} steps, {} ms each\n\n", profile.steps, milliseconds(profile.seconds / steps));
  text += table_text({"part of a step", "ms", "%"}, phases) + "\n";
  text += table_text({"operator", "calls", "own ms", "%"}, operators) + "\n";
  text += fmt::format("a step      {:.4g} kernels in {:.4g} operator calls, {:.4g} allocations of {:.1f} MB in all\n",
                      profile.kernels, profile.operator_calls, profile.allocations, profile.allocated_bytes / 1048576);
  text += fmt::format("memory      {:.1f} MB of tensors at most in a step",
                      static_cast<double>(profile.peak_bytes) / 1048576);
  if (profile.peak_memory_mb > 0) text += fmt::format(", {:.0f} MB resident at most", profile.peak_memory_mb);
  return text + fmt::format("\ntrace       {} (for chrome://tracing or ui.perfetto.dev)\n", trace.string());
}

Result profile_recipe(const recipe::Recipe& recipe, const Arguments& arguments) {
  const std::int64_t steps = arguments.integer("profile", between(1, 100000));
  const StepProfile profile = recipe::profile(recipe, exploring_settings(arguments), steps);
  const fs::path trace = write_beside(file_for(recipe, arguments, "trace.json"), profile.trace);
  Json json = {{"kind", "profile"}, {"name", recipe.name}};
  json.update(profile.json());
  json["trace"] = trace.string();
  return {json, profile_text(profile, trace)};
}

std::string rate_page(const recipe::Recipe& recipe, const RateSweep& sweep) {
  Plot plot{
      .title = "Loss by learning rate", .x_label = "learning rate", .y_label = "loss", .log_x = true, .wide = true};
  plot.lines = {{.name = "smoothed", .points = {}}, {.name = "of each step", .points = {}}};
  for (const auto& point : sweep.points) {
    plot.lines[0].points.push_back({.x = point.rate, .y = point.smoothed});
    plot.lines[1].points.push_back({.x = point.rate, .y = point.loss});
  }
  // A loss that blows up would flatten what is to be seen.
  const double most = sweep.points.empty() ? 0 : 2 * sweep.points.front().smoothed;
  std::erase_if(plot.lines[1].points, [&](const PlotPoint& point) { return most > 0 && point.y > most; });
  const std::string found = sweep.suggestion ? fmt::format("The loss falls fastest at {:.2g}.", *sweep.suggestion)
                                             : std::string("The loss never fell: no rate can be suggested.");
  const std::string title = "Learning rates for " + recipe.name;
  return html::page(
      title, html::heading(1, title) + html::tag("p", html::escape(found), "class=\"lead\"") + render_plot(plot));
}

std::string rate_text(const RateSweep& sweep, const fs::path& page) {
  constexpr std::size_t shown = 20;
  std::vector<std::vector<std::string>> rows;
  const std::size_t every = std::max<std::size_t>(1, sweep.points.size() / shown);
  for (std::size_t i = 0; i < sweep.points.size(); i += every) {
    const auto& point = sweep.points[i];
    rows.push_back(
        {fmt::format("{:.2e}", point.rate), fmt::format("{:.4g}", point.loss), fmt::format("{:.4g}", point.smoothed)});
  }
  std::string text = table_text({"lr", "loss", "smoothed"}, rows) + "\n";
  if (sweep.blew_up && !sweep.points.empty()) {
    text += fmt::format("the loss blew up at {:.2g}\n", sweep.points.back().rate);
  }
  text += sweep.suggestion
              ? fmt::format("suggestion  trainer.optimizer.lr={:.2g} (the loss falls fastest)\n", *sweep.suggestion)
              : std::string("suggestion  none: the loss never fell\n");
  return text + fmt::format("plot        {}\n", page.string());
}

Result find_recipe_rate(const recipe::Recipe& recipe, const Arguments& arguments) {
  const RateSweep sweep = recipe::find_rate(recipe, exploring_settings(arguments));
  const fs::path page = write_beside(file_for(recipe, arguments, "find-lr.html"), rate_page(recipe, sweep));
  Json json = {{"kind", "find-lr"}, {"name", recipe.name}};
  json.update(sweep.json());
  json["plot"] = page.string();
  return {json, rate_text(sweep, page)};
}

Result find_recipe_batch(const recipe::Recipe& recipe, const Arguments& arguments) {
  const BatchSizes sizes = recipe::find_batch(recipe, exploring_settings(arguments));
  std::vector<std::vector<std::string>> rows;
  for (const auto& point : sizes.points) {
    rows.push_back({std::to_string(point.batch_size), fmt::format("{:.0f}", point.samples_per_second),
                    milliseconds(point.seconds_a_step), fmt::format("{:.1f}", point.peak_mb)});
  }
  std::string text = table_text({"batch_size", "examples/s", "ms a step", "MB"}, rows) + "\nended       " + sizes.ended;
  text += sizes.suggestion > 0
              ? fmt::format("\nsuggestion  trainer.batch_size={} (larger ones are hardly faster)\n", sizes.suggestion)
              : std::string("\nsuggestion  none\n");
  Json json = {{"kind", "find-batch"}, {"name", recipe.name}};
  json.update(sizes.json());
  return {json, text};
}

}  // namespace

std::vector<Flag> explore_flags() {
  return {
      {"find-lr", "", "no training: the loss at rates from 1e-7 to 10, and which to take; a plot to --out FILE.html"},
      {"find-batch", "", "no training: examples a second at each batch size, and which to take"},
      {"profile", "N", "no training: where N steps went; a Chrome trace to --out FILE.json"}};
}

bool explores(const Arguments& arguments) {
  return std::any_of(explorations.begin(), explorations.end(), [&](const char* flag) { return arguments.has(flag); });
}

Result explore(const recipe::Recipe& recipe, const Arguments& arguments) {
  check_alone(arguments);
  set_threads(arguments);
  if (arguments.has("profile")) return profile_recipe(recipe, arguments);
  return arguments.has("find-lr") ? find_recipe_rate(recipe, arguments) : find_recipe_batch(recipe, arguments);
}

}  // namespace vaetl::apps
