#include "vaetl/metrics/frechet.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"

namespace vaetl::metrics {
namespace {

at::Tensor checked_features(const at::Tensor& features, const char* by) {
  if (features.dim() == 2 && features.size(0) >= 2) return features.to(at::kCPU, at::kDouble);
  throw DataError({by, "features (N, F) of at least two examples", shape_text(features.sizes().vec()), {}});
}

at::Tensor covariance(const at::Tensor& features) {
  const at::Tensor centred = features - features.mean(0, /*keepdim=*/true);
  return centred.t().matmul(centred) / (features.size(0) - 1);
}

// C^½ of a positive semidefinite matrix; rounding may leave an eigenvalue just below 0.
at::Tensor symmetric_root(const at::Tensor& matrix) {
  const auto [values, vectors] = at::linalg_eigh(matrix);
  return (vectors * values.clamp_min(0).sqrt()).matmul(vectors.t());
}

}  // namespace

double frechet_distance(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = checked_features(a, "Fréchet distance"), y = checked_features(b, "Fréchet distance");
  if (x.size(1) != y.size(1)) {
    throw DataError({"Fréchet distance", fmt::format("features of one size, {}", x.size(1)), std::to_string(y.size(1)),
                     "compare features of one model"});
  }
  const at::Tensor first = covariance(x), second = covariance(y), root = symmetric_root(first);
  const at::Tensor product = root.matmul(second).matmul(root);
  const at::Tensor joint = at::linalg_eigvalsh(0.5 * (product + product.t())).clamp_min(0).sqrt().sum();
  return ((x.mean(0) - y.mean(0)).square().sum() + first.trace() + second.trace() - 2 * joint).item<double>();
}

double mean_distance(const at::Tensor& features) {
  return at::pdist(checked_features(features, "mean distance")).mean().item<double>();
}

}  // namespace vaetl::metrics
