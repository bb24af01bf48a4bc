// What a transfer starts from: a zoo entry, a run's model, a weights file.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "vaetl/nn/state.hpp"

namespace vaetl::recipe {

struct Source {
  std::string from, sha256;      // as the recipe has it; of the weights file
  std::shared_ptr<Model> model;  // null: a file that carries no description
  Weights weights;
  Json preprocess;  // null: not told
};

// The weights file behind a source; it is found without loading anything.
std::filesystem::path source_file(const std::string& from);
Source load_source(const std::string& from);

}  // namespace vaetl::recipe
