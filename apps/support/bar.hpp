// A bar on stderr for work that tells how far it is.
#pragma once
#include <functional>
#include <string>

#include "apps/support/program.hpp"

namespace vaetl::apps {

// To be called with what is done of `total`; a terminal shows it, unless --quiet. It ends with the last copy.
std::function<void(std::int64_t)> bar_of(const Arguments& arguments, const std::string& label, std::int64_t total);

}  // namespace vaetl::apps
