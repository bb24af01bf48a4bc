// The checks of an entry, in their order. load() stops at the first that fails, verify() tells of all.
#pragma once
#include <array>
#include <filesystem>
#include <string>

#include "vaetl/io/safetensors.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::zoo {

struct Entry {
  std::filesystem::path folder;
  Card card = {};
  TensorFile weights = {};
  std::shared_ptr<Model> model = {};
};

struct EntryCheck {
  const char* name;
  std::string (*run)(Entry& entry);  // what was found; FileError where it is wrong
  bool to_load = true;               // false: of what nobody needs who only wants the model
};
extern const std::array<EntryCheck, 10> entry_checks;

Entry open_entry(const std::filesystem::path& folder);   // those that loading needs
Entry check_entry(const std::filesystem::path& folder);  // all of them

bool same_json(const Json& a, const Json& b);  // whatever the order of the keys

// The keys of model.safetensors' metadata that make a weights file tell what it is.
constexpr const char* metadata_model = "vaetl.model";
constexpr const char* metadata_preprocess = "vaetl.preprocess";
constexpr const char* metadata_classes = "vaetl.classes";
constexpr const char* metadata_base = "vaetl.base";

}  // namespace vaetl::zoo
