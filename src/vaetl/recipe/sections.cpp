// The sections of a recipe as typed options.
#include "vaetl/core/text.hpp"
#include "vaetl/recipe/fields_io.hpp"
#include "vaetl/recipe/recipe.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::string_view source_forms =
    "zoo:NAME, a run folder, an entry's folder, a weights file, or none for a start from scratch";

void check_reference(const data::Reference& reference, const std::string& path) {
  if (reference.empty()) throw ConfigError({path + ".open", "NAME or KIND:PATH, such as fashion-mnist", "none", {}});
}

void check_stream(const DataOptions& options, const std::string& path) {
  check_reference(options.open, path);
  const auto& fold = options.fold;
  if (!fold.empty() && (fold.size() != 2 || fold[1] < 2 || fold[0] >= fold[1])) {
    throw ConfigError({path + ".fold", "[i, k] with 0 ≤ i < k and k ≥ 2", Json(fold).dump(), {}});
  }
  if (!fold.empty() && options.validation > 0) {
    throw ConfigError({path, "validation or fold", "both", "leave one out"});
  }
  if (!options.labels && options.take_per_class > 0) {
    throw ConfigError({path, "labels for take_per_class", "labels: false", "leave one out"});
  }
  if (!options.labels && options.class_weights) {
    throw ConfigError({path, "labels for class_weights", "labels: false", "leave one out"});
  }
  for (std::size_t i = 0; i < options.augment.size(); ++i) {
    registry<Transform>().complete(options.augment[i], fmt::format("{}.augment[{}]", path, i));
  }
}

ScoreOptions read_score(const Json& json, const std::string& path) {
  auto options = from_json<ScoreOptions>(json, path);
  check_reference(options.open, path);
  return options;
}

std::vector<Spec<Transform>> read_preprocess(const Json& json) {
  const std::string path = "data.preprocess";
  if (json.is_null() || json == "inherit") return {};
  if (!json.is_array()) throw_type(path, "\"inherit\" or an array of transforms", json);
  std::vector<Spec<Transform>> transforms;
  Codec<std::vector<Spec<Transform>>>::read(json, path, transforms, {});
  for (std::size_t i = 0; i < transforms.size(); ++i) {
    registry<Transform>().complete(transforms[i], fmt::format("{}[{}]", path, i));
  }
  return transforms;
}

// A slip such as {"opne": …} is a short form with an unknown key, not a stream of that name.
bool is_short_form(const Json& json) {
  if (json.empty() || json.contains("open")) return true;
  for (const auto& [key, value] : json.items()) {
    if (key != "preprocess" && key != "strict" && !value.is_object()) return true;
  }
  return false;
}

DataSection read_short_form(const Json& json) {
  DataSection section;
  ObjectReader reader(json, "data");
  Json test, preprocess;
  const auto options = read_fields<DataOptions>(reader);
  reader.read("test", test, {});
  reader.read("preprocess", preprocess, {});
  reader.read("strict", section.strict, {});
  reader.finish();
  check_stream(options, "data");
  section.streams.emplace_back("train", options);
  if (!test.is_null()) section.test = read_score(test, "data.test");
  section.preprocess = read_preprocess(preprocess);
  return section;
}

void add_stream(DataSection& section, const std::string& name, const Json& json) {
  const std::string path = "data." + name;
  auto options = from_json<DataOptions>(json, path);
  check_stream(options, path);
  const auto place = name == "train" ? section.streams.begin() : section.streams.end();
  section.streams.emplace(place, name, std::move(options));
}

// Only what epochs count is held out of.
void check_long_form(const DataSection& section) {
  if (section.streams.empty()) {
    throw ConfigError({"data", "\"open\", or streams such as \"train\"", "only data that score", {}});
  }
  for (std::size_t i = 0; i < section.streams.size(); ++i) {
    const auto& [name, options] = section.streams[i];
    const bool held = options.validation > 0 || !options.fold.empty();
    if (held && i > 0) {
      throw ConfigError({"data." + name,
                         "validation data held out of \"" + section.streams[0].first + "\" alone",
                         "validation or fold",
                         {}});
    }
    if (held && section.validation) {
      throw ConfigError({"data." + name, "one source of validation data", "two", "drop data.validation or this one"});
    }
  }
}

DataSection read_long_form(const Json& json) {
  DataSection section;
  section.short_form = false;
  for (const auto& [key, value] : json.items()) {
    if (key == "test") {
      section.test = read_score(value, "data.test");
    } else if (key == "validation") {
      section.validation = read_score(value, "data.validation");
    } else if (key == "preprocess") {
      section.preprocess = read_preprocess(value);
    } else if (key == "strict") {
      Codec<bool>::read(value, "data.strict", section.strict, {});
    } else {
      add_stream(section, key, value);
    }
  }
  check_long_form(section);
  return section;
}

}  // namespace

DataSection read_data(const Json& json) {
  if (!json.is_object()) throw_type("data", "an object", json);
  return is_short_form(json) ? read_short_form(json) : read_long_form(json);
}

TransferOptions read_transfer(const Json& json) {
  TransferOptions options;
  ObjectReader reader(json, "transfer");
  reader.read("from", options.from, {});
  reader.read("expanded_from", options.expanded_from, {});
  reader.read("grow", options.grow, {});
  options.adapt = read_fields<AdaptOptions>(reader);
  reader.read("solve_head", options.solve_head, {});
  reader.finish();
  if (!json.contains("from") || options.from.empty()) {
    throw ConfigError({"transfer.from", std::string(source_forms), "nothing", {}});
  }
  return options;
}

TrainerOptions read_trainer(const Json& json) {
  if (!json.is_object()) throw_type("trainer", "an object", json);
  const std::map<std::string, std::string> elsewhere = {{"seed", "set the recipe's own \"seed\""},
                                                        {"device", "choose it when running (--device)"},
                                                        {"directory", "choose it when running (--out)"},
                                                        {"resume", "choose it when running (--resume)"}};
  for (const auto& [key, remedy] : elsewhere) {
    if (json.contains(key)) throw ConfigError({"trainer", {}, "\"" + key + "\", which is not the trainer's", remedy});
  }
  const auto options = from_json<TrainerOptions>(json, "trainer");
  registry<Optimizer>().complete(options.optimizer, "trainer.optimizer");
  return options;
}

}  // namespace vaetl::recipe
