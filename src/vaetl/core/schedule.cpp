#include "vaetl/core/schedule.hpp"

#include <numbers>

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

constexpr const char* shape = "a number, {\"linear\": [from, to]}, {\"cosine\": {\"warmup\": w}} or {\"dann\": gamma}";

Schedule make_curve(Schedule::Curve kind, double from, double to = 0) {
  Schedule schedule(from);
  schedule.curve = kind;
  schedule.to = to;
  return schedule;
}

void check_warmup(const std::string& path, double warmup) {
  if (warmup >= 0 && warmup < 1) return;
  throw ConfigError({path, "a share of training, at least 0 and below 1", fmt::format("{}", warmup), {}});
}

double read_number(const Json& json, const std::string& path, const Rule& rule = {}) {
  double value = 0;
  Codec<double>::read(json, path, value, rule);
  return value;
}

Schedule read_linear(const Json& ends, const std::string& path, const Rule& rule) {
  if (!ends.is_array() || ends.size() != 2) throw_type(path, "an array of two numbers, [from, to]", ends);
  return Schedule::linear(read_number(ends[0], path + "[0]", rule), read_number(ends[1], path + "[1]", rule));
}

Schedule read_cosine(const Json& options, const std::string& path) {
  ObjectReader reader(options, path);
  double warmup = 0;
  reader.read("warmup", warmup, Rule{});
  reader.finish();
  check_warmup(path + ".warmup", warmup);
  return Schedule::cosine(warmup);
}

double cosine_at(double progress, double warmup) {
  if (progress < warmup) return progress / warmup;
  return 0.5 * (1 + std::cos(std::numbers::pi * (progress - warmup) / (1 - warmup)));
}

}  // namespace

Schedule Schedule::linear(double from, double to) { return make_curve(Curve::linear, from, to); }
Schedule Schedule::cosine(double warmup) {
  check_warmup("cosine.warmup", warmup);
  return make_curve(Curve::cosine, warmup);
}
Schedule Schedule::dann(double gamma) { return make_curve(Curve::dann, gamma); }

double Schedule::at(double progress) const {
  const double p = std::clamp(progress, 0.0, 1.0);
  switch (curve) {
    case Curve::linear:
      return from + (to - from) * p;
    case Curve::cosine:
      return cosine_at(p, from);
    case Curve::dann:
      return 2 / (1 + std::exp(-from * p)) - 1;
    default:
      return from;
  }
}

void Codec<Schedule>::read(const Json& json, const std::string& path, Schedule& value, const Rule& rule) {
  if (json.is_number()) {
    value = Schedule(read_number(json, path, rule));
    return;
  }
  if (!json.is_object() || json.size() != 1) throw_type(path, shape, json);
  const std::string& kind = json.begin().key();
  const Json& options = json.begin().value();
  const std::string child = path + "." + kind;
  if (kind == "linear") {
    value = read_linear(options, child, rule);
  } else if (kind == "cosine") {
    value = read_cosine(options, child);
  } else if (kind == "dann") {
    value = Schedule::dann(read_number(options, child, {at_least(0)}));
  } else {
    const std::vector<std::string> kinds = {"linear", "cosine", "dann"};
    throw ConfigError({path, shape, "the unknown curve " + quote(kind), did_you_mean(kind, kinds)});
  }
}

Json Codec<Schedule>::write(const Schedule& value) {
  switch (value.curve) {
    case Schedule::Curve::linear:
      return Json{{"linear", Json::array({value.from, value.to})}};
    case Schedule::Curve::cosine:
      return Json{{"cosine", Json{{"warmup", value.from}}}};
    case Schedule::Curve::dann:
      return Json{{"dann", value.from}};
    default:
      return value.from;
  }
}

Json Codec<Schedule>::schema(const Rule& rule) {
  const Json end = Codec<double>::schema(rule);
  const Json warmup{{"type", "number"}, {"minimum", 0}, {"exclusiveMaximum", 1}};
  const Json curves{
      {"linear", {{"type", "array"}, {"items", end}, {"minItems", 2}, {"maxItems", 2}}},
      {"cosine", {{"type", "object"}, {"properties", {{"warmup", warmup}}}, {"additionalProperties", false}}},
      {"dann", {{"type", "number"}, {"minimum", 0}}}};
  const Json object{{"type", "object"},
                    {"properties", curves},
                    {"additionalProperties", false},
                    {"minProperties", 1},
                    {"maxProperties", 1}};
  return Json{{"anyOf", Json::array({end, object})}};
}

}  // namespace vaetl
