#include "vaetl/data/transforms/columns.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/to_device.hpp"
#include "vaetl/data/transforms/moments.hpp"

namespace vaetl::transforms {
namespace {

constexpr std::int64_t rows_a_part = 1 << 16;
constexpr double missing_code = -1;  // as the reader writes it

bool is_numeric(const Columns::Column& column) { return column.kind == "numeric"; }

at::Tensor longs(const std::vector<std::int64_t>& values) { return at::tensor(values, at::kLong); }
at::Tensor floats(const std::vector<double>& values) { return at::tensor(values, at::kDouble).to(at::kFloat); }

std::vector<double> doubles(const at::Tensor& values) {
  const at::Tensor own = values.to(at::kDouble).contiguous();
  return {own.const_data_ptr<double>(), own.const_data_ptr<double>() + own.numel()};
}

void check_width(const at::Tensor& input, std::size_t columns) {
  if (input.dim() == 2 && input.size(1) == static_cast<std::int64_t>(columns)) return;
  throw DataError({"columns", fmt::format("input of shape (N, {})", columns), shape_text(input.sizes().vec()),
                   "the table has other columns than the training data"});
}

// Kinds and categories as the reader tells them.
std::vector<Columns::Column> described(const Dataset& train, std::int64_t width) {
  std::vector<Columns::Column> columns;
  const Json& reader = train.info().reader;
  if (!reader.is_object() || !reader.contains("columns")) {
    columns.resize(static_cast<std::size_t>(width));
    return columns;
  }
  try {
    for (const Json& told : reader.at("columns")) {
      columns.push_back({.kind = told.at("kind").get<std::string>(),
                         .categories = static_cast<std::int64_t>(told.at("categories").size())});
    }
  } catch (const nlohmann::json::exception&) {
    throw DataError({"columns", "kind and categories of every column, as the reader csv tells them", "other JSON",
                     "pack the set again"});
  }
  return columns;
}

// Of each column: the numbers that are there, and whether a category is missing somewhere.
struct Measured {
  Moments moments = {};
  at::Tensor lacking;  // bool (C)

  explicit Measured(std::int64_t columns) : lacking(at::zeros({columns}, at::kBool)) {}
  void add(const at::Tensor& part) {  // (M, C)
    moments.add_known(part.t());
    lacking = lacking.logical_or(part.eq(missing_code).any(0));
  }
};

// The table part by part, as the transforms before left it.
template <class Use>
void for_parts(const Dataset& train, Use&& use) {
  for (std::int64_t start = 0; start < train.size(); start += rows_a_part) {
    use(train.gather(at::arange(start, std::min(start + rows_a_part, train.size()), at::kLong)).input());
  }
}

// Of an even number the lower of the two in the middle; 0 where there is none.
std::vector<double> medians(const Dataset& train) {
  std::vector<at::Tensor> parts;
  for_parts(train, [&](const at::Tensor& part) { parts.push_back(part); });
  return doubles(std::get<0>(at::cat(parts).nanmedian(0, false)).nan_to_num(0));
}

}  // namespace

Columns::Columns(Options options) : options_(std::move(options)) {
  std::vector<std::int64_t> numeric, indicated, categorical, first, counts, missing;
  std::vector<double> mean, factor, fill;
  for (std::size_t i = 0; i < options_.columns.size(); ++i) {
    const Column& column = options_.columns[i];
    if (is_numeric(column)) {
      if (column.missing && options_.indicate_missing) indicated.push_back(static_cast<std::int64_t>(numeric.size()));
      numeric.push_back(static_cast<std::int64_t>(i));
      mean.push_back(column.mean);
      factor.push_back(1 / column.std);
      fill.push_back(column.fill);
      continue;
    }
    categorical.push_back(static_cast<std::int64_t>(i));
    first.push_back(places_);
    counts.push_back(column.categories);
    missing.push_back(column.missing ? places_ + column.categories : -1);
    places_ += column.categories + (column.missing ? 1 : 0);
  }
  for (auto& place : missing) place = place < 0 ? places_ : place;
  numeric_ = longs(numeric), indicated_ = longs(indicated), categorical_ = longs(categorical);
  mean_ = floats(mean), factor_ = floats(factor), fill_ = floats(fill);
  first_ = longs(first), counts_ = longs(counts), missing_ = longs(missing);
}

at::Tensor Columns::scaled(const at::Tensor& numbers, const at::Tensor& absent) const {
  const at::Tensor whole = at::where(absent, to_device(fill_, numbers.device()), numbers);
  return whole.sub(to_device(mean_, numbers.device())).mul_(to_device(factor_, numbers.device()));
}

at::Tensor Columns::one_hot(const at::Tensor& codes) const {
  const auto device = codes.device();
  const at::Tensor known = codes.ge(0).logical_and_(codes.lt(to_device(counts_, device)));
  const at::Tensor nowhere = at::full({}, places_, codes.options());
  const at::Tensor other = at::where(codes.eq(missing_code), to_device(missing_, device), nowhere);
  const at::Tensor place = at::where(known, codes + to_device(first_, device), other);
  return at::zeros({codes.size(0), places_ + 1}, at::TensorOptions(device).dtype(at::kFloat))
      .scatter_(1, place, 1)
      .narrow(1, 0, places_);
}

void Columns::apply(Fields& fields, at::Generator&) const {
  const at::Tensor& input = fields.input();
  if (options_.columns.empty()) throw ConfigError({"columns", "fitted columns", "none", "fit it as preprocessing"});
  check_width(input, options_.columns.size());
  const auto device = input.device();
  std::vector<at::Tensor> parts;
  if (numeric_.numel() > 0) {
    const at::Tensor numbers = input.index_select(1, to_device(numeric_, device)), absent = numbers.isnan();
    parts.push_back(scaled(numbers, absent));
    if (indicated_.numel() > 0) parts.push_back(absent.index_select(1, to_device(indicated_, device)).to(at::kFloat));
  }
  if (categorical_.numel() > 0) {
    parts.push_back(one_hot(input.index_select(1, to_device(categorical_, device)).to(at::kLong)));
  }
  fields.set("input", at::cat(parts, 1));
}

Json Columns::fit(const Dataset& train) const {
  if (!options_.columns.empty()) return to_json(options_);
  if (train.size() == 0) throw DataError({"columns", "training data to fit", "none", {}});
  const auto shape = train.gather(at::zeros({1}, at::kLong)).input().sizes().vec();
  Options fitted = options_;
  fitted.columns = described(train, shape.size() == 2 ? shape[1] : 0);
  Measured measured(static_cast<std::int64_t>(fitted.columns.size()));
  for_parts(train, [&](const at::Tensor& part) {
    check_width(part, fitted.columns.size());
    measured.add(part);
  });
  const auto count = measured.moments.count(), mean = measured.moments.mean(), std = measured.moments.std(),
             lacking = doubles(measured.lacking), fill = options_.impute == "median" ? medians(train) : mean;
  for (std::size_t i = 0; i < fitted.columns.size(); ++i) {
    Column& column = fitted.columns[i];
    column.missing = is_numeric(column) ? count[i] < static_cast<double>(train.size()) : lacking[i] != 0;
    if (!is_numeric(column)) continue;
    column.mean = mean[i];
    column.std = std[i];
    column.fill = fill[i];
  }
  return to_json(fitted);
}

}  // namespace vaetl::transforms
