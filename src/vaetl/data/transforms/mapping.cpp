#include "vaetl/data/transforms/mapping.hpp"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include "vaetl/data/to_device.hpp"

namespace vaetl::transforms {
namespace {

void check_range(const char* key, const std::vector<double>& range) {
  if (range.size() == 2 && range[0] < range[1]) return;
  throw ConfigError({fmt::format("scale.{}", key),
                     "[low, high] with low below high",
                     fmt::format("[{}]", fmt::join(range, ", ")),
                     {}});
}

// Mean and sum of squared deviations a channel, merged from part to part (Chan, Golub, LeVeque 1979), so that a large
// mean costs no precision.
struct Moments {
  double count = 0;
  at::Tensor mean, squares;

  void add(const at::Tensor& values) {  // float64 (C, M)
    const auto part = static_cast<double>(values.size(1));
    const at::Tensor part_mean = values.mean(1);
    const at::Tensor part_squares = (values - part_mean.unsqueeze(1)).square_().sum(1);
    if (count == 0) {
      mean = part_mean;
      squares = part_squares;
    } else {
      const at::Tensor step = part_mean - mean;
      mean = mean + step * (part / (count + part));
      squares = squares + part_squares + step.square() * (count * part / (count + part));
    }
    count += part;
  }
};

std::vector<double> numbers(const at::Tensor& values) {
  const at::Tensor own = values.to(at::kCPU, at::kDouble).contiguous();
  return {own.const_data_ptr<double>(), own.const_data_ptr<double>() + own.numel()};
}

void require_channels(const at::Tensor& input) {
  if (input.dim() >= 2) return;
  throw DataError({"standardise", "input (N, C, …)", fmt::format("{} dimension", input.dim()), {}});
}

Moments measure(const Dataset& train) {
  constexpr std::int64_t values_a_part = std::int64_t{1} << 21;
  Moments moments;
  std::int64_t part = 1;
  for (std::int64_t start = 0; start < train.size(); start += part) {
    if (start > 0) part = std::max<std::int64_t>(1, values_a_part / std::max<std::int64_t>(1, moments.mean.numel()));
    const auto end = std::min(start + part, train.size());
    const at::Tensor input = train.gather(at::arange(start, end, at::kLong)).input();
    require_channels(input);
    moments.add(input.transpose(0, 1).flatten(1).to(at::kDouble));
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
  factor_ = at::tensor(at::ArrayRef<double>(options_.std), at::kDouble).reciprocal().to(at::kFloat);
}

void Standardise::apply(Fields& fields, at::Generator&) const {
  const at::Tensor& input = fields.input();
  require_channels(input);
  if (options_.mean.empty()) throw ConfigError({"standardise", "mean and std", "neither", "fit it as preprocessing"});
  if (input.size(1) != mean_.size(0)) {
    throw DataError({"standardise", fmt::format("{} channels", mean_.size(0)), fmt::format("{}", input.size(1)), {}});
  }
  std::vector<std::int64_t> shape(static_cast<std::size_t>(input.dim()), 1);
  shape[1] = -1;
  const at::Tensor mean = to_device(mean_, input.device()).view(shape),
                   factor = to_device(factor_, input.device()).view(shape);
  fields.set("input", input.sub(mean).mul_(factor));
}

Json Standardise::fit(const Dataset& train) const {
  if (!options_.mean.empty()) return to_json(options_);
  if (train.size() == 0) throw DataError({"standardise", "training data to fit", "none", {}});
  const Moments moments = measure(train);
  const at::Tensor std = (moments.squares / moments.count).sqrt();
  return to_json(Options{numbers(moments.mean), numbers(at::where(std > 0, std, at::ones_like(std)))});
}

}  // namespace vaetl::transforms
