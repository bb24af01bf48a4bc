// The slots of levels, by their masses: in order, each with one slot for itself and a part of the others. Internal to
// recipe.
#pragma once
#include <cstdint>

#include "vaetl/io/rans.hpp"

namespace vaetl::recipe {

class LevelShares {
 public:
  static constexpr int bits = 24;
  struct Found {
    std::uint32_t level;
    RansShare share;
  };

  // The masses of `levels` levels that sum to about 1. To the bit the same for the same numbers; whatever these are,
  // shares follow one another and fill all slots.
  LevelShares(const double* masses, std::uint32_t levels)
      : masses_(masses), levels_(levels), spread_((std::uint32_t{1} << bits) - levels) {}

  RansShare of(std::uint32_t level) const {
    double sum = 0;
    for (std::uint32_t k = 0; k < level; ++k) sum += masses_[k];
    const std::uint32_t start = below(level, sum);
    return {start, below(level + 1, sum + masses_[level]) - start};
  }

  Found at(std::uint32_t slot) const {
    double sum = 0;
    for (std::uint32_t k = 0, start = 0;; ++k) {
      sum += masses_[k];
      const std::uint32_t end = below(k + 1, sum);
      if (slot < end) return {k, {start, end - start}};
      start = end;
    }
  }

 private:
  // A comparison that fails for what is no number leaves all to the first.
  std::uint32_t below(std::uint32_t level, double sum) const {
    if (level == 0) return 0;
    const double slots = sum * spread_;
    return (level < levels_ && slots < spread_ ? static_cast<std::uint32_t>(slots) : spread_) + level;
  }

  const double* masses_;
  std::uint32_t levels_, spread_;
};

}  // namespace vaetl::recipe
