#include "vaetl/data/reader.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/sources.hpp"

namespace vaetl {

void Skips::add(Problem problem) {
  if (reading_.strict) throw DataError(std::move(problem));
  if (count_++ == 0) first_ = problem;
  if (reading_.skipped) reading_.skipped(problem);
}

void Skips::check_left(std::int64_t left, const std::string& where) const {
  if (left > 0) return;
  if (count_ == 0) throw DataError({where, "examples", "none", "check the path"});
  Problem problem = first_;
  problem.remedy = fmt::format("{}{} examples of {} were left out, none is left",
                               problem.remedy.empty() ? "" : problem.remedy + "; ", count_, where);
  throw DataError(std::move(problem));
}

namespace readers {
namespace {

DatasetInfo with_split(DatasetInfo info, const std::string& split) {
  info.split = split;
  return info;
}

void require_weight(const Fields& fields, const DatasetInfo& info) {
  if (!fields.has("weight") || fields["weight"].numel() == 0 || fields["weight"].gt(0).any().item<bool>()) return;
  throw DataError({fmt::format("{}, split {}", info.name, info.split), "an example with a weight above 0",
                   fmt::format("{} of weight 0", fields["weight"].numel()), "leave the weights out"});
}

}  // namespace

Dataset make_split(Fields fields, DatasetInfo info, const std::string& split, DataDigest digest) {
  info.split = split;
  require_weight(fields, info);
  if (!fields.has("target")) info.classes.clear();
  Dataset data = Dataset::from_tensors(std::move(fields), info);
  if (data.size() == 0) return data;
  for (const auto& [key, values] : data.all()) {
    if (!digest.has(key)) digest.add(key, values);
  }
  info = data.info();
  info.sha256 = digest.hex();
  return Dataset::from_tensors(data.all(), std::move(info));
}

Dataset renamed(const Dataset& data, const std::string& split) {
  return data.described(with_split(data.info(), split));
}

Dataset none_of(const Dataset& data, const std::string& split) {
  return renamed(data.select(at::empty({0}, at::kLong)), split);
}

Splits split_off(const Dataset& all, double test_share) {
  if (test_share == 0) return {renamed(all, "train"), none_of(all, "validation"), none_of(all, "test")};
  const Parts parts = hold_out(all, test_share, /*seed=*/0);
  return {renamed(parts.rest, "train"), none_of(all, "validation"), renamed(parts.held, "test")};
}

std::vector<std::string> numbered_classes(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t c = 0; c < count; ++c) names.push_back(fmt::format("{}", c));
  return names;
}

}  // namespace readers
}  // namespace vaetl
