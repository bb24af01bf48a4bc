#include "vaetl/metrics/auroc.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/metrics/weighted_mean.hpp"
#include "vaetl/nn/labels.hpp"

namespace vaetl::metrics {
namespace {

constexpr double normal_95 = 1.959963984540054;  // N(0, 1) lies between −this and this with 95 %
constexpr const char* auroc = "metric auroc";

// For each positive the share of negatives below it, for each negative the share of positives above it; equal scores
// count half. In the order of the examples, weighted.
struct Placements {
  at::Tensor of_each;                 // float64 (N)
  double positive = 0, negative = 0;  // total weights
};

Placements placements(const at::Tensor& scores, const at::Tensor& positive, const at::Tensor& weights) {
  const auto [levels, level, counts] = at::_unique2(scores, /*sorted=*/true, /*return_inverse=*/true);
  const auto by_level = [&](const at::Tensor& values) {
    return at::zeros({levels.size(0)}, at::kDouble).index_add_(0, level, values);
  };
  const at::Tensor positives = by_level(weights * positive), negatives = by_level(weights * positive.logical_not());
  const at::Tensor below = negatives.cumsum(0) - 0.5 * negatives;
  const at::Tensor above = positives.sum() - (positives.cumsum(0) - 0.5 * positives);
  const double p = positives.sum().item<double>(), n = negatives.sum().item<double>();
  if (!(p > 0) || !(n > 0)) {
    throw DataError({auroc, "positive and negative examples", p > 0 ? "no negative one" : "no positive one",
                     "leave it out, or score data of both kinds"});
  }
  return {at::where(positive, (below / n).index_select(0, level), (above / p).index_select(0, level)), p, n};
}

void check_scores(const at::Tensor& scores) {
  if (!scores.isnan().any().item<bool>()) return;
  throw DataError({auroc, "scores that are numbers", "values that are not", "look at the model's outputs"});
}

}  // namespace

double weighted_area(const at::Tensor& scores, const at::Tensor& positive, const at::Tensor& weights) {
  check_scores(scores);
  const at::Tensor w = weights.to(at::kDouble);
  const Placements found = placements(scores, positive, w);
  return ((found.of_each * w).masked_select(positive).sum() / found.positive).item<double>();
}

// The variance is that of the placements' means; a single example of a kind tells nothing of its own, and adds nothing.
AreaUnderCurve area_under_curve(const at::Tensor& scores, const at::Tensor& positive) {
  check_scores(scores);
  const Placements found = placements(scores, positive, at::ones({scores.size(0)}, at::kDouble));
  double variance = 0;
  for (const at::Tensor& kind : {positive, positive.logical_not()}) {
    const at::Tensor values = found.of_each.masked_select(kind);
    if (values.size(0) > 1) variance += values.var().item<double>() / static_cast<double>(values.size(0));
  }
  const double value = found.of_each.masked_select(positive).mean().item<double>();
  const double margin = normal_95 * std::sqrt(variance);
  return {value, std::max(0.0, value - margin), std::min(1.0, value + margin)};
}

void Auroc::update(Pass& pass) {
  const at::Tensor& logits = pass.logits();
  probabilities_.push_back(logits.to(at::kDouble).softmax(1).cpu());
  labels_.push_back(class_labels(pass.fields().target(), logits.size(1), auroc).cpu());
  weights_.push_back(example_weights(pass.fields(), logits.select(1, 0)).cpu());
}

double Auroc::result() const {
  if (labels_.empty()) throw DataError({auroc, "examples", "none", {}});
  const at::Tensor probabilities = at::cat(probabilities_), labels = at::cat(labels_), weights = at::cat(weights_);
  const std::int64_t classes = probabilities.size(1);
  if (classes == 2) return weighted_area(probabilities.select(1, 1), labels.eq(1), weights);
  double total = 0;
  for (std::int64_t k = 0; k < classes; ++k) total += weighted_area(probabilities.select(1, k), labels.eq(k), weights);
  return total / static_cast<double>(classes);
}

}  // namespace vaetl::metrics
