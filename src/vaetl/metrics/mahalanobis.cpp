#include "vaetl/metrics/mahalanobis.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"

namespace vaetl::metrics {
namespace {

constexpr std::int64_t distances_at_once = 4096;

at::Tensor finite_features(const at::Tensor& features) {
  if (features.dim() != 2 || features.size(0) < 2) {
    throw DataError(
        {"Mahalanobis distance", "features (N, F) of at least two examples", shape_text(features.sizes().vec()), {}});
  }
  const at::Tensor values = features.to(at::kCPU, at::kDouble);
  if (values.isfinite().all().item<bool>()) return values;
  throw DataError({"Mahalanobis distance", "finite features", "values that are not", "look at the model's outputs"});
}

// Σ^−½ of a positive definite matrix. What has no variance, to rounding, tells nothing: it is left out.
at::Tensor inverse_root(const at::Tensor& matrix) {
  const auto [values, vectors] = at::linalg_eigh(matrix);
  const double least = 1e-12 * values.max().item<double>();
  const at::Tensor factors = at::where(values > least, values.clamp_min(1e-300).rsqrt(), at::zeros_like(values));
  return vectors * factors;
}

}  // namespace

ShrunkCovariance shrunk_covariance(const at::Tensor& x) {
  const auto features = static_cast<double>(x.size(1)), count = static_cast<double>(x.size(0));
  const at::Tensor covariance = x.t().matmul(x) / count;
  const double scale = covariance.diagonal().sum().item<double>() / features;
  const double squares = covariance.square().sum().item<double>();
  const double distance = squares / features - scale * scale;  // of the covariance from scale · I
  const double fourth = x.square().sum(1).square().sum().item<double>();
  const double noise = std::min((fourth / count - squares) / (features * count), distance);
  const double share = noise > 0 && distance > 0 ? noise / distance : 0;
  at::Tensor shrunk = covariance * (1 - share);
  shrunk.diagonal().add_(share * scale);
  return {shrunk, share};
}

Mahalanobis::Mahalanobis(const at::Tensor& features, const at::Tensor& labels) {
  const at::Tensor values = finite_features(features);
  at::Tensor of = at::zeros({values.size(0)}, at::kLong);
  if (labels.defined()) of = std::get<1>(at::_unique2(labels.to(at::kCPU), /*sorted=*/true, /*return_inverse=*/true));
  const std::int64_t classes = of.max().item<std::int64_t>() + 1;
  const at::Tensor sums = at::zeros({classes, values.size(1)}, at::kDouble).index_add_(0, of, values);
  means_ = sums / at::bincount(of).unsqueeze(1);
  const ShrunkCovariance covariance = shrunk_covariance(values - means_.index_select(0, of));
  shrinkage_ = covariance.share;
  whitening_ = inverse_root(covariance.matrix);
}

at::Tensor Mahalanobis::distances(const at::Tensor& features) const {
  const at::Tensor white_means = means_.matmul(whitening_);
  std::vector<at::Tensor> parts = {at::empty({0}, at::kDouble)};
  for (const at::Tensor& part : features.to(at::kCPU).split(distances_at_once)) {
    const at::Tensor white = part.to(at::kDouble).matmul(whitening_);
    parts.push_back(at::cdist(white, white_means, 2, /*compute_mode=*/2).amin(1));
  }
  return at::cat(parts);
}

}  // namespace vaetl::metrics
