// What the results say to the training: a rate that falls when they stand still, and when to stop. Both are pure
// functions of the history, which a checkpoint holds, so that a resumed run decides as the uninterrupted one.
#pragma once
#include <cstdint>
#include <vector>

#include "vaetl/core/config.hpp"

namespace vaetl {

struct PlateauOptions {
  double factor = 0.1;
  std::int64_t patience = 3;
  double threshold = 1e-4;
  std::int64_t cooldown = 0;
  double floor = 0;
  static constexpr auto fields() {
    using P = PlateauOptions;
    return std::tuple{
        field("factor", &P::factor, "what is left of the rate after a fall", between(0, 1)),
        field("patience", &P::patience, "entries of the history without improvement before it falls", at_least(1)),
        field("threshold", &P::threshold, "share of the best value that counts as an improvement", at_least(0)),
        field("cooldown", &P::cooldown, "entries after a fall that are not counted", at_least(0)),
        field("floor", &P::floor, "lowest factor", between(0, 1))};
  }
};

// The factor on the learning rate after these values, one an entry. As torch.optim's ReduceLROnPlateau with a patience
// of one less, but for values below 0, whose improvement is measured by their size.
double plateau_factor(const PlateauOptions& options, const std::vector<double>& values, bool higher_is_better);

// How many of the last values came after the best one; what is not finite is no improvement.
std::int64_t entries_since_best(const std::vector<double>& values, bool higher_is_better);

}  // namespace vaetl
