// A recipe's names as things, checked against each other, ready to be trained. Internal to recipe.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/objectives/objective.hpp"
#include "vaetl/recipe/data.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::recipe {

struct Prepared {
  TrainerOptions trainer;
  Data data;
  std::shared_ptr<Model> model;
  Tuning tuning;
  std::shared_ptr<Objective> objective;
  std::vector<std::string> validation_metrics;
  std::string from, from_sha256;      // empty without a transfer
  std::optional<AdaptReport> report;  // of the weights' matching
  std::optional<ProbeOptions> solve_head = {};
  Json head = {};  // what was solved; null: nothing was
};

Prepared prepare(const Recipe& recipe, const RunSettings& settings);

}  // namespace vaetl::recipe
