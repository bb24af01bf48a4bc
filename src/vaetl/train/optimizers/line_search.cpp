#include "vaetl/train/optimizers/line_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace vaetl::optim {
namespace {

constexpr double wolfe_c1 = 1e-4, wolfe_c2 = 0.9;

using Bracket = std::array<Trial, 2>;

// The minimum in [low, high] of the cubic through both points with their slopes; the middle where it has none.
double cubic_minimum(const Trial& a, const Trial& b, double low, double high) {
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t), square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double least = a.t <= b.t ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
                                  : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return std::isfinite(least) ? std::min(std::max(least, low), high) : (low + high) / 2;
}

class Wolfe {
 public:
  Wolfe(const LineSearch& search, const Trial& start) : search_(search), start_(start) {}

  Found find(double t) {
    Trial found;
    Bracket bracket;
    if (expand(t, bracket, found)) return {found, done_ + 1};
    return {zoom(bracket), done_ + 1};
  }

 private:
  bool too_high(const Trial& trial) const { return trial.loss > start_.loss + wolfe_c1 * trial.t * start_.slope; }
  bool flat(const Trial& trial) const { return std::abs(trial.slope) <= -wolfe_c2 * start_.slope; }

  // true: `found` meets both conditions; otherwise such a point lies in the bracket, if evaluations are left.
  bool expand(double t, Bracket& bracket, Trial& found) {
    Trial before = start_;
    for (found = search_.at(t); done_ < search_.most; ++done_) {
      const bool rises = too_high(found) || (done_ > 1 && found.loss >= before.loss);
      if (!rises && flat(found)) return true;
      if (rises || found.slope >= 0) {
        bracket = {before, found};
        return false;
      }
      const double next = cubic_minimum(before, found, found.t + 0.01 * (found.t - before.t), found.t * 10);
      before = found;
      found = search_.at(next);
    }
    bracket = {start_, found};
    return false;
  }

  Trial zoom(Bracket& bracket) {
    std::size_t low = lower(bracket);
    while (done_ < search_.most && std::abs(bracket[1].t - bracket[0].t) * search_.reach >= search_.tolerance) {
      const Trial now = search_.at(inside(bracket));
      ++done_;
      if (!std::isfinite(now.loss) || too_high(now) || now.loss >= bracket[low].loss) {
        bracket[1 - low] = now;
        low = lower(bracket);
        continue;
      }
      const bool met = flat(now);
      if (!met && now.slope * (bracket[1 - low].t - bracket[low].t) >= 0) bracket[1 - low] = bracket[low];
      bracket[low] = now;
      if (met) break;
    }
    return bracket[low];
  }

  static std::size_t lower(const Bracket& bracket) { return bracket[0].loss <= bracket[1].loss ? 0 : 1; }

  // The next point, a tenth of the bracket away from its ends where the last ones made no progress.
  double inside(const Bracket& bracket) {
    const double low = std::min(bracket[0].t, bracket[1].t), high = std::max(bracket[0].t, bracket[1].t);
    const double t = cubic_minimum(bracket[0], bracket[1], low, high), margin = 0.1 * (high - low);
    const bool near_end = std::min(high - t, t - low) < margin;
    const bool move = near_end && (stuck_ || t >= high || t <= low);
    stuck_ = near_end && !move;
    if (!move) return t;
    return std::abs(t - high) < std::abs(t - low) ? high - margin : low + margin;
  }

  const LineSearch& search_;
  const Trial& start_;
  std::int64_t done_ = 0;  // evaluations after the first
  bool stuck_ = false;
};

}  // namespace

Found strong_wolfe(const LineSearch& search, const Trial& start, double t) { return Wolfe(search, start).find(t); }

}  // namespace vaetl::optim
