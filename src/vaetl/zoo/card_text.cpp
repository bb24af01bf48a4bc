#include "vaetl/core/text.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/zoo/card.hpp"
#include "vaetl/zoo/file_error.hpp"

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

// The first of its kind: the card's own key stands before all others that a card may have.
std::size_t digest_place(const std::string& text) {
  constexpr std::string_view key = "\"card_sha256\": \"";
  const auto found = text.find(key);
  return found == text.npos ? found : found + key.size();
}

}  // namespace

Json card_json(const Card& card) {
  Json json = to_json(card);
  json["format_version"] = card_format;
  if (card.test_vector) write_whole_numbers(json["test_vector"]["input"]);
  return json;
}

std::string card_text(const Card& card) {
  Json json = card_json(card);
  json["card_sha256"] = "";
  std::string text = pretty(json) + "\n";
  return text.insert(digest_place(text), sha256_hex(text));
}

void check_card_checksum(const std::string& text, const Card& card, const std::string& file) {
  const auto place = digest_place(text);
  const std::string told = place == text.npos ? "" : text.substr(place, card.card_sha256.size());
  const bool there = card.card_sha256.size() == 64 && told == card.card_sha256;
  std::string rest = text;
  if (there) rest.erase(place, told.size());
  const std::string found = sha256_hex(rest);
  if (there && found == told) return;
  throw FileError({file, "the card whose own checksum is " + (there ? told : "told in card_sha256"),
                   there ? "one of " + found : "none",
                   "it was damaged or edited: get it again, or write it anew with vaetl-zoo add"});
}

}  // namespace vaetl::zoo
