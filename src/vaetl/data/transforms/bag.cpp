#include "vaetl/data/transforms/bag.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/to_device.hpp"

namespace vaetl::transforms {
namespace {

constexpr std::int64_t unknown = 1;

void require_ids(const at::Tensor& input) {
  if (input.dim() == 2 && at::isIntegralType(input.scalar_type(), false)) return;
  throw DataError({"bag", "token ids (N, T)",
                   fmt::format("{} dimensions of {}", input.dim(), dtype_name(input.scalar_type())),
                   "texts have them, see the readers lines and text"});
}

// Batches of the training data of about as many values as a bag of them may take.
template <class Take>
void by_batches(const Dataset& train, std::int64_t width, const Take& take) {
  constexpr std::int64_t values = std::int64_t{1} << 22;
  const std::int64_t step = std::max<std::int64_t>(1, values / std::max<std::int64_t>(1, width));
  for (std::int64_t start = 0; start < train.size(); start += step) {
    take(train.gather(at::arange(start, std::min(start + step, train.size()), at::kLong)));
  }
}

// V as the data declare it, or as their largest id asks for.
std::int64_t count_ids(const Dataset& train) {
  const auto found = train.info().fields.find("input");
  const bool declared = found != train.info().fields.end() && found->second.low < found->second.high;
  if (declared && at::isIntegralType(found->second.dtype, false)) {
    return static_cast<std::int64_t>(found->second.high) + 1;
  }
  std::int64_t largest = unknown;
  by_batches(train, 1024, [&](const Fields& fields) {
    require_ids(fields.input());
    if (fields.input().numel() > 0) largest = std::max(largest, fields.input().max().item<std::int64_t>());
  });
  return largest + 1;
}

}  // namespace

void Bag::Options::validate() const {
  const auto given = static_cast<std::int64_t>(weights.size());
  if (given == 0 || (idf && given == size)) return;
  throw ConfigError({"bag.weights",
                     idf ? fmt::format("one for each of {} tokens", size) : "none without idf",
                     fmt::format("{}", given),
                     {}});
}

Bag::Bag(Options options) : options_(std::move(options)) {
  options_.validate();
  if (options_.idf) weights_ = at::tensor(at::ArrayRef<double>(options_.weights), at::kFloat);
}

at::Tensor Bag::count(const Fields& fields, std::int64_t size) const {
  require_ids(fields.input());
  const at::Tensor ids = fields.input().to(at::kLong);
  at::Tensor present = ids.ne(0);
  if (fields.has("length")) {
    const at::Tensor position = at::arange(ids.size(1), ids.options());
    present = present.logical_and_(position.unsqueeze(0).lt(fields["length"].unsqueeze(1)));
  }
  const at::Tensor known = at::where(ids.ge(0).logical_and_(ids.lt(size)), ids, at::full_like(ids, unknown));
  return at::zeros({ids.size(0), size}, ids.options().dtype(at::kFloat)).scatter_add_(1, known, present.to(at::kFloat));
}

void Bag::apply(Fields& fields, at::Generator&) const {
  if (options_.size == 0 || (options_.idf && options_.weights.empty())) {
    throw ConfigError({"bag", "the number of tokens", "none", "fit it as preprocessing"});
  }
  at::Tensor bag = count(fields, options_.size);
  if (options_.values == "binary") bag.clamp_max_(1);
  if (options_.values == "log") bag.log1p_();
  if (options_.idf) bag.mul_(to_device(weights_, bag.device()));
  if (options_.normalise) bag.div_(bag.norm(2, {1}, /*keepdim=*/true).clamp_min_(1e-12));
  fields.set("input", bag);
  fields.erase("length");  // of the sequence, which is no more
}

Json Bag::fit(const Dataset& train) const {
  if (train.size() == 0) throw DataError({"bag", "training data to fit", "none", {}});
  Options fitted = options_;
  if (fitted.size == 0) fitted.size = count_ids(train);
  if (!fitted.idf || !fitted.weights.empty()) return to_json(fitted);
  at::Tensor holders = at::zeros({fitted.size}, at::kDouble);
  by_batches(train, fitted.size, [&](const Fields& fields) {
    holders.add_(count(fields, fitted.size).gt(0).sum(0).to(holders.device(), at::kDouble));
  });
  const at::Tensor weights = ((1.0 + static_cast<double>(train.size())) / (holders + 1)).log_().add_(1).contiguous();
  fitted.weights = {weights.const_data_ptr<double>(), weights.const_data_ptr<double>() + weights.numel()};
  return to_json(fitted);
}

}  // namespace vaetl::transforms
