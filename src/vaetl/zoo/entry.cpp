#include "vaetl/zoo/entry.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/zoo/base.hpp"
#include "vaetl/zoo/compute.hpp"
#include "vaetl/zoo/file_error.hpp"
#include "vaetl/zoo/test_vector.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

std::string card_path(const Entry& entry) { return (entry.folder / card_file).string(); }
fs::path weights_path(const Entry& entry) { return entry.folder / entry.card.weights.file; }

constexpr const char* damaged = "the file is damaged or was exchanged: get it again";
constexpr const char* edited = "the card was edited: it must describe the weights beside it";

std::string check_card(Entry& entry) {
  entry.card = read_card(entry.folder);
  return fmt::format("{} {}, format version {}", entry.card.name, entry.card.version, entry.card.format_version);
}

void check_bytes(const fs::path& file, std::int64_t bytes) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  const std::string expected = fmt::format("{} bytes", bytes);
  if (error) throw FileError({file.string(), expected, "no such file", damaged});
  if (size == static_cast<std::uintmax_t>(bytes)) return;
  throw FileError({file.string(), expected, fmt::format("{} bytes", size), damaged});
}

void check_sha256(const fs::path& file, const std::string& sha256) {
  const std::string found = sha256_file(file);
  if (found != sha256) throw FileError({file.string(), "sha256 " + sha256, found, damaged});
}

std::string check_size(Entry& entry) {
  check_bytes(file_of(entry.folder, entry.card.weights.file, card_path(entry) + ": weights.file"),
              entry.card.weights.bytes);
  return thousands(entry.card.weights.bytes) + " bytes";
}

std::string check_checksum(Entry& entry) {
  check_sha256(weights_path(entry), entry.card.weights.sha256);
  return "sha256 " + entry.card.weights.sha256.substr(0, 16) + "…";
}

std::string check_tensors(Entry& entry) {
  entry.weights = read_safetensors(weights_path(entry));
  const auto count = static_cast<std::int64_t>(entry.weights.tensors.size());
  if (count == entry.card.weights.tensors) return fmt::format("{} tensors", count);
  throw FileError({card_path(entry) + ": weights.tensors", fmt::format("{}, as in the file", count),
                   std::to_string(entry.card.weights.tensors), edited});
}

// The checksum vouches for the metadata of the weights; so the card's word is held against it.
void compare_with_metadata(const Entry& entry, const char* key, const char* name, const Json& value) {
  const auto found = entry.weights.metadata.find(key);
  if (found == entry.weights.metadata.end()) return;
  const Json told = blame(weights_path(entry).string(), [&] { return parse_json(found->second, key); });
  if (same_json(told, value)) return;
  throw FileError({card_path(entry) + ": " + name, quote(told.dump(), 200) + ", as in the weights",
                   quote(value.dump(), 200), edited});
}

template <class T>
void compare_with_model(const Entry& entry, const char* name, const T& told, const T& found) {
  const Json have = Codec<T>::write(told), want = Codec<T>::write(found);
  if (same_json(have, want)) return;
  throw FileError({card_path(entry) + ": " + name, want.dump() + ", as the model has", have.dump(), edited});
}

// What a card of format version 1 tells of them: no names of sizes, no layout, no noise.
TensorCards as_version_1(TensorCards tensors, const Model& model) {
  const auto known = model.signature().inputs;
  std::erase_if(tensors, [&](const auto& item) { return !known.contains(item.first); });
  for (auto& [name, tensor] : tensors) {
    tensor.layout.clear();
    for (Dimension& size : tensor.shape) {
      if (!size.name.empty() && &size != &tensor.shape.front()) size.name = "any";
    }
  }
  return tensors;
}

void check_tensors_told(const Entry& entry) {
  const bool old = entry.card.format_version == 1;
  const TensorCards inputs = inputs_of(*entry.model);
  compare_with_model(entry, "inputs", entry.card.inputs, old ? as_version_1(inputs, *entry.model) : inputs);
  if (!old) compare_with_model(entry, "outputs", entry.card.outputs, outputs_of(*entry.model, entry.card.classes));
}

void check_classes(const Entry& entry) {
  if (entry.card.classes.empty()) return;
  const auto* classifier = dynamic_cast<const Classifier*>(entry.model.get());
  const std::int64_t classes = classifier ? classifier->classes() : 0;
  if (classes == static_cast<std::int64_t>(entry.card.classes.size())) return;
  throw FileError({card_path(entry) + ": classes", fmt::format("{} names, one for each class of the model", classes),
                   std::to_string(entry.card.classes.size()), edited});
}

std::string check_description(Entry& entry) {
  const Card& card = entry.card;
  compare_with_metadata(entry, metadata_model, "model", Codec<ModelSpec>::write(card.model));
  compare_with_metadata(entry, metadata_classes, "classes", card.classes);
  compare_with_metadata(entry, metadata_base, "base", Codec<std::optional<BaseCard>>::write(card.base));
  entry.model = blame(card_path(entry), [&] { return build(card.model); });
  check_classes(entry);
  std::vector<std::string> groups;
  for (const LayerGroup& group : entry.model->groups()) groups.push_back(group.name);
  compare_with_model(entry, "groups", card.groups, groups);
  compare_with_model(entry, "capabilities", card.capabilities, capabilities(*entry.model));
  check_tensors_told(entry);
  compare_with_model(entry, "weights.parameters", card.weights.parameters, parameter_count(*entry.model));
  return fmt::format("{}, {} parameters", card.model.name, thousands(card.weights.parameters));
}

std::string check_weights(Entry& entry) {
  std::string told = "every name and shape is the model's";
  if (entry.card.base) {
    const auto added = add_base(entry.weights.tensors, *entry.model, *entry.card.base, entry.folder, card_path(entry));
    told += fmt::format(", {} of {} tensors from {}", added, entry.weights.tensors.size(), entry.card.base->name);
  }
  load_strict(*entry.model, entry.weights.tensors, weights_path(entry).string());
  entry.model->eval();
  return told;
}

std::string check_preprocess(Entry& entry) {
  compare_with_metadata(entry, metadata_preprocess, "preprocess", entry.card.preprocess);
  blame(card_path(entry), [&] { return Preprocess::from_json(entry.card.preprocess); });
  entry.model->set_preprocess(entry.card.preprocess);
  std::vector<std::string> names;
  for (const Json& step : entry.card.preprocess)
    names.push_back((step.is_string() ? step : step.at("name")).get<std::string>());
  return names.empty() ? "none: raw input is what the model expects" : join(names);
}

double largest_difference(const Entry& entry, const TestVector& vector) {
  const at::Tensor expected = at::tensor(vector.output, at::kDouble);
  const at::Tensor found = compute_test_vector(entry.model, vector).to(at::kDouble).flatten();
  if (found.numel() == expected.numel()) return (found - expected).abs().max().item<double>();
  throw FileError({card_path(entry) + ": test_vector.output", fmt::format("{} values", found.numel()),
                   std::to_string(expected.numel()), edited});
}

std::string check_test_vector(Entry& entry) {
  if (!entry.card.test_vector) return "the card has none";
  const TestVector& vector = *entry.card.test_vector;
  const std::string where = card_path(entry) + ": test_vector";
  const std::string of = output_of(*entry.model);
  if (vector.of != of) throw FileError({where + ".of", of, vector.of, edited});
  const double difference = blame(where, [&] { return largest_difference(entry, vector); });
  const std::string text = fmt::format("{:.2g}", difference);
  if (difference <= vector.tolerance) return fmt::format("differs by {}, tolerance {:.2g}", text, vector.tolerance);
  throw FileError({where, fmt::format("{} within {:.2g} of the card's", of, vector.tolerance),
                   "a difference of " + text, "card, weights and this build do not compute the same"});
}

std::string check_by_schema(Entry& entry) {
  const std::string file = card_path(entry);
  check_schema(blame(file, [&] { return parse_json(read_file(file), {}); }), file);
  return "every key and value is of the kind that zoo/model.schema.json describes";
}

// The weights have checks of their own.
std::string check_files(Entry& entry) {
  const Card& card = entry.card;
  if (card.format_version == 1) return "a card of format version 1 names no others";
  std::vector<std::string> names = {card_file};
  check_card_checksum(read_file(card_path(entry)), card, card_path(entry));
  for (const auto& [name, told] : card.files) {
    const fs::path file = file_of(entry.folder, name, card_path(entry) + ": files");
    check_bytes(file, told.bytes);
    check_sha256(file, told.sha256);
    names.push_back(name);
  }
  return join(names) + " as they were written";
}

Entry checked_entry(const fs::path& folder, bool all) {
  Entry entry{folder};
  for (const EntryCheck& check : entry_checks) {
    if (all || check.to_load) check.run(entry);
  }
  return entry;
}

}  // namespace

const std::array<EntryCheck, 10> entry_checks{{{"card", check_card},
                                               {"size", check_size},
                                               {"checksum", check_checksum},
                                               {"tensors", check_tensors},
                                               {"description", check_description},
                                               {"weights", check_weights},
                                               {"preprocessing", check_preprocess},
                                               {"test vector", check_test_vector},
                                               {"schema", check_by_schema, false},
                                               {"files", check_files, false}}};

bool same_json(const Json& a, const Json& b) { return nlohmann::json(a) == nlohmann::json(b); }

Entry open_entry(const fs::path& folder) { return checked_entry(folder, false); }
Entry check_entry(const fs::path& folder) { return checked_entry(folder, true); }

}  // namespace vaetl::zoo
