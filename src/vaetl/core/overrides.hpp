// Overrides from a command line: "trainer.epochs=3", "transfer.heads.0.classes=5", "objective=cross_entropy".
#pragma once
#include <string_view>

#include "vaetl/core/json.hpp"

namespace vaetl {

// Sets one value of a recipe. The value is JSON where it parses as such, else a string. A number in the path is an
// index where the recipe has an array. What is absent on the way is created, and a bare name becomes an object:
//   {"objective": "elbo"} and objective.beta=4 give {"objective": {"name": "elbo", "beta": 4}}.
// ConfigError: no "=", an empty part, an index outside of the array, a path through a number. The recipe is then
// unchanged.
void apply_override(Json& recipe, std::string_view assignment);

}  // namespace vaetl
