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

// What a folder will hold, copied to the host, so that it is written while training goes on.
struct Snapshot {
  std::map<std::string, Weights> tensors = {};    // by file
  std::map<std::string, std::string> texts = {};  // by file
};

Weights copy_to_host(const Weights& weights);
Snapshot take_snapshot(const Trained& trained, Json state);
void write_snapshot(const std::filesystem::path& folder, const Snapshot& snapshot);

// Puts everything back and returns the state. FileError: not a checkpoint, of another model, of a newer format.
Json load_checkpoint(const std::filesystem::path& folder, const Trained& trained);

bool has_checkpoint(const std::filesystem::path& folder);

// Has `last` also as step-N beside it, and of all such folders the `keep` newest alone.
void keep_numbered(const std::filesystem::path& last, std::int64_t step, std::int64_t keep);

// Removes what writers that were killed left unfinished in a folder of checkpoints.
void remove_unfinished(const std::filesystem::path& folder);

}  // namespace vaetl
