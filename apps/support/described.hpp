// --model JSON: what a weights file of another program belongs to.
#pragma once
#include <optional>
#include <string>

#include "apps/support/program.hpp"
#include "vaetl/recipe/source.hpp"

namespace vaetl::apps {

Flag model_flag();

// What --model says of a MODEL argument: JSON, a file of it, or a bare name. None where it is not given.
std::optional<recipe::Description> told_of(const Arguments& arguments, const std::string& reference);

// The model behind a MODEL argument, as --model describes it where that is given.
Pretrained load_model(const Arguments& arguments, const std::string& reference);

}  // namespace vaetl::apps
