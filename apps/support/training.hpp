// What the programs that run a recipe share: vaetl-train and vaetl-transfer.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "apps/support/program.hpp"
#include "vaetl/recipe/recipe.hpp"

namespace vaetl::apps {

// --out, --device, --threads, --seed, --resume, --dry-run, --print-config.
std::vector<Flag> training_flags();

// The help's paragraph on recipes, overrides and topics.
std::string recipe_notes(const std::string& program);

// RECIPE and overrides as they stand among the positional arguments, in any order: an override has a "=" and no file of
// that name. A run folder stands for the recipe in it.
struct RecipeArguments {
  std::string recipe = {};  // empty: none
  std::vector<std::string> overrides = {};
};
RecipeArguments recipe_arguments(const Arguments& arguments);

// The run folder that the arguments and the recipe name.
std::filesystem::path run_folder(const recipe::Recipe& recipe, const Arguments& arguments);

// Prints the recipe, or plans, or trains and scores, as the arguments ask. How a transfer matched weights is told
// first.
Result run_recipe(const recipe::Recipe& recipe, const Arguments& arguments);

}  // namespace vaetl::apps
