// The activations' ranges hold, and are as narrow as they are said to be.
#include "vaetl/nn/activation.hpp"

#include <ATen/ops/linspace.h>
#include <gtest/gtest.h>

namespace vaetl::testing::activation_test {
namespace {

TEST(Activation, StaysInItsRange) {
  for (const std::string_view name : nn::activations) {
    if (name.empty()) continue;
    SCOPED_TRACE(name);
    const nn::Activation activation{std::string(name)};
    const at::Tensor values = activation(at::linspace(-30, 30, 6001, at::kDouble));
    const double least = values.min().item<double>(), most = values.max().item<double>();
    const Range range = activation.range(), open;
    EXPECT_GE(least, range.low);
    EXPECT_LE(most, range.high);
    // A bound is near what is reached; without one values grow with what they are given.
    EXPECT_TRUE(range.low > open.low ? least - range.low < 0.02 : least < -0.25) << least;
    EXPECT_TRUE(range.high < open.high ? range.high - most < 0.02 : most > 25) << most;
  }
  const nn::Activation identity;
  EXPECT_EQ(identity.range().low, Range().low);
}

}  // namespace
}  // namespace vaetl::testing::activation_test
