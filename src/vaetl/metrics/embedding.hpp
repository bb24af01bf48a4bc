// Points of many dimensions in few: for maps that people look at. Computed on the CPU, without random numbers: the same
// points and number of threads give the same map.
//
//   const at::Tensor map = metrics::tsne(features);                         // (N, 2)
//   const double kept = metrics::trustworthiness(features, map, 10);
#pragma once
#include <ATen/core/Tensor.h>

#include <functional>

#include "vaetl/core/config.hpp"

namespace vaetl::metrics {

// (N, F) → (N, d) float32: coordinates along the d directions of greatest variance, each with its largest weight
// positive; where there are fewer, zeros. DataError for less than 2 points, or values that are not finite.
at::Tensor principal_components(const at::Tensor& points, std::int64_t dimensions);

struct TsneOptions {
  double perplexity = 30;
  std::int64_t iterations = 750;
  static constexpr auto fields() {
    using T = TsneOptions;
    return std::tuple{
        field("perplexity", &T::perplexity, "neighbours that count; at most a third of the points", between(1, 1000)),
        field("iterations", &T::iterations, "steps of descent, 250 of them exaggerated", at_least(1))};
  }
};
constexpr std::int64_t most_tsne_points = 5000;

// t-SNE, exact: (N, F) → (N, 2) that minimise KL(P ‖ Q), p_ij = (p_j|i + p_i|j) / 2N from Gaussians of the given
// perplexity, q_ij ∝ (1 + ‖y_i − y_j‖²)⁻¹ (van der Maaten and Hinton, JMLR 9, 2008, equations 1, 4 and 5, with its
// momentum, gains and early exaggeration, 12-fold). Of more than 50 dimensions the first 50 principal components; it
// starts from the first two, scaled to a deviation of 10⁻⁴, at a rate of N / 48, 50 at least (Belkina et al., Nature
// Communications 10, 2019). At first three matrices of N² floats, then one. DataError for less than 4 points, more than
// 5000, values that are not finite. `progress` hears of every step.
at::Tensor tsne(const at::Tensor& points, const TsneOptions& options = {},
                const std::function<void(std::int64_t step)>& progress = {});

// How far neighbours in the map are neighbours among the points: 1 − 2 / (N k (2N − 3k − 1)) Σ_i Σ_j (r(i, j) − k),
// over the k nearest j of i in the map whose rank r(i, j) among the points exceeds k (Venna and Kaski, ICANN 2001). 1:
// all are. DataError unless 0 < k < N / 2.
double trustworthiness(const at::Tensor& points, const at::Tensor& map, std::int64_t k);

}  // namespace vaetl::metrics
