// Examples of unequal length become equal by zeros behind their ends; that must not take memory without bound.
#pragma once
#include <cstdint>
#include <string>

namespace vaetl::readers {

// DataError where `count` examples of `size` values each would be far more than the `total` values that there are: a
// single long example among many short ones.
void check_padding(const std::string& where, std::int64_t count, std::int64_t size, std::int64_t total);

}  // namespace vaetl::readers
