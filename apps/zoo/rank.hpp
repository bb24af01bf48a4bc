// vaetl-zoo rank: which source would serve a task best.
#pragma once
#include <string>
#include <vector>

#include "apps/support/program.hpp"

namespace vaetl::apps {

Result rank_sources(const std::vector<std::string>& sources, const Arguments& arguments);
std::vector<Flag> rank_flags();
std::string rank_notes();  // the scores

}  // namespace vaetl::apps
