#include "vaetl/zoo/card.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sha256.hpp"
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
  const bool whole = version != json.end() && version->is_number_integer();
  const bool known = whole && *version >= 1 && *version <= card_format;
  check.require(known, "format_version", fmt::format("version 1 to {}", card_format),
                version == json.end() ? "none" : version->dump(),
                whole && *version > card_format ? "a newer vaetl wrote this card: update" : "");
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
  const auto told = static_cast<std::int64_t>(v.input.size()), count = v.shape.empty() ? -1 : value_count(v.shape);
  const bool repeats = told == most_told_values && count > told && count <= most_input_values;
  check.require(told == count || repeats, "test_vector.input", "values of shape " + shape_text(v.shape),
                fmt::format("{} values", told));
  check.require(!v.output.empty(), "test_vector.output", "values", "none");
  const auto examples = static_cast<std::size_t>(v.shape[0]);
  check.require(v.condition.empty() || v.condition.size() == examples, "test_vector.condition",
                fmt::format("none, or {}, one for each example", examples), std::to_string(v.condition.size()));
}

void check_tensors(const TensorCards& tensors, const std::string& key, const Checker& check) {
  for (const auto& [name, tensor] : tensors) {
    std::vector<std::int64_t> least;
    for (const Dimension& size : tensor.shape) least.push_back(size.name.empty() ? size.size : 1);
    check.require(value_count(least) > 0, key + "." + name + ".shape", "positive sizes of at most 2^31 values",
                  to_text(tensor));
  }
}

void check_files(const Card& card, const Checker& check) {
  for (const auto& [name, file] : card.files) {
    check.require(is_plain_file_name(name) && name != card_file && name != card.weights.file, "files",
                  "names of other files beside the card", quote(name), "a card cannot name files elsewhere");
    check.require(is_sha256(file.sha256), "files." + name + ".sha256", "64 hexadecimal digits", quote(file.sha256, 70));
  }
}

void check_metrics(const Card& card, const Checker& check) {
  for (const auto& [name, metric] : card.metrics) {
    if (!metric.interval) continue;
    check.require(metric.interval->low <= metric.value && metric.value <= metric.interval->high,
                  "metrics." + name + ".interval", fmt::format("one with {} in it", metric.value),
                  fmt::format("{} to {}", metric.interval->low, metric.interval->high));
  }
}

Card checked(const Json& json, const std::string& file) {
  const Checker check{file};
  check_version(json, check);
  check_required(json, check);
  Card card = blame(file, [&] { return from_json<Card>(upgraded_card(json)); });
  check.require(is_entry_name(card.name), "name", "letters, digits, - _ and .", quote(card.name));
  check.require(card.preprocess.is_array(), "preprocess", "an array", json_type(card.preprocess));
  check.require(card.training.is_object(), "training", "an object", json_type(card.training));
  check_weights(card.weights, check);
  if (card.base) check_base(*card.base, file);
  check_tensors(card.inputs, "inputs", check);
  check_tensors(card.outputs, "outputs", check);
  check_files(card, check);
  check_metrics(card, check);
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

fs::path file_of(const fs::path& folder, const std::string& name, const std::string& where) {
  if (!is_plain_file_name(name)) {
    throw FileError({where, "the name of a file beside the card", quote(name), "a card cannot name files elsewhere"});
  }
  std::error_code error;
  const fs::path file = folder / name, real = fs::canonical(file, error), inside = fs::canonical(folder, error);
  const bool regular = !error && fs::is_regular_file(real, error);
  if (!regular) throw FileError({file.string(), "a file of the entry", "no such file", "get the entry again"});
  if (real.parent_path() == inside) return file;
  throw FileError(
      {file.string(), "a file in the entry's folder", "a link to " + real.string(), "put the file itself there"});
}

Card read_card(const fs::path& folder) {
  const std::string file = (folder / card_file).string();
  std::error_code ignored;
  if (fs::is_symlink(folder / card_file, ignored)) file_of(folder, card_file, file);
  const std::string text = read_file(file, max_card_bytes);
  return checked(blame(file, [&] { return parse_json(text, {}); }), file);
}

}  // namespace vaetl::zoo
