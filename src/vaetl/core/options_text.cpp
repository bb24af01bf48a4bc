#include "vaetl/core/options_text.hpp"

#include <array>
#include <vector>

namespace vaetl {
namespace {

using Row = std::array<std::string, 5>;  // key, type, default, range or choices, text

std::string joined(const Json& values, std::string_view separator) {
  std::string text;
  for (const Json& value : values) {
    text += text.empty() ? "" : separator;
    text += value.is_string() ? value.get<std::string>() : value.dump();
  }
  return text;
}

std::string type_text(const Json& schema) {
  if (schema.contains("anyOf")) {
    Json types = Json::array();
    for (const Json& kind : schema["anyOf"]) types.push_back(type_text(kind));
    return joined(types, " or ");
  }
  const Json type = schema.value("type", Json());
  if (type.is_array()) return joined(type, " or ");
  if (type == "array") return "array of " + type_text(schema.value("items", Json::object()));
  return type.is_string() ? type.get<std::string>() : "any";
}

// The bounds of an array are those of its items.
std::string limits_text(const Json& schema) {
  if (schema.contains("enum")) return joined(schema["enum"], "|");
  if (schema.contains("items")) return limits_text(schema["items"]);
  const bool low = schema.contains("minimum"), high = schema.contains("maximum");
  if (low && high) return fmt::format("{} to {}", schema["minimum"].dump(), schema["maximum"].dump());
  if (low) return "at least " + schema["minimum"].dump();
  return high ? "at most " + schema["maximum"].dump() : "";
}

void add_rows(const Json& schema, const std::string& prefix, const Json& defaults, std::vector<Row>& rows);

void add_row(const std::string& key, const Json& schema, const Json& value, std::vector<Row>& rows) {
  const bool nested = schema.contains("properties");
  const std::string shown = value.is_null() || nested ? "" : value.dump();
  rows.push_back({key, type_text(schema), shown, limits_text(schema), schema.value("description", "")});
  if (nested) add_rows(schema, key + ".", value, rows);
  if (schema.contains("items")) add_rows(schema["items"], key + "[].", Json(), rows);
}

// What the enclosing options set a nested key to goes before the nested options' own default.
void add_rows(const Json& schema, const std::string& prefix, const Json& defaults, std::vector<Row>& rows) {
  if (!schema.contains("properties")) return;
  for (const auto& [key, child] : schema["properties"].items()) {
    const bool set = defaults.is_object() && defaults.contains(key);
    add_row(prefix + key, child, set ? defaults[key] : child.value("default", Json()), rows);
  }
}

}  // namespace

std::string describe(const Json& schema) {
  std::vector<Row> rows;
  add_rows(schema, "", Json(), rows);
  std::array<std::size_t, 5> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths[i] > 0) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace vaetl
