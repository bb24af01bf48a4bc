#include "vaetl/core/text.hpp"
#include "vaetl/zoo/card.hpp"

namespace vaetl::zoo {
namespace {

constexpr std::size_t line_width = 100;  // and the key before it

bool is_flat(const Json& json) {
  return std::none_of(json.begin(), json.end(), [](const Json& item) { return item.is_structured(); });
}

// On one line; text that is not UTF-8 is replaced, not thrown at whoever saves.
std::string compact(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Scalars side by side, wrapped: an image of a test vector takes lines, not pages.
std::string flat_array(const Json& array, const std::string& indent) {
  std::string text = "[", line = "[";
  for (std::size_t i = 0; i < array.size(); ++i) {
    const std::string item = compact(array[i]) + (i + 1 < array.size() ? "," : "]");
    const bool wrap = i > 0 && indent.size() + line.size() + item.size() + 1 > line_width;
    const std::string gap = i == 0 ? "" : wrap ? "\n" + indent + " " : " ";
    line = wrap ? " " + item : line + gap + item;
    text += gap + item;
  }
  return array.empty() ? "[]" : text;
}

std::string pretty(const Json& json, const std::string& indent = {}) {
  if (!json.is_structured()) return compact(json);
  if (json.is_array() && is_flat(json)) return flat_array(json, indent);
  if (json.empty()) return "{}";
  const std::string deeper = indent + "  ";
  std::vector<std::string> lines;
  for (const auto& [key, value] : json.items()) {
    const std::string name = json.is_object() ? compact(key) + ": " : "";
    lines.push_back(deeper + name + pretty(value, deeper));
  }
  const char* brackets = json.is_object() ? "{}" : "[]";
  return fmt::format("{}\n{}\n{}{}", brackets[0], join(lines, ",\n"), indent, brackets[1]);
}

// 17.0 → 17: raw pixels are written as they are stored.
void write_whole_numbers(Json& array) {
  for (Json& item : array) {
    const double value = item.get<double>();
    if (std::abs(value) < 1e15 && value == std::floor(value)) item = static_cast<std::int64_t>(value);
  }
}

}  // namespace

std::string card_text(const Card& card) {
  Json json = to_json(card);
  if (card.test_vector) write_whole_numbers(json["test_vector"]["input"]);
  return pretty(json) + "\n";
}

}  // namespace vaetl::zoo
