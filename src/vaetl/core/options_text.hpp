// Options as plain text for --help: one aligned line for each key, from the schema that json_schema<O>() makes.
#pragma once
#include <string>

#include "vaetl/core/json.hpp"

namespace vaetl {

// Key, type, default, range or choices, text. Nested options are listed by their dotted keys, those of an array's items
// as "heads[].classes":
//
//   beta     number  1.0     at least 0  weight of the KL term
//   epochs   integer 10      at least 1  passes over the data
std::string describe(const Json& schema);

}  // namespace vaetl
