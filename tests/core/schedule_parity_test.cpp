// Curves against torch.optim.lr_scheduler (tests/parity/schedules.py).
#include <gtest/gtest.h>

#include "vaetl/core/schedule.hpp"

namespace vaetl::schedule_parity_test {
namespace {

// PyTorch multiplies its way from step to step: a rounding of 1.1e-16 each, over 90 steps, of values of at most 1.
constexpr double tolerance = 90 * 2.2e-16;

TEST(ScheduleParity, CurvesEqualPyTorch) {
  const Json reference = read_json("tests/parity/schedules.json");
  const Span span{reference["steps"].get<double>(), reference["epoch"].get<double>()};
  ASSERT_EQ(reference["curves"].size(), 17u);
  for (const Json& each : reference["curves"]) {
    Schedule schedule;
    Codec<Schedule>::read(each["curve"], "curve", schedule, {});
    for (std::size_t i = 0; i < each["steps"].size(); ++i) {
      const double step = each["steps"][i].get<double>();
      ASSERT_NEAR(schedule.at(step / span.steps, span), each["rates"][i].get<double>(), tolerance)
          << each["curve"].dump() << " at step " << step;
    }
  }
}

}  // namespace
}  // namespace vaetl::schedule_parity_test
