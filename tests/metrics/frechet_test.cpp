#include "vaetl/metrics/frechet.hpp"

#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::testing::frechet_test {
namespace {

// What tests/parity/gan.py computed with PyTorch: by the eigenvalues of C C′, which is not symmetric, and pair by pair.
const at::Tensor& reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/gan.safetensors");
  return file.tensors.at("frechet/" + name);
}

TEST(Frechet, EqualsTheReference) {
  const double expected = reference("distance").item<double>();
  // √λ of eigenvalues that are off by 1e-15 of the largest, which is near 100: 1e-7 where λ is 0, and here none is.
  EXPECT_NEAR(metrics::frechet_distance(reference("a"), reference("b")), expected, 1e-9 * expected);
  EXPECT_NEAR(metrics::frechet_distance(reference("b"), reference("a")), expected, 1e-9 * expected);
}

TEST(Frechet, KnowsEqualsShiftsAndScales) {
  at::manual_seed(1);
  const at::Tensor x = at::randn({50, 4}, at::kDouble);
  EXPECT_NEAR(metrics::frechet_distance(x, x), 0, 1e-9);
  EXPECT_NEAR(metrics::frechet_distance(x, x + 3), 4 * 9, 1e-9);
  // (C^½ − (9 C)^½)² = 4 C, and the mean moves by twice itself.
  const double expected =
      4 * x.var(0, /*unbiased=*/true).sum().item<double>() + 4 * x.mean(0).square().sum().item<double>();
  EXPECT_NEAR(metrics::frechet_distance(x, 3 * x), expected, 1e-9);
  // Fewer examples than features: covariances without full rank.
  EXPECT_NEAR(metrics::frechet_distance(x.slice(0, 0, 3), x.slice(0, 0, 3) + 1), 4, 1e-6);
  EXPECT_NEAR(metrics::frechet_distance(x.to(at::kFloat), x.to(at::kFloat) + 3), 36, 1e-4);
}

TEST(Frechet, MeanDistanceEqualsTheReference) {
  EXPECT_NEAR(metrics::mean_distance(reference("a")), reference("spread").item<double>(), 1e-12);
  EXPECT_EQ(metrics::mean_distance(at::zeros({4, 3})), 0);
}

TEST(Frechet, SaysWhatDoesNotFit) {
  expect_error<DataError>(
      [] {
        metrics::frechet_distance(at::zeros({5, 3}), at::zeros({5, 4}));
      },
      {"Fréchet distance: expected features of one size, 3, found 4"});
  expect_error<DataError>(
      [] {
        metrics::frechet_distance(at::zeros({1, 3}), at::zeros({5, 3}));
      },
      {"Fréchet distance: expected features (N, F) of at least two examples, found (1, 3)"});
  expect_error<DataError>([] { metrics::mean_distance(at::zeros({3})); }, {"mean distance", "(N, F)", "(3)"});
}

}  // namespace
}  // namespace vaetl::testing::frechet_test
