#include "vaetl/io/sha256.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/recipe/overrides.hpp"
#include "vaetl/recipe/source.hpp"
#include "vaetl/recipe/sweep_parts.hpp"

namespace vaetl::recipe {
namespace {

std::string slug(const std::string& text) {
  std::string result;
  for (const unsigned char c : text) {
    const bool plain = std::isalnum(c) != 0 || c == '.' || c == '_' || c == '=' || c == '-';
    result += plain ? static_cast<char>(c) : '-';
  }
  return result;
}

std::string last_part(const std::string& key) { return key.substr(key.find_last_of('.') + 1); }

// Readable, and a hash where the readable form says too little.
std::string point_id(const std::string& way, const Json& vary, std::uint64_t seed) {
  std::string id = slug(way);
  for (const auto& [key, value] : vary.items()) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (text.size() > 24 || text != slug(text)) text = sha256_hex(value.dump()).substr(0, 8);
    id += "_" + slug(last_part(key)) + "=" + text;
  }
  return fmt::format("{}_seed={}", id, seed);
}

Json point_recipe(const Json& base, const Json& way, const Json& vary, std::uint64_t seed) {
  Json recipe = base;
  for (const Json* changes : {&way, &vary}) {
    for (const auto& [key, value] : changes->items()) set_at(recipe, key, value);
  }
  recipe["seed"] = seed;
  return recipe;
}

void add_metric(std::vector<std::string>& metrics, const std::string& name) {
  if (std::find(metrics.begin(), metrics.end(), name) == metrics.end()) metrics.push_back(name);
}

// A mistake in one setting is found before anything has run.
void check_search(const SweepPoint& point, const SweepOptions& options) {
  if (!options.search) return;
  const DataSection data = read_data(point.recipe["data"]);
  const auto& stream = data.streams[0].second;
  if (stream.validation > 0 || !stream.fold.empty() || data.validation) {
    throw ConfigError({"sweep.search", "all labels at hand, from which the search makes its folds",
                       "validation or fold in data", "leave them out"});
  }
  if (!read_trainer(point.recipe["trainer"]).monitor.empty()) {
    throw ConfigError({"sweep.search", "runs of a fixed length", "trainer.monitor", "leave it out"});
  }
  for (const Json& settings : settings_of(options.search->grid, options.search->random, point.seed)) {
    parse(with_settings(point, settings));
  }
}

void check_scored(const SweepPoint& point, const SweepOptions& options) {
  if (options.on != "validation") return;
  const DataSection data = read_data(point.recipe["data"]);
  const auto& stream = data.streams[0].second;
  if (stream.validation > 0 || !stream.fold.empty() || data.validation) return;
  throw ConfigError({"sweep.on", "validation data", "none in data", "set data.validation, or leave on out"});
}

SweepPoint make_point(const Json& base, const SweepOptions& options, const std::string& way, const Json& changes,
                      const Json& vary, std::uint64_t seed) {
  SweepPoint point{.id = point_id(way, vary, seed), .way = way, .vary = vary, .seed = seed, .recipe = {}, .given = {}};
  try {
    point.given = point_recipe(base, changes, vary, seed);
    Recipe recipe = parse(point.given);
    if (options.on == "test") add_metric(recipe.evaluate, options.metric);
    point.given["evaluate"] = recipe.evaluate;
    point.recipe = resolve(recipe);
    check_scored(point, options);
    check_search(point, options);
  } catch (const ConfigError& error) {
    Problem problem = error.problem;
    problem.where = "point " + point.id + ", " + problem.where;
    throw ConfigError(std::move(problem));
  }
  return point;
}

// The same number under two keys with one last part, say.
void check_ids(const std::vector<SweepPoint>& points) {
  std::set<std::string> ids;
  for (const auto& point : points) {
    if (ids.insert(point.id).second) continue;
    throw ConfigError({"sweep", "points that differ", "two points " + point.id, "drop a value that stands twice"});
  }
}

// With its transfer.method, which a point may change.
Json as_given(const Recipe& recipe) {
  Json json = to_json(recipe);
  for (const auto& [section, was] : recipe.unexpanded.items()) set_at(json, section, was);
  return json;
}

}  // namespace

std::vector<Json> combinations(const ValueLists& values) {
  std::vector<Json> result = {Json::object()};
  for (const auto& [key, choices] : values) {
    std::vector<Json> longer;
    for (const Json& begun : result) {
      for (const Json& choice : choices) {
        longer.push_back(begun);
        longer.back()[key] = choice;
      }
    }
    result = std::move(longer);
  }
  return result;
}

Json with_settings(const SweepPoint& point, const Json& settings) {
  Json given = point.given, rest = Json::object();
  for (const auto& [key, value] : settings.items()) {
    if (key.starts_with("transfer.method")) {
      set_at(given, key, value);
    } else {
      rest[key] = value;
    }
  }
  Json recipe = rest.size() == settings.size() ? point.recipe : resolve(parse(given));
  for (const auto& [key, value] : rest.items()) set_at(recipe, key, value);
  return recipe;
}

std::vector<SweepPoint> expand(const Recipe& recipe, const SweepOptions& options) {
  Recipe alone = recipe;
  alone.sweep.reset();
  const Json base = as_given(alone);
  const Json ways = options.ways.empty() ? Json{{recipe.name, Json::object()}} : options.ways;
  const std::vector<Json> settings = settings_of(options.vary, options.random, recipe.seed);
  std::vector<SweepPoint> points;
  for (std::uint64_t seed = recipe.seed; seed < recipe.seed + static_cast<std::uint64_t>(options.seeds); ++seed) {
    for (const Json& vary : settings) {
      for (const auto& [way, changes] : ways.items()) {
        points.push_back(make_point(base, options, way, changes, vary, seed));
      }
    }
  }
  check_ids(points);
  return points;
}

std::map<std::string, std::string> source_hashes(const std::vector<SweepPoint>& points) {
  std::map<std::string, std::string> hashes;
  for (const auto& point : points) {
    if (!point.recipe.contains("transfer")) continue;
    const auto from = point.recipe["transfer"]["from"].get<std::string>();
    if (from != "none" && !hashes.contains(from)) hashes[from] = sha256_file(source_file(from));
  }
  return hashes;
}

Json fingerprint(const SweepPoint& point, const SweepOptions& options,
                 const std::map<std::string, std::string>& hashes) {
  Json json{{"recipe", point.recipe}};
  if (options.search) json["search"] = to_json(*options.search);
  if (options.on != "test") json["measured"] = {{"on", options.on}, {"metric", options.metric}};
  if (!point.recipe.contains("transfer")) return json;
  const auto hash = hashes.find(point.recipe["transfer"]["from"].get<std::string>());
  if (hash != hashes.end()) json["source_sha256"] = hash->second;
  return json;
}

}  // namespace vaetl::recipe
