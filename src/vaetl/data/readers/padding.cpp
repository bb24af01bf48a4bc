#include "vaetl/data/readers/padding.hpp"

#include "vaetl/core/error.hpp"

namespace vaetl::readers {

void check_padding(const std::string& where, std::int64_t count, std::int64_t size, std::int64_t total) {
  constexpr std::int64_t harmless = std::int64_t{1} << 26, factor = 32;
  std::int64_t padded = 0;
  const bool overflow = __builtin_mul_overflow(count, size, &padded);
  if (!overflow && (padded <= harmless || padded / factor <= total)) return;
  throw DataError(
      {where,
       fmt::format("examples of {} values in all to stay below {} times that when they are padded", total, factor),
       fmt::format("{} examples, the longest of {} values", count, size), "give a shorter length, or cut the longest"});
}

}  // namespace vaetl::readers
