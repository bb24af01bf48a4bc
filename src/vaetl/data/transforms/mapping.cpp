#include "vaetl/data/transforms/mapping.hpp"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include "vaetl/data/to_device.hpp"
#include "vaetl/data/transforms/moments.hpp"

namespace vaetl::transforms {
namespace {

void check_range(const char* key, const std::vector<double>& range) {
  if (range.size() == 2 && range[0] < range[1]) return;
  throw ConfigError({fmt::format("scale.{}", key),
                     "[low, high] with low below high",
                     fmt::format("[{}]", fmt::join(range, ", ")),
                     {}});
}

// (N, C, …); a target (N) is one of a single channel.
at::Tensor channelled(const at::Tensor& values, const std::string& field) {
  if (values.dim() >= 2) return values;
  if (field == "target" && values.dim() == 1) return values.unsqueeze(1);
  throw DataError({"standardise", field + " (N, C, …)", fmt::format("{} dimension", values.dim()), {}});
}

bool holds_labels(const std::string& field, const at::Tensor& values) {
  return field == "target" && at::isIntegralType(values.scalar_type(), /*includeBool=*/true);
}

// One value a channel, shaped to meet (N, C, …).
at::Tensor beside(const at::Tensor& channels, const at::Tensor& values) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(values.dim()), 1);
  shape[1] = -1;
  return to_device(channels, values.device()).view(shape);
}

Moments measure(const Dataset& train, const std::string& field) {
  constexpr std::int64_t values_a_part = std::int64_t{1} << 21;
  Moments moments;
  std::int64_t part = 1;  // the first example tells how large a part may be
  for (std::int64_t start = 0, end = 0; start < train.size(); start = end) {
    end = std::min(start + part, train.size());
    const at::Tensor values = channelled(train.gather(at::arange(start, end, at::kLong))[field], field);
    if (holds_labels(field, values)) {
      throw DataError({"standardise", "targets that are numbers", "labels", "leave it out of the preprocessing"});
    }
    moments.add(values.transpose(0, 1).flatten(1));
    const std::int64_t an_example = std::max<std::int64_t>(1, values.numel() / values.size(0));
    part = std::max<std::int64_t>(1, values_a_part / an_example);
  }
  return moments;
}

}  // namespace

void Scale::Options::validate() const {
  check_range("from", from);
  check_range("to", to);
}

Scale::Scale(Options options) {
  options.validate();
  from_ = between(options.from[0], options.from[1]);
  factor_ = (options.to[1] - options.to[0]) / (options.from[1] - options.from[0]);
  offset_ = options.to[0] - options.from[0] * factor_;
}

void Scale::apply(Fields& fields, at::Generator&) const {
  at::Tensor scaled = fields.input().mul(factor_);
  if (offset_ != 0) scaled.add_(offset_);
  fields.set("input", scaled);
}

void Standardise::Options::validate() const {
  if (mean.size() != std.size()) {
    throw ConfigError(
        {"standardise", "as many entries in mean as in std", fmt::format("{} and {}", mean.size(), std.size()), {}});
  }
  if (std::find(std.begin(), std.end(), 0.0) != std.end()) throw ConfigError({"standardise.std", "above 0", "0", {}});
}

Standardise::Standardise(Options options) : options_(std::move(options)) {
  options_.validate();
  mean_ = at::tensor(at::ArrayRef<double>(options_.mean), at::kFloat);
  std_ = at::tensor(at::ArrayRef<double>(options_.std), at::kFloat);
  factor_ = at::tensor(at::ArrayRef<double>(options_.std), at::kDouble).reciprocal().to(at::kFloat);
}

void Standardise::check_fitted(const at::Tensor& values) const {
  if (options_.mean.empty()) throw ConfigError({"standardise", "mean and std", "neither", "fit it as preprocessing"});
  if (values.size(1) == mean_.size(0)) return;
  throw DataError({"standardise", fmt::format("{} channels", mean_.size(0)), fmt::format("{}", values.size(1)), {}});
}

void Standardise::apply(Fields& fields, at::Generator&) const {
  if (holds_labels(options_.of, fields[options_.of])) return;
  const at::Tensor values = channelled(fields[options_.of], options_.of);
  check_fitted(values);
  fields.set(options_.of, values.sub(beside(mean_, values)).mul_(beside(factor_, values)));
  if (options_.of == "target") fields.set("target.scale", beside(std_, values).expand_as(values));
}

at::Tensor Standardise::restore(const at::Tensor& values) const {
  check_fitted(values);
  return values.mul(beside(std_, values)).add_(beside(mean_, values));
}

Json Standardise::fit(const Dataset& train) const {
  if (!options_.mean.empty()) return to_json(options_);
  if (train.size() == 0) throw DataError({"standardise", "training data to fit", "none", {}});
  const Moments moments = measure(train, options_.of);
  const auto mean = moments.mean();
  const auto odd = std::find_if(mean.begin(), mean.end(), [](double value) { return !std::isfinite(value); });
  if (odd != mean.end()) {
    throw DataError({"standardise", fmt::format("finite values of {}", options_.of),
                     fmt::format("others in channel {}", odd - mean.begin()),
                     "for a table with missing values use the transform \"columns\""});
  }
  return to_json(Options{mean, moments.std(), options_.of});
}

}  // namespace vaetl::transforms
