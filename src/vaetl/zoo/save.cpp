#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/zoo/base.hpp"
#include "vaetl/zoo/entry.hpp"
#include "vaetl/zoo/manage.hpp"
#include "vaetl/zoo/test_vector.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_weights_bytes = std::size_t{1} << 40;

std::string place(std::string_view name) { return "zoo::save " + quote(name); }

// Provenance is free-form JSON; what is not there or of another kind is null.
Json at_path(const Json& json, const char* pointer) {
  const Json::json_pointer path(pointer);
  return json.is_object() && json.contains(path) ? json.at(path) : Json();
}

std::string text_at(const Json& json, const char* pointer) {
  const Json found = at_path(json, pointer);
  return found.is_string() ? found.get<std::string>() : "";
}

std::vector<std::string> class_names(std::string_view name, const Model& model, const Run& run,
                                     const SaveOptions& options) {
  const auto* classifier = dynamic_cast<const Classifier*>(&model);
  const std::size_t classes = classifier ? static_cast<std::size_t>(classifier->classes()) : 0;
  if (!options.classes.empty() && options.classes.size() != classes) {
    throw ConfigError({place(name) + ": classes",
                       fmt::format("{} names, one for each class of the model", classes),
                       std::to_string(options.classes.size()),
                       {}});
  }
  const Json known = at_path(run.provenance, "/data/classes");
  const bool fits = known.is_array() && known.size() == classes &&
                    std::all_of(known.begin(), known.end(), [](const Json& item) { return item.is_string(); });
  return options.classes.empty() && fits ? known.get<std::vector<std::string>>() : options.classes;
}

Json training_of(const Run& run, const SaveOptions& options) {
  Json training = run.provenance.is_object() ? run.provenance : Json::object();
  if (!options.trained_on.empty()) {
    Json& data = training["data"];
    if (!data.is_object()) data = Json::object();
    data["name"] = options.trained_on;
  }
  if (const Json seed = at_path(run.options, "/seed"); !seed.is_null()) training["seed"] = seed;
  training["steps"] = run.steps;
  training["epochs"] = run.epochs;
  training["seconds"] = run.seconds;
  return training;
}

std::map<std::string, MetricCard> metrics_of(const Run& run, const SaveOptions& options) {
  if (!options.metrics.empty()) return options.metrics;
  std::map<std::string, MetricCard> metrics;
  for (const auto& [name, value] : run.metrics) {
    if (std::isfinite(value)) metrics[name] = {.value = value, .how = "told by the training"};
  }
  return metrics;
}

Card describe(std::string_view name, const std::shared_ptr<Model>& model, const Run& run, const SaveOptions& options) {
  Card card;
  card.name = name;
  card.version = options.version;
  card.summary = options.summary;
  card.intended_use = options.intended_use;
  card.limits = options.limits;
  card.citation = options.citation;
  card.licence = options.licence;
  card.data_licence = options.data_licence.empty() ? text_at(run.provenance, "/data/licence") : options.data_licence;
  card.model = complete(model->spec());
  card.classes = class_names(name, *model, run, options);
  card.inputs = inputs_of(*model);
  card.outputs = outputs_of(*model, card.classes);
  for (const LayerGroup& group : model->groups()) card.groups.push_back(group.name);
  card.capabilities = capabilities(*model);
  card.preprocess = model->preprocess();
  card.metrics = metrics_of(run, options);
  card.training = training_of(run, options);
  card.base_model = options.base_model;
  card.test_vector = make_test_vector(place(name), model);
  return card;
}

void write_weights(const fs::path& folder, const Model& model, Card& card) {
  std::map<std::string, std::string> metadata = {{"format", "pt"},
                                                 {metadata_model, Codec<ModelSpec>::write(card.model).dump()},
                                                 {metadata_preprocess, card.preprocess.dump()}};
  if (!card.classes.empty()) metadata[metadata_classes] = Json(card.classes).dump();
  Weights weights = state(model);
  if (card.base) {
    weights = without_base(std::move(weights), *card.base, folder, place(card.name));
    metadata[metadata_base] = to_json(*card.base).dump();
  }
  write_safetensors(folder / card.weights.file, weights, metadata);
}

void describe_weights(const fs::path& file, const Model& model, Card& card) {
  card.weights.sha256 = sha256_file(file);
  card.weights.bytes = static_cast<std::int64_t>(fs::file_size(file));
  card.weights.tensors = static_cast<std::int64_t>(read_safetensors_header(file).tensors.size());
  card.weights.parameters = parameter_count(model);
}

void write_other(const fs::path& folder, const std::string& name, const std::string& bytes, Card& card) {
  write_atomically(folder / name, bytes);
  card.files[name] = {.bytes = static_cast<std::int64_t>(bytes.size()), .sha256 = sha256_hex(bytes)};
}

// Everything but the weights; the card last, since it names the others.
void write_others(const fs::path& folder, const Run& run, const SaveOptions& options, Card& card) {
  if (!run.recipe.is_null()) {
    write_other(folder, "recipe.json", run.recipe.dump(2, ' ', false, Json::error_handler_t::replace) + "\n", card);
  }
  if (!options.preview.empty()) write_other(folder, "preview.png", read_file(options.preview), card);
  if (!options.licence_file.empty()) write_other(folder, "LICENSE", read_file(options.licence_file), card);
  write_other(folder, "README.md", to_markdown(card), card);
  write_atomically(folder / card_file, card_text(card));
}

void check_request(std::string_view name, const Model& model) {
  if (!is_entry_name(name)) {
    throw ConfigError({"zoo::save: name", "letters, digits, - _ and . (at most 100)", quote(name), {}});
  }
  if (!model.preprocess().is_array()) {
    throw ConfigError({place(name), "a model with its fitted preprocessing", "none",
                       "train it, or set_preprocess(Json::array()) where raw input is what it expects"});
  }
}

fs::path choose_folder(std::string_view name, const SaveOptions& options) {
  if (options.folder.empty()) return folder_for(name, place(name));
  make_folder(fs::absolute(options.folder).parent_path());
  return options.folder;
}

}  // namespace

fs::path save(std::string_view name, Model& model, const Run& run, const SaveOptions& options) {
  check_request(name, model);
  const auto copy = clone(model);
  copy->to(at::kCPU);
  copy->eval();
  Card card = describe(name, copy, run, options);
  const fs::path folder = choose_folder(name, options);
  check_replaceable(folder);
  if (options.delta) {
    card.base = choose_base(options.base_model, name, folder, place(name));
    card.base_model = card.base->name;
  }
  AtomicFolder entry(folder);
  if (options.weights.empty()) {
    write_weights(entry.path(), *copy, card);
  } else {
    write_atomically(entry.path() / card.weights.file, read_file(options.weights, most_weights_bytes));
    card.model = read_weights(entry.path() / card.weights.file).model;
  }
  describe_weights(entry.path() / card.weights.file, *copy, card);
  write_others(entry.path(), run, options, card);
  check_entry(entry.path());
  entry.commit();
  return folder;
}

}  // namespace vaetl::zoo
