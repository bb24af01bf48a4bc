#include "vaetl/core/config.hpp"

#include <limits>

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

constexpr Range unlimited = {};

std::string where_of(const std::string& path) { return path.empty() ? "options" : path; }

// The value itself where it is short enough to help.
std::string value_text(const Json& json) {
  if (json.is_null()) return "null";
  if (json.is_structured()) return json_type(json);
  if (json.is_string()) return "a string " + quote(json.get_ref<const std::string&>());
  if (json.is_number_float()) return fmt::format("a number {}", json.get<double>());
  return json_type(json) + " " + json.dump();
}

std::string range_text(const Range& range) {
  if (range.low > unlimited.low && range.high < unlimited.high) {
    return fmt::format("between {} and {}", range.low, range.high);
  }
  return range.low > unlimited.low ? fmt::format("at least {}", range.low) : fmt::format("at most {}", range.high);
}

template <class T>
void check_range(const std::string& path, T value, const Range& range) {
  if (range.contains(static_cast<double>(value))) return;
  throw ConfigError({where_of(path), range_text(range), fmt::format("{}", value), {}});
}

// An integer, or a number written with a point or an exponent whose value is one (1e3, 5.0).
template <class T>
T read_integer(const Json& json, const std::string& path) {
  constexpr auto low = std::numeric_limits<T>::min();
  constexpr auto high = std::numeric_limits<T>::max();
  auto check = [&](bool fits) {
    if (!fits)
      throw ConfigError({where_of(path), fmt::format("an integer between {} and {}", low, high), json.dump(), {}});
  };
  if (json.is_number_unsigned()) {
    const auto value = json.get<std::uint64_t>();
    check(std::in_range<T>(value));
    return static_cast<T>(value);
  }
  if (json.is_number_integer()) {
    const auto value = json.get<std::int64_t>();
    check(std::in_range<T>(value));
    return static_cast<T>(value);
  }
  const double value = json.is_number_float() ? json.get<double>() : 0.5;
  if (std::trunc(value) != value) throw_type(path, "an integer", json);
  const double bound = std::ldexp(1.0, std::numeric_limits<T>::digits);  // above the largest, and what rounds to it
  check((std::is_unsigned_v<T> ? value >= 0 : value > -bound) && value < bound);
  return static_cast<T>(value);
}

void check_choice(const std::string& path, const std::string& value, const Choices& choices) {
  std::vector<std::string> names, quoted;
  for (std::string_view choice : choices) {
    if (choice.empty()) continue;
    names.emplace_back(choice);
    quoted.push_back(quote(choice));
  }
  if (names.empty() || std::find(names.begin(), names.end(), value) != names.end()) return;
  throw ConfigError({where_of(path), "one of " + join(quoted), quote(value), did_you_mean(value, names)});
}

Json number(double value) {
  const bool integral = std::trunc(value) == value && std::abs(value) < 1e15;
  return integral ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json number_schema(const char* type, const Range& range) {
  Json schema{{"type", type}};
  if (range.low > unlimited.low) schema["minimum"] = number(range.low);
  if (range.high < unlimited.high) schema["maximum"] = number(range.high);
  return schema;
}

Range not_negative(Range range) { return {std::max(range.low, 0.0), range.high}; }

}  // namespace

void throw_type(const std::string& path, std::string_view expected, const Json& found) {
  throw ConfigError({where_of(path), std::string(expected), value_text(found), {}});
}

void Codec<bool>::read(const Json& json, const std::string& path, bool& value, const Rule&) {
  if (!json.is_boolean()) throw_type(path, "true or false", json);
  value = json.get<bool>();
}
Json Codec<bool>::write(const bool& value) { return value; }
Json Codec<bool>::schema(const Rule&) { return Json{{"type", "boolean"}}; }

void Codec<std::int64_t>::read(const Json& json, const std::string& path, std::int64_t& value, const Rule& rule) {
  value = read_integer<std::int64_t>(json, path);
  check_range(path, value, rule.range);
}
Json Codec<std::int64_t>::write(const std::int64_t& value) { return value; }
Json Codec<std::int64_t>::schema(const Rule& rule) { return number_schema("integer", rule.range); }

void Codec<std::uint64_t>::read(const Json& json, const std::string& path, std::uint64_t& value, const Rule& rule) {
  value = read_integer<std::uint64_t>(json, path);
  check_range(path, value, rule.range);
}
Json Codec<std::uint64_t>::write(const std::uint64_t& value) { return value; }
Json Codec<std::uint64_t>::schema(const Rule& rule) { return number_schema("integer", not_negative(rule.range)); }

void Codec<double>::read(const Json& json, const std::string& path, double& value, const Rule& rule) {
  if (!json.is_number()) throw_type(path, "a number", json);
  value = json.get<double>();
  check_range(path, value, rule.range);
}
Json Codec<double>::write(const double& value) { return value; }
Json Codec<double>::schema(const Rule& rule) { return number_schema("number", rule.range); }

void Codec<std::string>::read(const Json& json, const std::string& path, std::string& value, const Rule& rule) {
  if (!json.is_string()) throw_type(path, "a string", json);
  value = json.get<std::string>();
  check_choice(path, value, rule.choices);
}
Json Codec<std::string>::write(const std::string& value) { return value; }
Json Codec<std::string>::schema(const Rule& rule) {
  Json schema{{"type", "string"}};
  for (std::string_view choice : rule.choices) {
    if (!choice.empty()) schema["enum"].push_back(std::string(choice));
  }
  return schema;
}

void Codec<Json>::read(const Json& json, const std::string&, Json& value, const Rule&) { value = json; }
Json Codec<Json>::write(const Json& value) { return value; }
Json Codec<Json>::schema(const Rule&) { return Json::object(); }

ObjectReader::ObjectReader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object.is_object()) throw_type(path_, "an object", object);
}

const Json* ObjectReader::find(std::string_view key) {
  known_.emplace_back(key);
  const auto found = object_.find(known_.back());
  return found == object_.end() ? nullptr : &*found;
}

std::string ObjectReader::child_path(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void ObjectReader::finish() const {
  for (const auto& [key, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string remedy = known_.empty() ? "no keys are known here" : did_you_mean(key, known_);
    throw ConfigError({where_of(path_), {}, "the unknown key " + quote(key), remedy});
  }
}

}  // namespace vaetl
