#include "vaetl/core/text.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/recipe/sweep.hpp"

namespace vaetl::recipe {
namespace {

void check_values(const std::map<std::string, std::vector<Json>>& values, const std::string& path) {
  for (const auto& [key, choices] : values) {
    if (choices.empty()) throw ConfigError({path + "." + key, "at least one value", "none", {}});
  }
}

void check_ways(const SweepOptions& options) {
  if (!options.ways.is_object()) throw_type("sweep.ways", "an object of name → changes", options.ways);
  std::vector<std::string> names;
  for (const auto& [name, changes] : options.ways.items()) {
    if (!changes.is_object()) throw_type("sweep.ways." + name, "an object of key → value", changes);
    names.push_back(name);
  }
  const std::string& baseline = options.baseline;
  if (baseline.empty() || options.ways.contains(baseline)) return;
  throw ConfigError({"sweep.baseline", "the name of a way", quote(baseline), did_you_mean(baseline, names)});
}

Json parse_value(const std::string& text, const std::string& where) {
  return Json::accept(text) ? parse_json(text, where) : Json(text);
}

// At commas outside of brackets and quotes: [1,2],[3] are two values.
std::vector<std::string> split_values(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '[' || c == '{')) ++depth;
    if (!quoted && (c == ']' || c == '}')) --depth;
    if (c == ',' && depth == 0 && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

SweepOptions read_sweep(const Json& json) {
  auto options = from_json<SweepOptions>(json, "sweep");
  check_ways(options);
  check_values(options.vary, "sweep.vary");
  make_metric(options.metric, "sweep.metric");
  if (!options.search) return options;
  check_values(options.search->grid, "sweep.search.grid");
  make_metric(options.search->metric, "sweep.search.metric");
  return options;
}

void add_vary(SweepOptions& options, const std::string& assignment) {
  const std::string where = "--vary " + quote(assignment);
  const auto equals = assignment.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == assignment.size()) {
    throw ConfigError({where, "key=value,value,…", "no key or no value", {}});
  }
  std::vector<Json> values;
  for (const auto& part : split_values(assignment.substr(equals + 1))) {
    if (part.empty()) throw ConfigError({where, "key=value,value,…", "an empty value", {}});
    values.push_back(parse_value(part, where));
  }
  options.vary[assignment.substr(0, equals)] = std::move(values);
}

}  // namespace vaetl::recipe
