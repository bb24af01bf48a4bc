// How far features lie from those of known data: the Mahalanobis distance to the nearest of the class means, with one
// covariance for all classes (arXiv:1807.03888, equations 1 and 2; there the square, negated). Without classes there is
// one mean.
//
//   const metrics::Mahalanobis known(features, labels);      // of normal data
//   at::Tensor far = known.distances(other_features);
#pragma once
#include <ATen/core/Tensor.h>

namespace vaetl::metrics {

// The covariance of centred values x (N, F), float64, divided by N and drawn towards a multiple of the identity:
//   (1 − s) C + s tr(C) / F · I
// with s as Ledoit and Wolf estimate it (J. Multivariate Analysis 88, 2004). 0: no need, or no telling.
struct ShrunkCovariance {
  at::Tensor matrix;  // (F, F)
  double share;       // s
};
ShrunkCovariance shrunk_covariance(const at::Tensor& x);

class Mahalanobis {
 public:
  // Features (N, F), at least two; labels int64 (N), or undefined: no classes. DataError for fewer, and for features
  // that are not finite.
  explicit Mahalanobis(const at::Tensor& features, const at::Tensor& labels = {});
  at::Tensor distances(const at::Tensor& features) const;  // (M, F) → float64 (M) on the CPU
  std::int64_t means() const { return means_.size(0); }
  double shrinkage() const { return shrinkage_; }

 private:
  at::Tensor means_, whitening_;  // (K, F), (F, F): of features as they are multiplied
  double shrinkage_;
};

}  // namespace vaetl::metrics
