#include "vaetl/data/readers/npy.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/arrays.hpp"
#include "vaetl/data/readers/table_columns.hpp"
#include "vaetl/data/readers/text_values.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;
using NpyOptions = Npy::Options;

std::string text_of(const at::Tensor& array) {
  return fmt::format("{} {}", shape_text(array.sizes().vec()), dtype_name(array.scalar_type()));
}

bool is_whole(const at::Tensor& values) {
  return at::isIntegralType(values.scalar_type(), true) || values.eq(values.round()).all().item<bool>();
}

// Takes the target's column out of an input (N, F); a file that is read as another was may lack it.
void take_column(SplitArrays& pair, const NpyOptions& options) {
  if (!options.target_column || pair.target.defined()) return;
  const at::Tensor& input = pair.input;
  if (input.dim() != 2) throw DataError({pair.where, "an array (N, F) with a target_column", text_of(input), {}});
  const std::int64_t width = input.size(1);
  if (!options.shape.empty() && width == options.shape[0]) return;
  const std::int64_t column = *options.target_column + (*options.target_column < 0 ? width : 0);
  if (column < 0 || column >= width) {
    throw ConfigError(
        {"npy.target_column", fmt::format("a column of {}", width), fmt::format("{}", *options.target_column), {}});
  }
  pair.target = input.select(1, column).contiguous();
  pair.input = column == 0 ? input.narrow(1, 1, width - 1)
               : column == width - 1
                   ? input.narrow(1, 0, width - 1)
                   : at::cat({input.narrow(1, 0, column), input.narrow(1, column + 1, width - column - 1)}, 1);
}

at::Tensor laid_out(const at::Tensor& input, const NpyOptions& options, const std::string& where) {
  const std::int64_t dims = options.layout == "hw" ? 3 : options.layout == "hwc" ? 4 : input.dim();
  if (input.dim() != dims || input.dim() < 2) {
    throw DataError({where,
                     options.layout == "as_is" ? "an array (N, …)"
                     : options.layout == "hw"  ? "images (N, H, W)"
                                               : "images (N, H, W, C)",
                     text_of(input),
                     {}});
  }
  if (options.layout == "hw") return input.unsqueeze(1);
  return options.layout == "hwc" ? input.permute({0, 3, 1, 2}) : input;
}

// uint16 has few kernels. float64 says no more than float32 to a network, and true and false are 1 and 0. int32 (and
// what becomes it) are token ids, but not where an example has more than one dimension: these are pictures or values.
at::Tensor stored(const at::Tensor& input) {
  switch (input.scalar_type()) {
    case at::kDouble:
    case at::kBool:
      return input.to(at::kFloat);
    case at::kUInt16:
    case at::kInt:
      return input.to(input.dim() > 2 ? at::kFloat : at::kInt);
    default:
      return input;
  }
}

// The declared range of an input of 16 bits, which stored() makes a float: as 0 … 255 is that of 8 bits.
FieldInfo declared_field(const at::Tensor& input) {
  constexpr double largest = 65535;
  const bool deep = input.scalar_type() == at::kUInt16 && input.dim() > 2;
  return {{}, at::kFloat, 0, deep ? largest : 0};
}

// Whether every value of each row is finite, a part at a time.
at::Tensor finite_rows(const at::Tensor& values) {
  at::Tensor good = at::ones({values.size(0)}, at::kBool);
  if (!values.is_floating_point() || values.numel() == 0) return good;
  const std::int64_t part = std::max<std::int64_t>(1, (std::int64_t{1} << 22) * values.size(0) / values.numel());
  for (std::int64_t begin = 0; begin < values.size(0); begin += part) {
    const std::int64_t count = std::min(part, values.size(0) - begin);
    good.narrow(0, begin, count).copy_(values.narrow(0, begin, count).isfinite().flatten(1).all(1));
  }
  return good;
}

void tell_rows(const at::Tensor& good, const std::string& where, const char* expected, const char* found,
               Skips& skips) {
  if (good.all().item<bool>()) return;
  const at::Tensor bad = good.logical_not().nonzero().squeeze(1);
  for (std::int64_t i = 0; i < bad.size(0); ++i) {
    skips.add({fmt::format("{}: row {}", where, bad[i].item<std::int64_t>()), expected, found, {}});
  }
}

void keep_good(SplitArrays& arrays, const at::Tensor& good) {
  if (good.all().item<bool>()) return;
  for (at::Tensor* values : {&arrays.input, &arrays.target, &arrays.weight}) {
    if (values->defined()) *values = values->index({good});
  }
}

// Drops the rows that are not finite, then those that weigh less than nothing.
void keep_finite(SplitArrays& pair, Skips& skips) {
  at::Tensor good = finite_rows(pair.input);
  for (const at::Tensor& values : {pair.target, pair.weight}) {
    if (values.defined()) good = good.logical_and(finite_rows(values.dim() == 1 ? values.unsqueeze(1) : values));
  }
  tell_rows(good, pair.where, "finite values", "NaN or infinity", skips);
  keep_good(pair, good);
  if (!pair.weight.defined()) return;
  good = pair.weight.ge(0);
  tell_rows(good, pair.where, "a weight of at least 0", "one below", skips);
  keep_good(pair, good);
}

void check_targets(SplitArrays& pair) {
  if (!pair.target.defined()) return;
  if (pair.target.dim() == 0 || pair.target.size(0) != pair.input.size(0)) {
    throw DataError(
        {pair.where, fmt::format("{} targets, one for each input", pair.input.size(0)), text_of(pair.target), {}});
  }
  if (pair.target.dim() == 2 && pair.target.size(1) == 1) pair.target = pair.target.squeeze(1);
  if (pair.target.dim() > 2) throw DataError({pair.where, "targets (N) or (N, O)", text_of(pair.target), {}});
}

void check_weights(SplitArrays& arrays) {
  if (!arrays.weight.defined()) return;
  at::Tensor& weight = arrays.weight;
  if (weight.dim() == 2 && weight.size(1) == 1) weight = weight.squeeze(1);
  const bool numbers = !weight.is_complex() && weight.dim() == 1;
  if (!numbers || weight.size(0) != arrays.input.size(0)) {
    throw DataError({arrays.where, fmt::format("{} weights, one for each input", arrays.input.size(0)), text_of(weight),
                     "name the array that holds them: weight=NAME"});
  }
  weight = weight.to(at::kFloat);
}

// Reads a pair into the form of the fields, but for the numbers of the labels.
void arrange(SplitArrays& pair, const NpyOptions& options, Skips& skips) {
  if (!pair.input.defined()) return;
  pair.input = stored(pair.input);
  if (pair.target.defined() && pair.target.scalar_type() == at::kUInt16) pair.target = pair.target.to(at::kInt);
  take_column(pair, options);
  pair.input = laid_out(pair.input, options, pair.where);
  check_targets(pair);
  check_weights(pair);
  const auto shape = pair.input.sizes().slice(1).vec();
  if (!options.shape.empty() && shape != options.shape) {
    throw DataError({pair.where, "examples of shape " + shape_text(options.shape), shape_text(shape), {}});
  }
  keep_finite(pair, skips);
}

bool are_labels(const at::Tensor& target, const NpyOptions& options, const std::string& where) {
  if (options.target_as == "values" || target.dim() != 1) return false;
  const bool whole = is_whole(target);
  if (options.target_as == "labels" && !whole)
    throw DataError({where, "whole numbers as labels", "numbers with a fraction", {}});
  const bool integers = at::isIntegralType(target.scalar_type(), true);
  return whole && (integers || options.target_column || options.target_as == "labels" || !options.classes.empty());
}

std::vector<std::string> learn_classes(const at::Tensor& labels, std::size_t named, const std::string& where) {
  const at::Tensor distinct = std::get<0>(at::_unique2(labels));
  const std::int64_t count = distinct.size(0);
  if (count > most_categories) {
    throw DataError(
        {where, fmt::format("at most {} labels", most_categories), thousands(count), "target_as=values for numbers"});
  }
  const auto high = distinct[count - 1].item<std::int64_t>();
  const bool fits = distinct[0].item<std::int64_t>() >= 0 && high < static_cast<std::int64_t>(named);
  if (fits) return numbered_classes(static_cast<std::int64_t>(named));
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("{}", distinct[i].item<std::int64_t>()));
  return names;
}

// Labels as their numbers; rows whose label is not among the classes are dropped.
void number(SplitArrays& pair, const std::vector<std::string>& classes, Skips& skips) {
  const at::Tensor own = pair.target.to(at::kLong).contiguous();
  const Labels labels(classes);
  std::map<std::int64_t, std::int64_t> known;
  at::Tensor numbers = at::empty_like(own), good = at::ones({own.size(0)}, at::kBool);
  for (std::int64_t i = 0; i < own.size(0); ++i) {
    const std::int64_t label = own.const_data_ptr<std::int64_t>()[i];
    auto found = known.find(label);
    if (found == known.end()) found = known.emplace(label, labels.find(fmt::format("{}", label)).value_or(-1)).first;
    numbers.mutable_data_ptr<std::int64_t>()[i] = found->second;
    good.mutable_data_ptr<bool>()[i] = found->second >= 0;
  }
  tell_rows(good, pair.where, "a label of the training data", "another", skips);
  pair.target = numbers;
  keep_good(pair, good);
}

Fields fields_of(SplitArrays pair, bool labels, const std::vector<std::string>& classes, Skips& skips) {
  if (pair.target.defined() && labels) number(pair, classes, skips);
  Fields fields;
  if (pair.target.defined()) {
    fields.set("target",
               labels ? pair.target : (pair.target.dim() == 1 ? pair.target.unsqueeze(1) : pair.target).to(at::kFloat));
  }
  if (pair.weight.defined()) fields.set("weight", pair.weight);
  fields.set("input", std::move(pair.input));
  return fields;
}

Json spec_of(const NpyOptions& options, const std::vector<std::string>& classes,
             const std::vector<std::int64_t>& shape) {
  NpyOptions learnt = options;
  learnt.classes = classes;
  learnt.shape = shape;
  Json spec{{"name", Npy::name}};
  spec.update(to_json(learnt));
  for (const char* key :
       {"input", "target", "weight", "test_input", "test_target", "test_weight", "test", "test_share"})
    spec.erase(key);
  return spec;
}

// The arrays of PATH and of `test`.
std::array<SplitArrays, 3> read_all(const fs::path& path, const NpyOptions& options) {
  auto pairs = read_arrays(path, {options.input, options.target, options.weight, options.test_input,
                                  options.test_target, options.test_weight});
  if (!options.test.empty()) {
    std::error_code ignored;
    const fs::path file = (fs::is_directory(path, ignored) ? path : path.parent_path()) / options.test;
    const auto others =
        read_arrays(file, {.input = options.test_input, .target = options.test_target, .weight = options.test_weight});
    pairs[2] = others[2].input.defined() ? others[2] : others[0];
  }
  if (!pairs[0].input.defined()) {
    throw DataError({path.string(), "an array of training inputs", "none", "name it: input=NAME"});
  }
  return pairs;
}

}  // namespace

void NpyOptions::validate() const {
  if (target_column && !target.empty())
    throw ConfigError({"npy.target_column", "nothing beside `target`", fmt::format("{}", *target_column), {}});
  if (!test.empty() && test_share > 0)
    throw ConfigError({"npy.test_share", "0 beside test", fmt::format("{}", test_share), {}});
}

Splits Npy::open(const fs::path& path, const Reading& reading) const {
  Skips skips(reading);
  auto pairs = read_all(path, options_);
  const SplitArrays& train = pairs[0];
  FieldInfo input = declared_field(train.input);
  NpyOptions like = options_;
  for (auto& pair : pairs) {
    arrange(pair, like, skips);
    like.shape = train.input.sizes().slice(1).vec();  // of the others too
  }
  skips.check_left(train.input.size(0), train.where);
  DatasetInfo info = reading.about;
  const bool labels = train.target.defined() && are_labels(train.target, options_, train.where);
  std::vector<std::string> classes = options_.classes;
  if (labels && classes.empty()) classes = learn_classes(train.target.to(at::kLong), info.classes.size(), train.where);
  if (info.classes.size() != classes.size()) info.classes = classes;
  if (train.target.defined() && !labels) info.classes.clear();
  info.reader = spec_of(options_, classes, train.input.sizes().slice(1).vec());
  input.shape = train.input.sizes().slice(1).vec();
  if (input.high > 0) info.fields["input"] = input;
  std::vector<Dataset> splits;
  for (const char* split : {"train", "validation", "test"}) {
    const SplitArrays& pair = pairs[splits.size()];
    if (pair.input.defined()) {
      splits.push_back(make_split(fields_of(pair, labels, classes, skips), info, split));
      skips.check_left(splits.back().size(), pair.where);
    } else {
      splits.push_back(none_of(splits[0], split));
    }
  }
  if (options_.test_share == 0) return {splits[0], splits[1], splits[2]};
  if (splits[2].size() > 0)
    throw ConfigError({"npy.test_share", "0 where there are test arrays", fmt::format("{}", options_.test_share), {}});
  const Splits parts = split_off(splits[0], options_.test_share);
  return {parts.train, splits[1], parts.test};
}

}  // namespace vaetl::readers
