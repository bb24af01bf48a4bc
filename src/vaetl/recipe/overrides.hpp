// Changes of a recipe by dotted paths.
#pragma once
#include <string>
#include <string_view>

#include "vaetl/core/json.hpp"

namespace vaetl::recipe {

// core's apply_override, with the optimizer's default name where a recipe leaves the optimizer out: so
// trainer.optimizer.lr=0.01 needs no more.
void apply(Json& recipe, std::string_view assignment);

// Sets `path`; null removes what is there.
void set_at(Json& recipe, const std::string& path, const Json& value);

}  // namespace vaetl::recipe
