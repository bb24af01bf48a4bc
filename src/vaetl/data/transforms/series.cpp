#include "vaetl/data/transforms/series.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/signature.hpp"
#include "vaetl/data/digest.hpp"
#include "vaetl/data/to_device.hpp"
#include "vaetl/data/transforms/moments.hpp"

namespace vaetl::transforms {
namespace {

constexpr const char* where = "standardise_series";

void require_series(const at::Tensor& input) {
  if (input.dim() == 3) return;
  throw DataError({where, "input (N, T, F)", shape_text(input.sizes().vec()), {}});
}

// (N, T): true for the moments before each example's end.
at::Tensor before_end(const Fields& fields) {
  const at::Tensor& input = fields.input();
  const at::Tensor time = at::arange(input.size(1), fields["length"].options());
  return time.unsqueeze(0) < fields["length"].unsqueeze(1);
}

}  // namespace

void StandardiseSeries::Options::validate() const {
  if (mean.size() == std.size()) return;
  throw ConfigError(
      {where, "as many entries in mean as in std", fmt::format("{} and {}", mean.size(), std.size()), {}});
}

StandardiseSeries::StandardiseSeries(Options options) : options_(std::move(options)) {
  options_.validate();
  mean_ = at::tensor(at::ArrayRef<double>(options_.mean), at::kFloat);
  factor_ = at::tensor(at::ArrayRef<double>(options_.std), at::kDouble).reciprocal().to(at::kFloat);
}

void StandardiseSeries::apply(Fields& fields, at::Generator&) const {
  const at::Tensor& input = fields.input();
  require_series(input);
  if (options_.mean.empty()) throw ConfigError({where, "mean and std", "neither", "fit it as preprocessing"});
  if (input.size(2) != mean_.size(0)) {
    throw DataError({where, fmt::format("{} features", mean_.size(0)), fmt::format("{}", input.size(2)), {}});
  }
  at::Tensor result = input.sub(to_device(mean_, input.device())).mul_(to_device(factor_, input.device()));
  if (fields.has("length")) result.mul_(before_end(fields).unsqueeze(2));
  fields.set("input", result);
}

Json StandardiseSeries::fit(const Dataset& train) const {
  if (!options_.mean.empty()) return to_json(options_);
  if (train.size() == 0) throw DataError({where, "training data to fit", "none", {}});
  Moments moments;
  visit_parts(train, [&](const Fields& part, std::int64_t) {
    const at::Tensor& input = part.input();
    require_series(input);
    const at::Tensor values = part.has("length") ? input.index({before_end(part)}) : input.flatten(0, 1);
    moments.add(values.t());
  });
  return to_json(Options{moments.mean(), moments.std()});
}

}  // namespace vaetl::transforms
