#include <limits>

#include "vaetl/core/text.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/recipe/sweep.hpp"

namespace vaetl::recipe {
namespace {

constexpr double largest_whole = 9007199254740992;

void check_values(const ValueLists& values, const std::string& path) {
  for (const auto& [key, choices] : values) {
    if (choices.empty()) throw ConfigError({path + "." + key, "at least one value", "none", {}});
  }
}

void check_range(const RangeOptions& range, const std::string& where) {
  const auto is_whole = [](double end) { return end == std::floor(end) && std::abs(end) <= largest_whole; };
  if (range.whole && (!is_whole(range.low) || !is_whole(range.high))) {
    throw ConfigError({where, "whole ends, up to 2^53", fmt::format("{} and {}", range.low, range.high), {}});
  }
  const double least = range.log ? std::numeric_limits<double>::min() : std::numeric_limits<double>::lowest();
  if (range.low >= least && range.low < range.high && std::isfinite(range.high)) return;
  throw ConfigError(
      {where, range.log ? "0 < low < high" : "low < high", fmt::format("{} and {}", range.low, range.high), {}});
}

void check_random(const std::optional<RandomOptions>& random, const ValueLists& values, const std::string& path) {
  if (!random) return;
  for (const auto& [key, range] : random->ranges) {
    const std::string where = path + ".ranges." + key;
    if (values.contains(key)) throw ConfigError({where, "a list of values or a range", "both", "leave one out"});
    check_range(range, where);
  }
  if (!values.empty() || !random->ranges.empty()) return;
  throw ConfigError({path, "keys to draw values for", "none", "add lists of values, or ranges"});
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

// "1e-4..0.1" or "log:1e-4..0.1".
std::optional<RangeOptions> range_in(const std::string& text) {
  const bool log = text.starts_with("log:");
  const std::string ends = log ? text.substr(4) : text;
  const auto dots = ends.find("..");
  if (dots == std::string::npos) return {};
  const std::string low = ends.substr(0, dots), high = ends.substr(dots + 2);
  const auto is_number = [](const std::string& end) { return Json::accept(end) && Json::parse(end).is_number(); };
  if (!is_number(low) || !is_number(high)) return {};
  const Json from = Json::parse(low), to = Json::parse(high);
  return RangeOptions{from.get<double>(), to.get<double>(), log, from.is_number_integer() && to.is_number_integer()};
}

}  // namespace

SweepOptions read_sweep(const Json& json) {
  auto options = from_json<SweepOptions>(json, "sweep");
  check_ways(options);
  check_values(options.vary, "sweep.vary");
  check_random(options.random, options.vary, "sweep.random");
  make_metric(options.metric, "sweep.metric");
  if (!options.search) return options;
  check_values(options.search->grid, "sweep.search.grid");
  check_random(options.search->random, options.search->grid, "sweep.search.random");
  make_metric(options.search->metric, "sweep.search.metric");
  return options;
}

void add_vary(SweepOptions& options, const std::string& assignment) {
  const std::string where = "--vary " + quote(assignment);
  const auto equals = assignment.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == assignment.size()) {
    throw ConfigError({where, "key=value,value,…", "no key or no value", {}});
  }
  const std::string key = assignment.substr(0, equals), text = assignment.substr(equals + 1);
  if (const auto range = range_in(text)) {
    check_range(*range, where);
    if (!options.random) options.random.emplace();
    options.random->ranges[key] = *range;
    options.vary.erase(key);
    return;
  }
  std::vector<Json> values;
  for (const auto& part : split_values(text)) {
    if (part.empty()) throw ConfigError({where, "key=value,value,…", "an empty value", {}});
    values.push_back(parse_value(part, where));
  }
  options.vary[key] = std::move(values);
  if (options.random) options.random->ranges.erase(key);
}

}  // namespace vaetl::recipe
