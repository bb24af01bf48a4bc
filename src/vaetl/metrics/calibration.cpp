#include "vaetl/metrics/calibration.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/metrics/weighted_mean.hpp"
#include "vaetl/nn/labels.hpp"

namespace vaetl::metrics {

void Ece::update(Pass& pass) {
  const at::Tensor& logits = pass.logits();
  const at::Tensor labels = class_labels(pass.fields().target(), logits.size(1), "metric ece");
  const auto [probability, predicted] = logits.to(at::kDouble).softmax(1).max(1);
  const at::Tensor weights = example_weights(pass.fields(), probability);
  // Bins are open below and closed above, as in the paper.
  const at::Tensor bin = (probability * options_.bins).ceil().sub(1).clamp(0, options_.bins - 1).to(at::kLong);
  const at::Tensor gap = predicted.eq(labels).to(at::kDouble) - probability;
  if (!sums_.defined()) sums_ = at::zeros({options_.bins, 2}, probability.options());
  sums_.index_add_(0, bin, at::stack({weights, weights * gap}, 1));
}

double Ece::result() const {
  const double count = sums_.defined() ? sums_.select(1, 0).sum().item<double>() : 0;
  if (count > 0) return sums_.select(1, 1).abs().sum().item<double>() / count;
  throw DataError({"metric ece", "at least one example with a weight above 0", "none", {}});
}

}  // namespace vaetl::metrics
