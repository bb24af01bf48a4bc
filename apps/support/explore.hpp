// What vaetl-train does in place of a training: --profile N, --find-lr, --find-batch. A few steps; no run is written.
#pragma once
#include <vector>

#include "apps/support/program.hpp"
#include "vaetl/recipe/recipe.hpp"

namespace vaetl::apps {

std::vector<Flag> explore_flags();

// Whether one of them is asked for.
bool explores(const Arguments& arguments);

// ConfigError for more than one of them, or together with --resume, --dry-run or --print-config.
Result explore(const recipe::Recipe& recipe, const Arguments& arguments);

}  // namespace vaetl::apps
