// How far two sets of features lie apart, and how far the members of one.
#pragma once
#include <ATen/core/Tensor.h>

namespace vaetl::metrics {

// The Fréchet distance between the Gaussians of two sets of features, (N, F) and (M, F), at least two each:
//   ‖m − m′‖² + tr(C + C′ − 2 (C C′)^½)
// arXiv:1706.08500, equation 6. Covariances are divided by N − 1; tr (C C′)^½ = tr (C^½ C′ C^½)^½, of symmetric
// matrices, in float64. The estimate grows as N falls, so only distances over equally many examples compare. DataError
// for other shapes.
double frechet_distance(const at::Tensor& a, const at::Tensor& b);

// The mean Euclidean distance between two different members of (N, F): 0 where they are all alike. DataError for fewer
// than two.
double mean_distance(const at::Tensor& features);

}  // namespace vaetl::metrics
