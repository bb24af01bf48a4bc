#include <unistd.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/zoo/base.hpp"
#include "vaetl/zoo/entry.hpp"
#include "vaetl/zoo/test_vector.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

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

Json training_of(const Run& run) {
  Json training = run.provenance.is_object() ? run.provenance : Json::object();
  if (const Json seed = at_path(run.options, "/seed"); !seed.is_null()) training["seed"] = seed;
  training["steps"] = run.steps;
  training["epochs"] = run.epochs;
  training["seconds"] = run.seconds;
  return training;
}

std::map<std::string, double> finite(const std::map<std::string, double>& metrics) {
  std::map<std::string, double> result;
  for (const auto& [name, value] : metrics) {
    if (std::isfinite(value)) result[name] = value;
  }
  return result;
}

Card describe(std::string_view name, const std::shared_ptr<Model>& model, const Run& run, const SaveOptions& options) {
  Card card;
  card.name = name;
  card.version = options.version;
  card.summary = options.summary;
  card.licence = options.licence;
  card.data_licence = options.data_licence.empty() ? text_at(run.provenance, "/data/licence") : options.data_licence;
  card.model = complete(model->spec());
  card.inputs = model->signature().inputs;
  card.classes = class_names(name, *model, run, options);
  for (const LayerGroup& group : model->groups()) card.groups.push_back(group.name);
  card.capabilities = capabilities(*model);
  card.preprocess = model->preprocess();
  card.metrics = finite(run.metrics);
  card.training = training_of(run);
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
  const fs::path file = folder / card.weights.file;
  write_safetensors(file, weights, metadata);
  card.weights.sha256 = sha256_file(file);
  card.weights.bytes = static_cast<std::int64_t>(fs::file_size(file));
  card.weights.tensors = static_cast<std::int64_t>(weights.size());
  card.weights.parameters = parameter_count(model);
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

bool writable(const fs::path& folder) {
  try {
    make_folder(folder);
  } catch (const OutputError&) {
    return false;
  }
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

fs::path choose_folder(std::string_view name, const SaveOptions& options) {
  if (!options.folder.empty()) {
    make_folder(fs::absolute(options.folder).parent_path());
    return options.folder;
  }
  std::vector<std::string> tried;
  for (const fs::path& folder : search_path()) {
    if (writable(folder)) return folder / name;
    tried.push_back(folder.string());
  }
  throw OutputError({place(name), "a writable folder of the zoo", "none of " + join(tried), "set VAETL_ZOO"});
}

// What AtomicFolder replaces is gone, so it must be ours.
void check_replaceable(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored) || fs::is_empty(folder, ignored)) return;
  if (fs::is_regular_file(folder / card_file, ignored)) return;
  throw OutputError({folder.string(), "a zoo entry to replace, an empty folder or nothing", "a folder of other things",
                     "choose another folder"});
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
  write_weights(entry.path(), *copy, card);
  write_atomically(entry.path() / card_file, card_text(card));
  write_atomically(entry.path() / "README.md", to_markdown(card));
  if (!run.recipe.is_null()) {
    const std::string recipe = run.recipe.dump(2, ' ', false, Json::error_handler_t::replace);
    write_atomically(entry.path() / "recipe.json", recipe + "\n");
  }
  if (!options.preview.empty()) write_atomically(entry.path() / "preview.png", read_file(options.preview));
  open_entry(entry.path());
  entry.commit();
  return folder;
}

}  // namespace vaetl::zoo
