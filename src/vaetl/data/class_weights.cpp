// Weights of classes as weights of examples.
#include <ATen/ATen.h>

#include <cmath>

#include "vaetl/core/error.hpp"
#include "vaetl/data/dataset.hpp"

namespace vaetl {
namespace {

// Σ n_k / (K n_k), K of the classes that have examples; 0 of the others.
at::Tensor balanced_weights(const at::Tensor& counts) {
  const at::Tensor some = counts.gt(0);
  return at::where(some, counts.sum() / (some.sum() * counts), at::zeros_like(counts));
}

at::Tensor given_weights(const std::vector<double>& weights, std::int64_t classes) {
  if (std::ssize(weights) != classes) {
    throw ConfigError(
        {"class_weights", fmt::format("{} numbers, one a class", classes), std::to_string(weights.size()), {}});
  }
  for (const double weight : weights) {
    if (weight >= 0 && std::isfinite(weight)) continue;
    throw ConfigError({"class_weights", "numbers of at least 0", fmt::format("{}", weight), {}});
  }
  return at::tensor(weights, at::kDouble);
}

}  // namespace

Dataset Dataset::weigh_classes(const std::vector<double>& weights) const {
  const at::Tensor places = labels();
  const at::Tensor own = has("weight") ? column("weight").to(at::kCPU, at::kDouble) : at::ones({size()}, at::kDouble);
  const at::Tensor each =
      weights.empty() ? balanced_weights(at::bincount(places, own, classes())) : given_weights(weights, classes());
  const at::Tensor result = own * each.index_select(0, places);
  if (result.gt(0).any().item<bool>()) return with("weight", result.to(at::kFloat));
  throw DataError({"class_weights", "an example with a weight above 0", "none", "weigh a class that has examples"});
}

}  // namespace vaetl
