#include "vaetl/recipe/prepare.hpp"

#include <ATen/ops/arange.h>

#include "vaetl/core/random.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/recipe/source.hpp"

namespace vaetl::recipe {
namespace {

ModelSpec model_spec(const Recipe& recipe) {
  ModelSpec spec;
  Codec<ModelSpec>::read(recipe.model, "model", spec, {});
  return spec;
}

// From scratch the same recipe holds, but there is nothing to load. The description is built first, as adapt does, so
// that a fresh head starts at the same values either way.
Adapted start_afresh(const Recipe& recipe, const AdaptOptions& options) {
  const auto description = build(model_spec(recipe));
  Adapted adapted;
  adapted.model = build(describe_target(*description, options), "transfer.model");
  adapted.tuning = tuning_of(*adapted.model, options);
  return adapted;
}

Adapted start_from(const Source& source, const Recipe& recipe, const AdaptOptions& options) {
  if (!recipe.model.is_null()) {
    return adapt(model_spec(recipe), source.weights, source.preprocess, options, source.order);
  }
  // Fresh weights are the same whether the source or the recipe describes them.
  if (source.model && !options.weights) return adapt(source.model->spec(), {}, {}, options);
  if (source.model) return adapt(*source.model, options);
  throw ConfigError({"transfer.from", "weights that carry a description", "a file without one: " + source.from,
                     "describe them in a section \"model\""});
}

// The source, grown; what was done is returned. What describes its weights has served its turn.
Grown grow_source(Source& source, Recipe& recipe, TransferOptions& transfer, std::uint64_t key) {
  if (!recipe.model.is_null()) {
    AdaptOptions as_it_is{.load = std::exchange(transfer.adapt.load, {}),
                          .match = std::exchange(transfer.adapt.match, "name"),
                          .strict = transfer.adapt.strict,
                          .at_least = transfer.adapt.at_least};
    source.model = adapt(model_spec(recipe), source.weights, source.preprocess, as_it_is, source.order).model;
    recipe.model = nullptr;
  }
  if (!source.model) {
    throw ConfigError({"transfer.grow", "a source with a description", "a file without one: " + source.from,
                       "describe it in a section \"model\""});
  }
  seed(key);
  Grown grown = grow(*source.model, *transfer.grow);
  source.model = grown.model;
  source.weights = state(*source.model);
  source.order = names_in_order(*source.model);
  return grown;
}

// Ids 0 … V−1 of one field of every example; 0 where it declares no range.
std::int64_t ids_of(const Dataset& data, const std::string& field) {
  const auto found = data.info().fields.find(field);
  const bool known = found != data.info().fields.end() && found->second.low < found->second.high;
  return known ? static_cast<std::int64_t>(found->second.high) + 1 : 0;
}

// Whether the model that is described, but for what the data tell, puts out something for every step. Only targets of
// more than one value an example leave that open.
bool per_step(ModelSpec spec, const at::Tensor& target) {
  if (target.dim() < 2) return false;
  const Json known = registry<Model>().schema(spec.name)["properties"];
  if (known.contains("classes")) {
    spec.options["classes"] = 2;
  } else if (known.contains("outputs")) {
    spec.options["outputs"] = 1;
  }
  return offers(*build(spec), SequenceModel::capability);
}

// Labels of whole examples, or of steps where the model puts out something for every step.
std::int64_t classes_of(const Dataset& train, const at::Tensor& target, bool steps) {
  if (!steps) return train.classes();
  return at::isIntegralType(target.scalar_type(), /*includeBool=*/false) ? ids_of(train, "target") : 0;
}

// Values of an example's target (N, …), or of each of its steps (N, T, …).
std::int64_t outputs_of(const at::Tensor& target, bool steps) {
  const std::int64_t first = steps ? 2 : 1;
  return target.dim() > first ? target.flatten(first).size(first) : 1;
}

// The spec with `input`, `vocabulary`, `classes` and `outputs` as the data have them, where it leaves them out.
void describe_by_data(ModelSpec& spec, const Pipeline& data, bool new_heads) {
  const Json known = registry<Model>().schema(spec.name)["properties"];
  const auto open = [&](const char* key) { return known.contains(key) && !spec.options.contains(key); };
  const Dataset& train = data.streams[0].data;
  Fields one = train.gather(at::arange(1, at::kLong));
  if (open("input")) {
    const bool own = !data.preprocess.empty();
    (own ? Preprocess::fit(data.preprocess, train) : Preprocess::standard(train, {})).apply(one);
    spec.options["input"] = one.input().sizes().slice(1).vec();
  }
  const bool tokens = train.has("input") && train.info().fields.at("input").dtype == at::kInt;
  if (tokens && open("vocabulary")) spec.options["vocabulary"] = ids_of(train, "input");
  if (new_heads || !train.has("target") || spec.options.contains("classes") || spec.options.contains("outputs")) return;
  if (!open("classes") && !open("outputs")) return;
  const bool steps = per_step(spec, one.target());
  const std::int64_t classes = classes_of(train, one.target(), steps);
  if (open("classes")) spec.options["classes"] = classes;
  if (open("outputs") && classes == 0) spec.options["outputs"] = outputs_of(one.target(), steps);
}

void make_model(Prepared& prepared, Recipe recipe, Source source) {
  const auto key = random_key(recipe.seed, Purpose::init);
  if (!recipe.transfer) {
    seed(key);
    prepared.model = build(model_spec(recipe));
    return;
  }
  TransferOptions transfer = read_transfer(*recipe.transfer);
  name_rows(transfer.adapt.load, source, prepared.data.train().info().classes);
  prepared.from = transfer.from;
  prepared.from_sha256 = source.sha256;
  std::optional<Grown> grown;
  if (transfer.grow) grown = grow_source(source, recipe, transfer, key);
  seed(key);  // after the source, whose own construction draws too
  const bool afresh = transfer.from == "none";
  Adapted adapted = afresh ? start_afresh(recipe, transfer.adapt) : start_from(source, recipe, transfer.adapt);
  prepared.model = std::move(adapted.model);
  prepared.tuning = std::move(adapted.tuning);
  if (!afresh) prepared.report = std::move(adapted.report);
  prepared.solve_head = transfer.solve_head;
  if (!grown || !prepared.report || !transfer.adapt.weights) return;
  prepared.report->text.insert(0, grown->text + "\n");
  prepared.report->json["grown"] = grown->json;
}

// What solving the head needs, before anything is computed.
void check_solve_head(const Prepared& prepared) {
  if (!prepared.solve_head) return;
  check_linear_head(*prepared.model, "transfer.solve_head");
  if (prepared.data.train().has("target")) return;
  throw DataError({"transfer.solve_head", "labelled training data", "none in the first stream",
                   "put the labelled stream first, or leave solve_head out"});
}

bool serves(const Dataset& data, const Metric& metric) {
  const auto fields = metric.needs().fields;
  return std::all_of(fields.begin(), fields.end(), [&](const auto& field) { return data.has(field); });
}

// Before training rather than after it: what a metric lacks.
void check_metric(const std::string& name, const Prepared& prepared, const Dataset& data) {
  const auto metric = make_metric(name, "evaluate");
  const Model& model = *prepared.model;
  if (metric->compares_with_training() && !prepared.data.train().has("target")) {
    throw ConfigError(
        {"metric " + name, "labels of the training data, which it compares with", "none", "leave this metric out"});
  }
  check_needs(metric->needs(), model, {{"train", data.gather(at::arange(1, at::kLong))}}, "metric " + name);
}

void choose_metrics(Prepared& prepared, const Recipe& recipe) {
  if (!recipe.evaluate.empty() && !prepared.data.test) {
    throw DataError({"evaluate", "a test split", "none in the data", "set data.test, or leave evaluate out"});
  }
  for (const auto& name : recipe.evaluate) check_metric(name, prepared, *prepared.data.test);
  if (!prepared.data.pipeline.validation) return;
  const Dataset& validation = *prepared.data.pipeline.validation;
  const std::string& monitor = prepared.trainer.monitor;
  for (const auto& name : recipe.evaluate) {
    const auto metric = make_metric(name, "evaluate");
    const bool wanted = name != monitor && serves(validation, *metric) && !metric->on_request();
    if (wanted) prepared.validation_metrics.push_back(name);
  }
  if (monitor.empty()) return;
  check_metric(monitor, prepared, validation);
  prepared.validation_metrics.push_back(monitor);
}

TrainerOptions trainer_options(const Recipe& recipe, const RunSettings& settings) {
  TrainerOptions options = read_trainer(recipe.trainer);
  options.seed = recipe.seed;
  options.device = settings.device;
  options.directory = settings.out.string();
  options.resume = settings.resume;
  return options;
}

// As the source's files were read. A new head has the classes of the new data.
Json fitted_reader(const Source& source, const Recipe& recipe) {
  if (source.preprocess.is_null()) return {};
  Json reader = Preprocess::from_json(source.preprocess).reader();
  if (reader.is_object() && !read_transfer(*recipe.transfer).adapt.heads.empty()) reader.erase("classes");
  return reader;
}

}  // namespace

Prepared prepare(const Recipe& given, const RunSettings& settings) {
  const auto cache = settings.data ? settings.data : std::make_shared<DataCache>();
  const std::string from = given.transfer ? read_transfer(*given.transfer).from : "none";
  Source source;
  if (from != "none") source = load_source(from);
  const Reading reading{.skipped = settings.skipped, .fitted = fitted_reader(source, given)};
  Prepared prepared{.trainer = trainer_options(given, settings),
                    .data = open_data(read_data(given.data), given.seed, *cache, reading),
                    .model = {},
                    .tuning = {},
                    .objective = {},
                    .validation_metrics = {},
                    .from = {},
                    .from_sha256 = {},
                    .report = {}};
  Recipe recipe = given;
  if (!recipe.model.is_null()) {
    ModelSpec spec = model_spec(recipe);
    describe_by_data(spec, prepared.data.pipeline, given.transfer.has_value());
    recipe.model = Codec<ModelSpec>::write(spec);
  }
  make_model(prepared, recipe, source);
  check_solve_head(prepared);
  prepared.objective = make_objective(recipe.objective);
  choose_metrics(prepared, recipe);
  return prepared;
}

}  // namespace vaetl::recipe
