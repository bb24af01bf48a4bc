// The head that a transfer solves before it trains. Internal to recipe.
#pragma once
#include <filesystem>

#include "vaetl/recipe/prepare.hpp"

namespace vaetl::recipe {

inline constexpr const char* head_file = "head.json";  // in a run folder: what was solved

// Sets the model's head where the recipe asks for it, and returns what was chosen; null where it does not. A run that
// goes on from a checkpoint has its weights there: then nothing is solved, and the folder tells what was.
Json solve_first(const Recipe& recipe, Prepared& prepared, const RunSettings& settings);

}  // namespace vaetl::recipe
