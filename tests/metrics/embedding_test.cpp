// Maps of points against tests/parity/embedding.py, by scikit-learn.
#include "vaetl/metrics/embedding.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::testing::embedding_test {
namespace {

using metrics::principal_components;
using metrics::trustworthiness;
using metrics::tsne;

at::Tensor of_file(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/embedding.safetensors");
  return file.tensors.at(name);
}

TEST(Embedding, PrincipalComponentsAreThoseOfScikitLearn) {
  // float32 results of values up to 20.
  EXPECT_TRUE(at::allclose(principal_components(of_file("points"), 3).to(at::kDouble), of_file("components"), 0, 1e-5));
  EXPECT_TRUE(
      at::allclose(principal_components(of_file("wide"), 4).to(at::kDouble), of_file("wide.components"), 0, 1e-5));
}

TEST(Embedding, DirectionsThatAreNotThereAreZero) {
  const at::Tensor map = principal_components(at::tensor({1.0, 2.0, 4.0}).view({3, 1}), 2);
  EXPECT_TRUE(at::equal(map.select(1, 1), at::zeros({3})));
  EXPECT_TRUE(at::allclose(map.select(1, 0), at::tensor({-4.0f / 3, -1.0f / 3, 5.0f / 3}), 1e-6));
}

TEST(Embedding, TrustworthinessIsThatOfScikitLearn) {
  const at::Tensor points = of_file("points"), map = of_file("components").narrow(1, 0, 2);
  for (const std::int64_t k : {1, 5, 12}) {
    EXPECT_NEAR(trustworthiness(points, map, k), of_file(fmt::format("trustworthiness.{}", k)).item<double>(), 1e-9);
  }
  EXPECT_DOUBLE_EQ(trustworthiness(points, points, 5), 1);
  expect_error<DataError>([&] { trustworthiness(points, map, 60); }, {"k below half", "60 of 120"});
}

// KL(P ‖ Q) of a map, P as scikit-learn has it: what both descents minimise.
double divergence(const at::Tensor& map) {
  const std::int64_t count = map.size(0);
  const at::Tensor places = map.to(at::kDouble);
  const at::Tensor near = (1 + (places.unsqueeze(0) - places.unsqueeze(1)).square().sum(2)).reciprocal();
  const at::Tensor upper = at::triu_indices(count, count, 1, at::TensorOptions().dtype(at::kLong));
  const at::Tensor pairs = near.index({upper[0], upper[1]}), q = pairs / (2 * pairs.sum());
  const at::Tensor p = of_file("joint").clamp_min(1e-300);
  return 2 * (p * (p / q).log()).sum().item<double>();
}

TEST(Embedding, TsneFindsAsGoodAMapAsScikitLearn) {
  const at::Tensor map = tsne(of_file("points"), {.perplexity = 12});
  EXPECT_NEAR(divergence(of_file("map")), of_file("kl_divergence").item<double>(), 1e-3);
  EXPECT_LT(divergence(map), 1.03 * of_file("kl_divergence").item<double>());
  EXPECT_GT(trustworthiness(of_file("points"), map, 7), of_file("map.trustworthiness").item<double>() - 0.01);
  EXPECT_GT(divergence(principal_components(of_file("points"), 2)), 1.5 * divergence(map));
}

TEST(Embedding, TsneRepeats) {
  std::int64_t steps = 0;
  const at::Tensor map = tsne(of_file("points"), {.iterations = 300}, [&](std::int64_t step) { steps = step; });
  EXPECT_EQ(steps, 300);
  EXPECT_TRUE(at::equal(map, tsne(of_file("points"), {.iterations = 300})));
  EXPECT_TRUE(map.isfinite().all().item<bool>());
}

TEST(Embedding, PointsThatCoincideAndFewOfThem) {
  EXPECT_TRUE(tsne(at::zeros({10, 3})).isfinite().all().item<bool>());
  EXPECT_TRUE(tsne(of_file("points").slice(0, 0, 4)).isfinite().all().item<bool>());
}

TEST(Embedding, FieldsCover) { expect_fields_cover<metrics::TsneOptions>(); }

TEST(Embedding, Refusals) {
  expect_error<DataError>([] { tsne(at::zeros({3, 2})); }, {"t-SNE", "4 at least", "(3, 2)"});
  expect_error<DataError>([] { tsne(at::zeros({5001, 1})); }, {"at most 5000 points", "5001", "--count"});
  expect_error<DataError>([] { tsne(at::full({5, 2}, NAN)); }, {"finite values"});
  expect_error<ConfigError>([] { tsne(at::zeros({5, 2}), {.perplexity = 0}); }, {"tsne.perplexity"});
  expect_error<DataError>([] { principal_components(at::zeros({1, 2}), 2); }, {"2 at least"});
}

}  // namespace
}  // namespace vaetl::testing::embedding_test
