// What a run would do, without doing it.
#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <unistd.h>

#include "vaetl/core/device.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/core/memory.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/recipe/folder.hpp"
#include "vaetl/recipe/summary.hpp"

namespace vaetl::recipe {
namespace {

namespace fs = std::filesystem;

// The nearest folder that exists must let us write.
void check_writable(const fs::path& out) {
  std::error_code ignored;
  fs::path existing = fs::absolute(out, ignored);
  while (!fs::exists(existing, ignored) && existing.has_relative_path()) existing = existing.parent_path();
  if (fs::is_directory(existing, ignored) && ::access(existing.c_str(), W_OK | X_OK) == 0) return;
  throw OutputError({out.string(), "a folder that can be written",
                     fs::is_directory(existing, ignored) ? "no permission" : "a file at " + existing.string(),
                     "choose another --out"});
}

std::string describe_folder(const Recipe& recipe, const RunSettings& settings) {
  if (settings.out.empty()) return "nothing is written";
  const Found found = inspect(settings.out, resolve(recipe), settings.resume);
  check_writable(settings.out);
  if (found == Found::finished) return settings.out.string() + ": complete, nothing is left to do";
  return settings.out.string() + (found == Found::unfinished ? ": an unfinished run goes on" : ": a new run");
}

// One batch of every stream, spread over its examples, which may be sorted by class; so that a trial costs what a step
// costs.
Pipeline first_batches(const Prepared& prepared) {
  Pipeline trial = prepared.data.pipeline;
  for (Stream& stream : trial.streams) {
    const std::int64_t batch = stream.batch_size > 0 ? stream.batch_size : prepared.trainer.batch_size;
    const std::int64_t size = stream.data.size();
    if (size > batch) stream.data = stream.data.select((at::arange(batch, at::kLong) * size).floor_divide(batch));
  }
  trial.validation.reset();
  return trial;
}

// What is said of the whole of the data, then a step.
Json try_one_step(Prepared& prepared) {
  TrainerOptions options = prepared.trainer;
  std::vector<std::string> warnings;
  if (options.checks) {
    warnings = Trainer(options).check(prepared.model, prepared.objective, prepared.data.pipeline, prepared.tuning,
                                      prepared.validation_metrics);
  }
  options.checks = false;
  options.patience = 0;
  options.on_divergence = "stop";
  options.steps = options.log_every = 1;
  options.directory.clear();
  options.monitor.clear();
  options.resume = "never";
  const Run run = Trainer(options).fit(prepared.model, prepared.objective, first_batches(prepared), prepared.tuning);
  Json json{{"seconds", run.seconds},
            {"peak_memory_mb", peak_memory_mb()},
            {"terms", Json::object()},
            {"warnings", warnings}};
  for (const auto& [name, value] : run.metrics) {
    if (name != "epoch" && name != "step" && name != "seconds" && name != "lr_factor") json["terms"][name] = value;
  }
  return json;
}

std::string data_lines(const Prepared& prepared) {
  const Data& data = prepared.data;
  const DatasetInfo& info = data.train().info();
  std::string text = fmt::format("data     {}: {} to train", info.name, data.train().size());
  for (std::size_t i = 1; i < data.pipeline.streams.size(); ++i) {
    text += fmt::format(", {} as \"{}\"", data.pipeline.streams[i].data.size(), data.pipeline.streams[i].name);
  }
  if (data.pipeline.validation) text += fmt::format(", {} to validate", data.pipeline.validation->size());
  if (data.test) text += fmt::format(", {} to test", data.test->size());
  for (const auto& [name, field] : info.fields) {
    if (name != "target") text += fmt::format("; {} {} {}", name, shape_text(field.shape), dtype_name(field.dtype));
  }
  return text + (data.train().has("target") ? fmt::format("; {} classes\n", data.train().classes()) : "; no labels\n");
}

std::string model_lines(const Json& model) {
  std::string text = fmt::format("model    {}, {} parameters\n", model["name"].get<std::string>(),
                                 model["parameters"].get<std::int64_t>());
  for (const Json& group : model["groups"]) {
    text += fmt::format("         {:<12} {:>10}{}\n", group["name"].get<std::string>(),
                        group["parameters"].get<std::int64_t>(), group["trained"].get<bool>() ? "" : "  frozen");
  }
  return text;
}

std::string training_line(const Prepared& prepared, std::int64_t steps, std::int64_t epoch) {
  if (steps == 0) return "training none\n";
  const std::int64_t accumulate = prepared.trainer.accumulate;
  return fmt::format("training {} steps ({:.4g} epochs of {}), batches of {}{}, {}\n", steps,
                     static_cast<double>(steps) / static_cast<double>(epoch), epoch, prepared.trainer.batch_size,
                     accumulate > 1 ? fmt::format(", {} a step", accumulate) : "", prepared.trainer.optimizer.name);
}

std::string trial_line(const Json& trial) {
  std::vector<std::string> terms;
  for (const auto& [name, value] : trial["terms"].items()) {
    terms.push_back(fmt::format("{} {:.4g}", name, value.get<double>()));
  }
  return fmt::format("one step {}, {} with the set-up, {:.0f} MB\n", join(terms),
                     duration(trial["seconds"].get<double>()), trial["peak_memory_mb"].get<double>());
}

std::string warning_lines(const Json& trial) {
  std::string text;
  for (const Json& line : trial["warnings"]) text += "warning  " + line.get<std::string>() + "\n";
  return text;
}

}  // namespace

Plan plan(const Recipe& recipe, const RunSettings& settings) {
  Recipe alone = recipe;
  alone.sweep.reset();
  const std::string device = choose_device(settings.device).str();
  const std::string folder = describe_folder(alone, settings);
  Prepared prepared = prepare(alone, settings);
  const std::int64_t epoch = steps_per_epoch(prepared);
  const std::int64_t steps = prepared.trainer.steps > 0 ? prepared.trainer.steps : prepared.trainer.epochs * epoch;
  const Json model = describe_model(*prepared.model, prepared.tuning);
  const Json data = describe_data(prepared.data);
  const Json trial = try_one_step(prepared);
  Plan result;
  result.json = {{"kind", "plan"},    {"name", recipe.name},
                 {"data", data},      {"model", model},
                 {"steps", steps},    {"steps_per_epoch", epoch},
                 {"device", device},  {"threads", at::get_num_threads()},
                 {"one_step", trial}, {"out", folder}};
  if (prepared.report) {
    result.json["transfer"] = {
        {"from", prepared.from}, {"report", prepared.report->text}, {"match", prepared.report->json}};
  }
  result.text =
      fmt::format("recipe   {}, seed {}, {}, {} threads\n", recipe.name, recipe.seed, device, at::get_num_threads());
  result.text += data_lines(prepared) + model_lines(model);
  if (prepared.report) result.text += fmt::format("from     {}\n{}", prepared.from, prepared.report->text);
  if (prepared.solve_head) result.text += "head     solved to its optimum before anything is trained\n";
  result.text +=
      training_line(prepared, steps, epoch) + trial_line(trial) + warning_lines(trial) + "out      " + folder + "\n";
  return result;
}

std::string matching(const Recipe& recipe, const RunSettings& settings) {
  Recipe alone = recipe;
  alone.sweep.reset();
  const Prepared prepared = prepare(alone, settings);
  return prepared.report ? prepared.report->text : "";
}

}  // namespace vaetl::recipe
