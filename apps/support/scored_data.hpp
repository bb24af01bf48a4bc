// What the programs share that run a trained model over data: --data, --split and --strict.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "apps/support/program.hpp"
#include "vaetl/data/dataset.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::apps {

// --data, --split, --strict, and then the program's own.
std::vector<Flag> data_flags(const std::vector<Flag>& own);

struct ScoredData {
  Dataset examples;
  std::string split;
  std::optional<Dataset> training = {};  // of the same set, where another split is scored
  std::int64_t left_out = 0;             // what reading the set told of
  Json about() const;                    // its name, split and number of examples
};

// The split that the arguments ask for; without --split the test split, or all there is where the set has no splits.
// The files are read as the model's training data were. ConfigError for no --data or another split; DataError for an
// empty one.
ScoredData scored_data(const Arguments& arguments, const Model& model);
// The same of another reference and split, which may be empty.
ScoredData scored_data(const Arguments& arguments, const Model& model, const std::string& reference,
                       const std::string& wanted);

}  // namespace vaetl::apps
