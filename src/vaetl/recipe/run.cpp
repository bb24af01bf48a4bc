#include "vaetl/recipe/run.hpp"

#include "vaetl/io/atomic_file.hpp"
#include "vaetl/recipe/callbacks.hpp"
#include "vaetl/recipe/folder.hpp"
#include "vaetl/recipe/pictures.hpp"
#include "vaetl/recipe/prepare.hpp"
#include "vaetl/recipe/solve_head.hpp"
#include "vaetl/recipe/summary.hpp"
#include "vaetl/recipe/views.hpp"
#include "vaetl/report/report.hpp"
#include "vaetl/train/evaluate.hpp"
#include "vaetl/train/evaluation_mode.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::recipe {
namespace {

std::int64_t count_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

Outcome read_finished(const std::filesystem::path& folder) {
  Outcome outcome{.summary = read_run_json(folder / "run.json"), .model = {}, .run = {}};
  outcome.summary["complete"] = true;
  outcome.run.recipe = read_run_json(folder / "recipe.json");
  outcome.run.steps = count_in(outcome.summary, "steps");
  outcome.run.epochs = count_in(outcome.summary, "epochs");
  outcome.run.resumed_from = outcome.run.steps;
  if (std::filesystem::exists(folder / "model")) outcome.model = zoo::load((folder / "model").string()).model;
  return outcome;
}

// On which data they were measured, as vaetl-evaluate would be told.
std::map<std::string, zoo::MetricCard> metric_cards(const Recipe& recipe, const Prepared& prepared,
                                                    const std::map<std::string, double>& metrics) {
  const DataSection section = read_data(recipe.data);
  const auto& test = section.test;
  const data::Reference& open = test ? test->open : section.streams[0].second.open;
  std::map<std::string, zoo::MetricCard> cards;
  for (const auto& [name, value] : metrics) {
    if (!std::isfinite(value)) continue;
    cards[name] = {.value = value,
                   .data = open.text(),
                   .split = test ? test->split.value_or("test") : "test",
                   .how = "at the end of training",
                   .examples = prepared.data.test->size()};
  }
  return cards;
}

// What a card says about its weights is what the test split says.
void save_model(const Recipe& recipe, const Prepared& prepared, const Run& run,
                const std::map<std::string, double>& metrics, const std::filesystem::path& folder) {
  Run scored = run;
  scored.metrics.clear();
  const bool based = recipe.transfer && prepared.from != "none" && read_transfer(*recipe.transfer).adapt.weights;
  const std::string base = based ? prepared.from : "";
  zoo::save(recipe.name, *prepared.model, scored,
            {.base_model = base, .folder = folder, .metrics = metric_cards(recipe, prepared, metrics)});
}

struct RunFiles {
  std::filesystem::path folder;
  bool projector = false;  // beside the events
};

void write_artefacts(const Recipe& recipe, const Prepared& prepared, const Outcome& outcome,
                     const std::map<std::string, double>& metrics, const RunFiles& files) {
  Model& model = *outcome.model;
  const Data& data = prepared.data;
  const EvaluationNoise noise(device_of(model));  // a resumed run draws what an uninterrupted one does
  save_model(recipe, prepared, outcome.run, metrics, files.folder / "model");
  const ScoredPart scored = scored_part(data);
  const auto predictions = scored.data ? predict_labels(model, *scored.data) : std::nullopt;
  draw_pictures(model, data, predictions, recipe.seed, files.folder / "pictures");
  Json views = Json::object();
  if (predictions) views["confusion"] = confusion_view(*predictions, *scored.data, scored.split);
  if (const auto sample = sample_latents(model, data, files.projector)) {
    if (Json view = latent_view(*sample); !view.is_null()) views["latents"] = std::move(view);
    if (files.projector) add_projector(files.folder / "events", sample->latents);
  }
  if (views.empty()) return;
  write_atomically(files.folder / "views.json", views.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

// On the test split; nothing where a callback asked to stop meanwhile.
std::optional<std::map<std::string, double>> score(const Recipe& recipe, const Prepared& prepared, Model& model,
                                                   const std::vector<std::shared_ptr<Callback>>& callbacks) {
  struct Stopped {};
  std::map<std::string, double> metrics;
  if (recipe.evaluate.empty()) return metrics;
  vaetl::Progress progress{.model = model};
  const auto between = [&] {
    for (const auto& callback : callbacks) callback->on_wait(progress);
    if (progress.stop) throw Stopped{};
  };
  try {
    const Data& data = prepared.data;
    return evaluate(model, *data.test, recipe.evaluate, {.between = between, .training = data.train()});
  } catch (const Stopped&) {
    return std::nullopt;
  }
}

// A folder holds a run from its first step on: what is refused before leaves nothing behind.
class WriteRecipe final : public Callback {
 public:
  WriteRecipe(std::filesystem::path folder, Json recipe, Json head)
      : folder_(std::move(folder)), recipe_(std::move(recipe)), head_(std::move(head)) {}
  void on_begin(vaetl::Progress&) override {
    // The result of a part that ended before: should this one be killed, it is not finished.
    std::error_code ignored;
    std::filesystem::remove(folder_ / "run.json", ignored);
    write_run_json(folder_ / "recipe.json", recipe_);
    if (!head_.is_null()) write_run_json(folder_ / head_file, head_);
  }

 private:
  std::filesystem::path folder_;
  Json recipe_, head_;
};

}  // namespace

Outcome run(const Recipe& recipe, const RunSettings& settings) {
  Recipe alone = recipe;
  alone.sweep.reset();
  const Json resolved = resolve(alone, settings.device);
  const RunFolder folder(settings.out, resolved, settings.resume);
  if (folder.finished()) return read_finished(folder.path());
  Prepared prepared = prepare(alone, settings);
  prepared.head = solve_first(alone, prepared, settings);

  Outcome outcome{.summary = {}, .model = prepared.model, .run = {}};
  auto callbacks = make_callbacks(alone.callbacks, *prepared.model);
  callbacks.insert(callbacks.end(), settings.callbacks.begin(), settings.callbacks.end());
  if (folder.given()) {
    callbacks.insert(callbacks.begin(), std::make_shared<WriteRecipe>(folder.path(), resolved, prepared.head));
  }
  outcome.run = Trainer(prepared.trainer, callbacks)
                    .fit(prepared.model, prepared.objective, prepared.data.pipeline, prepared.tuning,
                         prepared.validation_metrics);
  outcome.run.recipe = resolved;
  outcome.run.provenance = provenance(alone, settings, prepared, outcome.run);
  std::map<std::string, double> metrics;
  if (!outcome.run.interrupted) {
    const auto scores = score(alone, prepared, *outcome.model, callbacks);
    outcome.run.interrupted = !scores;
    if (scores) metrics = *scores;
  }
  const bool artefacts = folder.given() && settings.artefacts && !outcome.run.interrupted;
  if (artefacts) write_artefacts(alone, prepared, outcome, metrics, {folder.path(), wants_projector(callbacks)});
  outcome.summary = summarise_run(alone, settings, prepared, outcome.run, metrics);
  if (folder.given()) write_run_json(folder.path() / "run.json", outcome.summary);
  if (artefacts) write_atomically(folder.path() / "report.html", render_report({folder.path()}, recipe.name));
  return outcome;
}

int recorded_threads(const std::filesystem::path& run_folder) {
  for (const auto& file : {run_folder / "checkpoints" / "last" / "state.json", run_folder / "run.json"}) {
    if (!std::filesystem::exists(file)) continue;
    const std::int64_t threads = count_in(read_run_json(file), "threads");
    if (threads > 0 && threads <= 4096) return static_cast<int>(threads);
  }
  return 0;
}

}  // namespace vaetl::recipe
