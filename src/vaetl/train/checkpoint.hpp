// A checkpoint is a folder, complete or absent: model, averaged weights where there are any, objective and one
// optimiser an update as safetensors, and state.json (step, best, unfinished sums, history, options).
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "vaetl/core/json.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/train/optimizer.hpp"

namespace vaetl {

struct Trained {
  Model& model;
  Objective& objective;
  std::vector<std::string> updates;
  std::vector<std::shared_ptr<Optimizer>> optimizers;  // one an update
  Model* averaged = nullptr;                           // null: none
};

void save_checkpoint(const std::filesystem::path& folder, const Trained& trained, Json state);
// Puts everything back and returns the state. FileError: not a checkpoint, of another model, of another format version.
Json load_checkpoint(const std::filesystem::path& folder, const Trained& trained);

bool has_checkpoint(const std::filesystem::path& folder);

}  // namespace vaetl
