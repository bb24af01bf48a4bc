#include "vaetl/zoo/card.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/zoo/file_error.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_card_bytes = std::size_t{16} << 20;
constexpr std::int64_t max_weights_bytes = std::int64_t{1} << 40, max_tensors = std::int64_t{1} << 20;

// Refuses a value of the card; the parts are of Problem.
struct Checker {
  const std::string& file;
  void require(bool good, const std::string& key, std::string expected, std::string found,
               std::string remedy = {}) const {
    if (!good) throw FileError({file + ": " + key, std::move(expected), std::move(found), std::move(remedy)});
  }
};

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// Separators, "..", hidden files, control characters: none of them.
bool is_plain_file_name(const std::string& name) { return is_entry_name(name); }

void check_version(const Json& json, const Checker& check) {
  check.require(json.is_object(), "card", "an object", json_type(json));
  const auto version = json.find("format_version");
  const bool known = version != json.end() && version->is_number_integer() && *version == card_format;
  check.require(known, "format_version", fmt::format("version {}", card_format),
                version == json.end() ? "none" : version->dump(),
                version != json.end() && version->is_number_integer() && *version > card_format
                    ? "a newer vaetl wrote this card: update"
                    : "");
}

void check_required(const Json& json, const Checker& check) {
  for (const char* key : {"name", "model", "weights"}) {
    check.require(json.contains(key), key, "a value", "none", "the card is not complete");
  }
}

void check_weights(const WeightsCard& w, const Checker& check) {
  check.require(is_plain_file_name(w.file), "weights.file", "the name of a file beside the card", quote(w.file),
                "a card cannot name files elsewhere");
  check.require(is_sha256(w.sha256), "weights.sha256", "64 hexadecimal digits", quote(w.sha256, 70));
  check.require(w.bytes > 0 && w.bytes <= max_weights_bytes, "weights.bytes", fmt::format("1 to {}", max_weights_bytes),
                std::to_string(w.bytes));
  check.require(w.tensors > 0 && w.tensors <= max_tensors, "weights.tensors", fmt::format("1 to {}", max_tensors),
                std::to_string(w.tensors));
}

// The number of values, −1 where a size is not positive or the product is absurd.
std::int64_t value_count(const std::vector<std::int64_t>& shape) {
  constexpr std::int64_t most = std::int64_t{1} << 31;
  std::int64_t count = 1;
  for (std::int64_t size : shape) {
    if (size <= 0 || size > most / count) return -1;
    count *= size;
  }
  return count;
}

void check_test_vector(const TestVector& v, const Checker& check) {
  const std::string count = fmt::format("{} values", v.input.size());
  check.require(!v.shape.empty() && value_count(v.shape) == static_cast<std::int64_t>(v.input.size()),
                "test_vector.input", "values of shape " + shape_text(v.shape), count);
  check.require(!v.output.empty(), "test_vector.output", "values", "none");
  const auto examples = static_cast<std::size_t>(v.shape[0]);
  check.require(v.condition.empty() || v.condition.size() == examples, "test_vector.condition",
                fmt::format("none, or {}, one for each example", examples), std::to_string(v.condition.size()));
}

void check_inputs(const Card& card, const Checker& check) {
  for (const auto& [name, info] : card.inputs) {
    std::vector<std::int64_t> least = info.shape;
    std::replace(least.begin(), least.end(), std::int64_t{-1}, std::int64_t{1});  // of any size
    check.require(value_count(least) > 0, "inputs." + name + ".shape", "positive sizes, or -1 for any",
                  shape_text(info.shape));
  }
}

Card checked(const Json& json, const std::string& file) {
  const Checker check{file};
  check_version(json, check);
  check_required(json, check);
  Card card = blame(file, [&] { return from_json<Card>(json); });
  check.require(is_entry_name(card.name), "name", "letters, digits, - _ and .", quote(card.name));
  check.require(card.preprocess.is_array(), "preprocess", "an array", json_type(card.preprocess));
  check.require(card.training.is_object(), "training", "an object", json_type(card.training));
  check_weights(card.weights, check);
  if (card.base) check_base(*card.base, file);
  check_inputs(card, check);
  if (card.test_vector) check_test_vector(*card.test_vector, check);
  return card;
}

}  // namespace

bool is_entry_name(std::string_view name) {
  constexpr std::string_view inside = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.size() <= 100 && name.find_first_not_of(inside) == name.npos && name.front() != '.' &&
         name.front() != '-';
}

void check_base(const BaseCard& base, const std::string& file) {
  const Checker check{file};
  check.require(is_entry_name(base.name), "base.name", "the name of a zoo entry", quote(base.name),
                "no card or weights can name files elsewhere");
  check.require(is_sha256(base.sha256), "base.sha256", "64 hexadecimal digits", quote(base.sha256, 70));
}

Card read_card(const fs::path& folder) {
  const std::string file = (folder / card_file).string();
  const std::string text = read_file(file, max_card_bytes);
  return checked(blame(file, [&] { return parse_json(text, {}); }), file);
}

Json card_schema() {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "The card of a vaetl zoo entry"}};
  schema.update(json_schema<Card>());
  schema["required"] = {"format_version", "name", "model", "weights"};
  schema["properties"]["format_version"]["maximum"] = card_format;
  auto& weights = schema["properties"]["weights"];
  weights["required"] = {"file", "sha256", "bytes", "tensors"};
  weights["properties"]["sha256"]["pattern"] = "^[0-9a-f]{64}$";
  schema["properties"]["base"]["required"] = {"name", "sha256"};
  schema["properties"]["base"]["properties"]["sha256"]["pattern"] = "^[0-9a-f]{64}$";
  weights["properties"]["file"]["pattern"] = "^[A-Za-z0-9_][A-Za-z0-9_.-]*$";
  return schema;
}

}  // namespace vaetl::zoo
