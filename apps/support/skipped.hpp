// What reading leaves out, told on stderr: the first lines, then where to see them all.
#pragma once
#include "apps/support/program.hpp"
#include "vaetl/data/reader.hpp"

namespace vaetl::apps {

// --strict.
Flag strict_flag();

// Strict where --strict asks for it; otherwise one line an example left out, up to ten.
Reading reading_of(const Arguments& arguments);

// "left out: FILE:LINE: expected …, found …".
std::string left_out_line(const Problem& problem);

}  // namespace vaetl::apps
