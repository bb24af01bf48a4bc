// --model JSON: what a weights file of another program belongs to.
#pragma once
#include <string>

#include "apps/support/program.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {

Flag model_flag();

// The model behind a MODEL argument, described by --model where that is given: JSON, a file of it, or a bare name.
Pretrained load_model(const Arguments& arguments, const std::string& reference);

}  // namespace vaetl::apps
