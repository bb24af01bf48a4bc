#include "vaetl/train/plateau.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace vaetl {
namespace {

bool improves_on(double value, const std::optional<double>& best, double margin, bool higher_is_better) {
  if (!std::isfinite(value)) return false;
  if (!best) return true;
  return higher_is_better ? value > *best + margin : value < *best - margin;
}

}  // namespace

double plateau_factor(const PlateauOptions& options, const std::vector<double>& values, bool higher_is_better) {
  double factor = 1;
  std::optional<double> best;
  std::int64_t waited = 0, cooling = 0;
  for (const double value : values) {
    ++waited;
    if (improves_on(value, best, options.threshold * std::abs(best.value_or(0)), higher_is_better)) {
      best = value;
      waited = 0;
    }
    if (cooling > 0) {
      --cooling;
      waited = 0;
    }
    if (waited < options.patience) continue;
    factor = std::max(factor * options.factor, options.floor);
    cooling = options.cooldown;
    waited = 0;
  }
  return factor;
}

std::int64_t entries_since_best(const std::vector<double>& values, bool higher_is_better) {
  std::optional<double> best;
  std::int64_t waited = 0;
  for (const double value : values) {
    ++waited;
    if (!improves_on(value, best, 0, higher_is_better)) continue;
    best = value;
    waited = 0;
  }
  return waited;
}

}  // namespace vaetl
