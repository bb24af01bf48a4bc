// Options described once. A struct of options has `static constexpr auto fields()`; its JSON keys, defaults, ranges,
// help, schema and `key=value` overrides all come from there. Every member has a default initialiser.
//
//   struct Options {
//     double beta = 1.0;
//     static constexpr auto fields() { return std::tuple{field("beta", &Options::beta, "weight of the KL term",
//     at_least(0))}; }
//   };
//   auto options = from_json<Options>(parse_json(R"({"beta": 4})", "recipe"), "objective");
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "vaetl/core/error.hpp"
#include "vaetl/core/json.hpp"

namespace vaetl {

struct Range {
  double low = -1e300, high = 1e300;
  bool contains(double value) const { return value >= low && value <= high; }
};
constexpr Range at_least(double low) { return {low, 1e300}; }
constexpr Range between(double low, double high) { return {low, high}; }

using Choices = std::array<std::string_view, 8>;  // empty entries do not count; all empty: any string

// What a value must satisfy besides its type.
struct Rule {
  Range range = {};
  Choices choices = {};
};

template <class O, class T>
struct Field {
  std::string_view key;
  T O::*member;
  std::string_view doc;
  Rule rule = {};
};

template <class O, class T>
constexpr Field<O, T> field(std::string_view key, T O::*member, std::string_view doc, Range range = {}) {
  return {key, member, doc, {range, {}}};
}
template <class O, class T>
constexpr Field<O, T> choice(std::string_view key, T O::*member, std::string_view doc, Choices choices) {
  return {key, member, doc, {{}, choices}};
}

template <class O>
concept Options = requires {
  O::fields();
};

// Codec<T> converts one value: read (ConfigError names path, what was expected, what was found), write, schema.
template <class T>
struct Codec;

#define VAETL_DECLARE_CODEC(type)                                                          \
  template <>                                                                              \
  struct Codec<type> {                                                                     \
    static void read(const Json&, const std::string& path, type& value, const Rule& rule); \
    static Json write(const type& value);                                                  \
    static Json schema(const Rule& rule);                                                  \
  }
VAETL_DECLARE_CODEC(bool);
VAETL_DECLARE_CODEC(std::int64_t);
VAETL_DECLARE_CODEC(std::uint64_t);
VAETL_DECLARE_CODEC(double);
VAETL_DECLARE_CODEC(std::string);
VAETL_DECLARE_CODEC(Json);  // anything: checked by whoever reads it
#undef VAETL_DECLARE_CODEC

[[noreturn]] void throw_type(const std::string& path, std::string_view expected, const Json& found);

// One JSON object at a path such as "trainer.optimizer".
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string path);
  template <class T>
  void read(std::string_view key, T& value, const Rule& rule) {
    if (const Json* found = find(key)) Codec<T>::read(*found, child_path(key), value, rule);
  }
  void finish() const;  // unknown keys: ConfigError that names the nearest known key

 private:
  const Json* find(std::string_view key);  // notes the key as known; absent gives null and leaves the default
  std::string child_path(std::string_view key) const;
  const Json& object_;
  std::string path_;
  std::vector<std::string> known_;
};

template <Options O>
O from_json(const Json& json, std::string path = {}) {
  ObjectReader reader(json, std::move(path));
  O options;
  std::apply([&](const auto&... f) { (reader.read(f.key, options.*(f.member), f.rule), ...); }, O::fields());
  reader.finish();
  if constexpr (requires { options.validate(); }) options.validate();  // relations between fields
  return options;
}

namespace detail {
template <class O, class T>
Json write_member(const O& options, const Field<O, T>& f) {
  return Codec<T>::write(options.*(f.member));
}
template <class O, class T>
Json member_schema(const O& defaults, const Field<O, T>& f) {
  Json schema = Codec<T>::schema(f.rule);
  schema["description"] = std::string(f.doc);
  Json value = Codec<T>::write(defaults.*(f.member));
  if (!value.is_null()) schema["default"] = std::move(value);
  return schema;
}
}  // namespace detail

// Every field, defaults included; an empty optional is left out.
template <Options O>
Json to_json(const O& options) {
  Json json = Json::object();
  auto write = [&](const auto& f) {
    Json value = detail::write_member(options, f);
    if (!value.is_null()) json[std::string(f.key)] = std::move(value);
  };
  std::apply([&](const auto&... f) { (write(f), ...); }, O::fields());
  return json;
}

// JSON schema (draft 7) of the options; `--help` and docs print from it too.
template <Options O>
Json json_schema() {
  Json properties = Json::object();
  const O defaults;
  std::apply([&](const auto&... f) { ((properties[std::string(f.key)] = detail::member_schema(defaults, f)), ...); },
             O::fields());
  return Json{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

template <Options O>
struct Codec<O> {
  static void read(const Json& json, const std::string& path, O& value, const Rule&) {
    value = from_json<O>(json, path);
  }
  static Json write(const O& value) { return to_json(value); }
  static Json schema(const Rule&) { return json_schema<O>(); }
};

template <class T>
struct Codec<std::vector<T>> {
  static void read(const Json& json, const std::string& path, std::vector<T>& value, const Rule& rule) {
    if (!json.is_array()) throw_type(path, "an array", json);
    value.clear();
    for (std::size_t i = 0; i < json.size(); ++i) {
      T item{};
      Codec<T>::read(json[i], path + "[" + std::to_string(i) + "]", item, rule);
      value.push_back(std::move(item));
    }
  }
  static Json write(const std::vector<T>& value) {
    Json json = Json::array();
    for (const T& item : value) json.push_back(Codec<T>::write(item));
    return json;
  }
  static Json schema(const Rule& rule) { return Json{{"type", "array"}, {"items", Codec<T>::schema(rule)}}; }
};

template <class T>
struct Codec<std::optional<T>> {
  static void read(const Json& json, const std::string& path, std::optional<T>& value, const Rule& rule) {
    value.reset();
    if (!json.is_null()) Codec<T>::read(json, path, value.emplace(), rule);
  }
  static Json write(const std::optional<T>& value) { return value ? Codec<T>::write(*value) : Json(); }
  static Json schema(const Rule& rule) { return Codec<T>::schema(rule); }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static void read(const Json& json, const std::string& path, std::map<std::string, T>& value, const Rule& rule) {
    if (!json.is_object()) throw_type(path, "an object", json);
    value.clear();
    for (const auto& [key, item] : json.items()) Codec<T>::read(item, path + "." + key, value[key], rule);
  }
  static Json write(const std::map<std::string, T>& value) {
    Json json = Json::object();
    for (const auto& [key, item] : value) json[key] = Codec<T>::write(item);
    return json;
  }
  static Json schema(const Rule& rule) {
    return Json{{"type", "object"}, {"additionalProperties", Codec<T>::schema(rule)}};
  }
};

}  // namespace vaetl
