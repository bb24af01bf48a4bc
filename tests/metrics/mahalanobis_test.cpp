// Against scikit-learn and SciPy: tests/parity/detect.py.
#include "vaetl/metrics/mahalanobis.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::testing::mahalanobis_test {
namespace {

at::Tensor distance_reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/detect.safetensors");
  return file.tensors.at(name);
}

TEST(Mahalanobis, EqualsScikitLearnAndSciPy) {
  const at::Tensor known = distance_reference("distances.known"), other = distance_reference("distances.other");
  for (const std::string name : {"plain", "classes"}) {
    SCOPED_TRACE(name);
    const bool classes = name == "classes";
    const metrics::Mahalanobis of(known, classes ? distance_reference("distances.labels") : at::Tensor());
    EXPECT_EQ(of.means(), classes ? 3 : 1);
    EXPECT_NEAR(of.shrinkage(), distance_reference(name + ".share").item<double>(), 1e-12);
    EXPECT_TRUE(at::allclose(of.distances(other), distance_reference(name + ".distances"), 1e-9));
  }
}

TEST(Mahalanobis, LabelsNeedNotBeginAtZero) {
  const at::Tensor known = distance_reference("distances.known"), labels = distance_reference("distances.labels");
  const at::Tensor other = distance_reference("distances.other");
  const metrics::Mahalanobis of(known, labels), same(known, 5 * labels + 2);
  EXPECT_TRUE(at::equal(of.distances(other), same.distances(other)));
}

// A feature that never changes, and fewer examples than features.
TEST(Mahalanobis, TakesFewExamplesAndConstantFeatures) {
  const at::Tensor known = distance_reference("distances.known").slice(0, 0, 4).clone();
  known.select(1, 2).fill_(7);
  const metrics::Mahalanobis of(known);
  EXPECT_TRUE(of.distances(distance_reference("distances.other")).isfinite().all().item<bool>());
  const metrics::Mahalanobis constant(at::ones({3, 2}));
  EXPECT_TRUE(at::equal(constant.distances(at::ones({2, 2})), at::zeros({2}, at::kDouble)));
  EXPECT_EQ(of.distances(at::empty({0, 6})).size(0), 0);
}

TEST(Mahalanobis, RefusesWhatTellsNothing) {
  expect_error<DataError>([] { metrics::Mahalanobis(at::ones({1, 3})); }, {"features (N, F) of at least two examples"});
  expect_error<DataError>([] { metrics::Mahalanobis(at::full({3, 2}, std::nan(""))); }, {"finite features"});
}

}  // namespace
}  // namespace vaetl::testing::mahalanobis_test
