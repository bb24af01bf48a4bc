#include "vaetl/metrics/weighted_mean.hpp"

#include "vaetl/core/error.hpp"

namespace vaetl {

at::Tensor example_weights(const Fields& fields, const at::Tensor& like) {
  return fields.has("weight") ? fields["weight"].to(at::kDouble) : at::ones_like(like, at::kDouble);
}

void WeightedMean::add(const at::Tensor& per_example, const Fields& fields) {
  const at::Tensor values = per_example.detach().to(at::kDouble);
  const at::Tensor weights = example_weights(fields, values);
  const at::Tensor sum = (values * weights).sum(), count = weights.sum();
  sum_ = sum_.defined() ? sum_ + sum : sum;
  count_ = count_.defined() ? count_ + count : count;
}

double WeightedMean::result(std::string_view metric) const {
  const double count = count_.defined() ? count_.item<double>() : 0;
  if (count > 0) return sum_.item<double>() / count;
  throw DataError({fmt::format("metric {}", metric), "at least one example with a weight above 0", "none", {}});
}

}  // namespace vaetl
