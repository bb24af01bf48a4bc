// What a transfer starts from: a zoo entry, a run's model, a weights file; and weights of other programs.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "vaetl/nn/state.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::recipe {

struct Source {
  std::string from, sha256;      // as the recipe has it; of the weights file
  std::shared_ptr<Model> model;  // null: a file that carries no description
  Weights weights;
  Json preprocess;                        // null: not told
  std::vector<std::string> order = {};    // of the weights, as their model defines them; empty: not told
  std::vector<std::string> classes = {};  // names; empty: not told
};

// The weights file behind a source; it is found without loading anything.
std::filesystem::path source_file(const std::string& from);
Source load_source(const std::string& from);

// Load rules that go by the names of rows and have none get the source's classes and those of the data.
void name_rows(std::vector<LoadRule>& rules, const Source& source, const std::vector<std::string>& classes);

// What a weights file that carries no description, safetensors or PyTorch's, belongs to: the model's spec, or {"model":
// spec, "preprocess": [fitted specs, as in a card], "load": [{"from": name in the file, "to": name in the model}]}.
// Without preprocessing the standard mapping holds.
struct Description {
  ModelSpec model = {};
  Json preprocess = {};             // null: not told
  std::vector<LoadRule> load = {};  // other names
  static constexpr auto fields() {
    using D = Description;
    return std::tuple{field("model", &D::model, "the architecture and its options"),
                      field("preprocess", &D::preprocess, "fitted preprocessing, as a card has it"),
                      field("load", &D::load, "rules from the file's names to the model's: from, to")};
  }
};
// ConfigError: a description that means nothing, or of what has one.
Description describe(const std::string& reference, const Json& description);
// The model of a weights file that is described so. FileError: names or shapes of another model.
Pretrained load_described(const std::string& reference, const Json& description);

}  // namespace vaetl::recipe
