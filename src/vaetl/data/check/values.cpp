#include "vaetl/core/text.hpp"
#include "vaetl/data/check/findings.hpp"
#include "vaetl/data/summary.hpp"

namespace vaetl::data {
namespace {

constexpr std::size_t named = 5;      // how many names a text lists
constexpr double most_unequal = 100;  // between the largest and the smallest class

std::string some(const std::vector<std::string>& names) {
  const std::size_t count = std::min(names.size(), named);
  return join(std::span(names).first(count)) + (names.size() > count ? ", …" : "");
}

std::int64_t count_of(const std::vector<std::string>& names) { return static_cast<std::int64_t>(names.size()); }

void check_columns(const SplitSummary& split, Form form, Findings& findings) {
  if (form != Form::table && form != Form::series) return;
  std::vector<std::string> constant;
  for (const ColumnSummary& column : split.columns) {
    if (column.constant() && split.examples > 1) constant.push_back(column.name);
  }
  if (!constant.empty() && split.name == "train") {
    findings.push_back({false,
                        "constant_columns",
                        split.name,
                        count_of(constant),
                        "columns with one value in every example: " + some(constant),
                        {}});
  }
}

std::vector<std::string> classes_with(const SplitSummary& split, const std::vector<std::string>& names,
                                      std::int64_t low, std::int64_t high) {
  std::vector<std::string> found;
  for (std::size_t k = 0; k < split.classes.size(); ++k) {
    if (split.classes[k] < low || split.classes[k] > high) continue;
    found.push_back(k < names.size() ? names[k] : fmt::format("{}", k));
  }
  return found;
}

void check_labels(const SplitSummary& split, const std::vector<std::string>& names, Findings& findings) {
  if (split.classes.empty()) return;
  const bool train = split.name == "train";
  const auto absent = classes_with(split, names, 0, 0), few = classes_with(split, names, 1, 1);
  if (!absent.empty()) {
    findings.push_back({train, "absent_class", split.name, count_of(absent), "no example of " + some(absent), {}});
  }
  if (!few.empty()) {
    findings.push_back({train, "few_examples", split.name, count_of(few), "a single example of " + some(few), {}});
  }
  std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = 0;
  for (const std::int64_t count : split.classes) {
    if (count > 0) low = std::min(low, count);
    high = std::max(high, count);
  }
  if (!train || high == 0 || static_cast<double>(high) <= most_unequal * static_cast<double>(low)) return;
  findings.push_back(
      {false,
       "imbalance",
       split.name,
       high / low,
       fmt::format("{} examples of the largest class for {} of the smallest", thousands(high), thousands(low)),
       {}});
}

}  // namespace

void check_values(const CheckedSplits& splits, Findings& findings) {
  for (std::size_t s = 0; s < splits.data.size(); ++s) {
    const DatasetInfo& info = splits.data[s].info();
    const Form form = form_of(info);
    SplitSummary summary = summarise(splits.data[s]);
    summary.name = splits.names[s];
    check_columns(summary, form, findings);
    check_labels(summary, info.classes, findings);
    if (summary.constant == 0) continue;
    findings.push_back({false, "constant_pictures", summary.name, summary.constant, "pictures of a single colour", {}});
  }
}

}  // namespace vaetl::data
