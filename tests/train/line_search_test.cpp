#include "vaetl/train/optimizers/line_search.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vaetl::testing::line_search_test {
namespace {

// A step into infinity, whose slope is not a number, is as if it were too high: the search comes back from it.
TEST(LineSearch, ComesBackFromInfinity) {
  const auto falling = [](double t) {
    const bool finite = t < 0.5;
    return optim::Trial{.t = t,
                        .loss = finite ? -t : std::numeric_limits<double>::infinity(),
                        .slope = finite ? -1 : std::numeric_limits<double>::quiet_NaN(),
                        .gradient = {}};
  };
  const optim::Found found =
      optim::strong_wolfe({.at = falling, .reach = 1}, {.t = 0, .loss = 0, .slope = -1, .gradient = {}}, 1);
  EXPECT_TRUE(std::isfinite(found.trial.t));
  EXPECT_GT(found.trial.t, 0);
  EXPECT_LT(found.trial.loss, 0);
}

}  // namespace
}  // namespace vaetl::testing::line_search_test
