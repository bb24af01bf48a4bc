#include "vaetl/core/schedule.hpp"

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

constexpr const char* schedule_shape =
    "a number, {\"linear\": [from, to]}, {\"cosine\": {\"warmup\": w}}, {\"step\": {\"every\": e}}, {\"exponential\": "
    "{\"factor\": f}}, {\"one_cycle\": {}} or {\"dann\": gamma}";

template <class Curve>
struct Named {
  using Type = Curve;
  std::string_view name;
};

constexpr std::tuple curve_names{Named<curves::Constant>{"constant"},
                                 Named<curves::Linear>{"linear"},
                                 Named<curves::Cosine>{"cosine"},
                                 Named<curves::Step>{"step"},
                                 Named<curves::Exponential>{"exponential"},
                                 Named<curves::OneCycle>{"one_cycle"},
                                 Named<curves::Dann>{"dann"}};

// One unit of the curve measures the whole training as this.
double whole_in(std::string_view unit, Span span) {
  if (unit == "training") return 1;
  const double whole = unit == "steps" ? span.steps : span.steps / span.steps_per_epoch;
  if (whole > 0) return whole;
  throw ConfigError({"schedule", "a training whose length is known", "a curve in " + std::string(unit) + " without one",
                     "give its lengths as shares of training"});
}

template <class Curve>
void check_warmup(const std::string& path, const Curve& curve) {
  if (curve.unit != "training" || curve.warmup < 1) return;
  throw ConfigError(
      {path + ".warmup", "a share of training, at least 0 and below 1", fmt::format("{}", curve.warmup), {}});
}

// The short forms: [from, to] and gamma.
Json long_form(const std::string& kind, const Json& options, const std::string& path) {
  if (kind == "dann" && options.is_number()) return Json{{"gamma", options}};
  if (kind != "linear" || options.is_object()) return options;
  if (!options.is_array() || options.size() != 2) throw_type(path, "an array of two numbers, [from, to]", options);
  return Json{{"from", options[0]}, {"to", options[1]}};
}

template <class Curve>
void check_values(const Curve& curve, const std::string& path, const Rule& rule) {
  double ignored = 0;
  if constexpr (std::is_same_v<Curve, curves::Constant>) Codec<double>::read(curve.value, path, ignored, rule);
  if constexpr (std::is_same_v<Curve, curves::Linear>) {
    Codec<double>::read(curve.from, path + ".from", ignored, rule);
    Codec<double>::read(curve.to, path + ".to", ignored, rule);
  }
  if constexpr (requires { curve.warmup; }) check_warmup(path, curve);
}

template <class Curve>
bool read_curve(const Named<Curve>& named, const std::string& kind, const Json& options, const std::string& path,
                const Rule& rule, Schedule& value) {
  if (kind != named.name) return false;
  const auto curve = from_json<Curve>(long_form(kind, options, path), path);
  check_values(curve, path, rule);
  value = curve;
  return true;
}

[[noreturn]] void throw_unknown(const std::string& path, const std::string& kind) {
  std::vector<std::string> kinds;
  std::apply([&](const auto&... named) { (kinds.emplace_back(named.name), ...); }, curve_names);
  throw ConfigError({path, schedule_shape, "the unknown curve " + quote(kind),
                     kind == "plateau" ? "it depends on results: set trainer.plateau" : did_you_mean(kind, kinds)});
}

// What differs from the defaults: a curve is written about as a person would.
template <class Curve>
Json write_options(const Curve& curve) {
  const Json defaults = to_json(Curve{}), all = to_json(curve);
  Json json = Json::object();
  for (const auto& [key, option] : all.items()) {
    if (option != defaults.at(key)) json[key] = option;
  }
  return json;
}

Json write_curve(const curves::Constant& curve) {
  if (curve.warmup == 0) return curve.value;
  return Json{{"constant", write_options(curve)}};
}
Json write_curve(const curves::Linear& curve) {
  if (curve.warmup == 0 && curve.over == 0) return Json{{"linear", Json::array({curve.from, curve.to})}};
  return Json{{"linear", write_options(curve)}};
}
Json write_curve(const curves::Cosine& curve) {
  Json options{{"warmup", curve.warmup}};
  options.update(write_options(curve));
  return Json{{"cosine", options}};
}
Json write_curve(const curves::Dann& curve) { return Json{{"dann", curve.gamma}}; }
Json write_curve(const curves::Step& curve) { return Json{{"step", write_options(curve)}}; }
Json write_curve(const curves::Exponential& curve) { return Json{{"exponential", write_options(curve)}}; }
Json write_curve(const curves::OneCycle& curve) { return Json{{"one_cycle", write_options(curve)}}; }

Json curve_schema(std::string_view name, Json options, const Json& end) {
  if (name == "linear") {
    const Json ends{{"type", "array"}, {"items", end}, {"minItems", 2}, {"maxItems", 2}};
    return Json{{"anyOf", Json::array({ends, std::move(options)})}};
  }
  if (name == "dann") return Json{{"type", "number"}, {"minimum", 0}};
  return options;
}

}  // namespace

Schedule Schedule::linear(double from, double to) { return curves::Linear{.from = from, .to = to}; }
Schedule Schedule::cosine(double warmup) {
  const curves::Cosine curve{.warmup = warmup};
  check_warmup("cosine", curve);
  return curve;
}
Schedule Schedule::dann(double gamma) { return curves::Dann{.gamma = gamma}; }

double Schedule::at(double progress, Span span) const {
  return std::visit(
      [&](const auto& which) {
        const double whole = whole_in(which.unit, span);
        return which.at(std::clamp(progress, 0.0, 1.0) * whole, whole);
      },
      curve);
}

std::map<std::string, Json> curve_schemas() {
  std::map<std::string, Json> schemas;
  const auto add = [&]<class Curve>(const Named<Curve>& named) {
    schemas[std::string(named.name)] = json_schema<Curve>();
  };
  std::apply([&](const auto&... named) { (add(named), ...); }, curve_names);
  return schemas;
}

void Codec<Schedule>::read(const Json& json, const std::string& path, Schedule& value, const Rule& rule) {
  if (json.is_number()) {
    double number = 0;
    Codec<double>::read(json, path, number, rule);
    value = Schedule(number);
    return;
  }
  if (!json.is_object() || json.size() != 1) throw_type(path, schedule_shape, json);
  const std::string& kind = json.begin().key();
  const Json& options = json.begin().value();
  const bool found = std::apply(
      [&](const auto&... named) { return (read_curve(named, kind, options, path + "." + kind, rule, value) || ...); },
      curve_names);
  if (!found) throw_unknown(path, kind);
}

Json Codec<Schedule>::write(const Schedule& value) {
  return std::visit([](const auto& curve) { return write_curve(curve); }, value.curve);
}

Json Codec<Schedule>::schema(const Rule& rule) {
  const Json end = Codec<double>::schema(rule);
  Json properties = Json::object();
  const auto add = [&]<class Curve>(const Named<Curve>& named) {
    properties[std::string(named.name)] = curve_schema(named.name, json_schema<Curve>(), end);
  };
  std::apply([&](const auto&... named) { (add(named), ...); }, curve_names);
  const Json object{{"type", "object"},
                    {"properties", properties},
                    {"additionalProperties", false},
                    {"minProperties", 1},
                    {"maxProperties", 1}};
  return Json{{"anyOf", Json::array({end, object})}};
}

}  // namespace vaetl
