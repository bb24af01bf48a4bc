// Values that are no numbers, or outside the range that their field declares: which examples have them.
#include <ATen/ATen.h>

#include <limits>

#include "vaetl/core/text.hpp"
#include "vaetl/data/check/findings.hpp"
#include "vaetl/data/digest.hpp"
#include "vaetl/data/example_text.hpp"
#include "vaetl/data/summary.hpp"

namespace vaetl::data {
namespace {

constexpr std::size_t named_rows = 5;

// Of one field: how many values and examples, and the first of these.
struct BadRows {
  std::int64_t values = 0, examples = 0;
  std::vector<std::int64_t> first = {};

  // bad: bool (N, …), of the examples from `start` on.
  void add(const at::Tensor& bad, std::int64_t start) {
    const at::Tensor rows = bad.reshape({bad.size(0), -1}).any(1).nonzero().squeeze(1).contiguous();
    if (rows.size(0) == 0) return;
    values += bad.sum().item<std::int64_t>();
    examples += rows.size(0);
    for (std::int64_t i = 0; i < rows.size(0) && first.size() < named_rows; ++i) {
      first.push_back(start + rows.const_data_ptr<std::int64_t>()[i]);
    }
  }

  void tell(bool error, const char* kind, const std::string& split, const std::string& what, Findings& findings) const {
    if (examples == 0) return;
    Finding finding{error, kind, split, examples, thousands(values) + " values " + what, {}};
    for (const std::int64_t index : first) finding.examples.push_back({{split, index}});
    findings.push_back(std::move(finding));
  }
};

bool covers_type(const FieldInfo& info) {
  const bool bytes = info.dtype == at::kByte && info.low <= 0 && info.high >= 255;
  return bytes || (info.dtype == at::kShort && info.low <= std::numeric_limits<std::int16_t>::min() &&
                   info.high >= std::numeric_limits<std::int16_t>::max());
}

// Labels are held against their classes when data are made; what every value of a type satisfies needs no look.
bool may_leave_range(const std::string& key, const FieldInfo& info) {
  const bool whole = at::isIntegralType(info.dtype, /*includeBool=*/false);
  return whole && key != "target" && info.low < info.high && !covers_type(info);
}

// Of a table's columns, those of categories, bool (F): their codes below 0 stand for missing and unknown texts.
at::Tensor categorical_columns(const DatasetInfo& info) {
  const auto columns = table_columns(info);
  at::Tensor result = at::zeros({static_cast<std::int64_t>(columns.size())}, at::kBool);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    result.mutable_data_ptr<bool>()[c] = columns[c].categorical;
  }
  return result;
}

class RowChecker {
 public:
  explicit RowChecker(const Dataset& data) : data_(data), table_(form_of(data.info()) == Form::table) {
    if (table_) categorical_ = categorical_columns(data.info());
    for (const auto& [key, info] : data.info().fields) {
      if (at::isFloatingType(info.dtype) || may_leave_range(key, info)) fields_.push_back(key);
    }
  }

  void run(const std::string& split, Findings& findings) {
    if (fields_.empty()) return;
    visit_parts(data_, [&](const Fields& part, std::int64_t end) {
      for (const auto& key : fields_) add(key, part[key], end - part.size());
    });
    for (const auto& key : fields_) {
      const FieldInfo& info = data_.info().fields.at(key);
      not_finite_[key].tell(true, "not_finite", split, fmt::format("of {} are NaN or infinite", quote(key)), findings);
      outside_[key].tell(true, "out_of_range", split,
                         fmt::format("of {} lie outside {} … {}", quote(key), info.low, info.high), findings);
    }
    missing_.tell(false, "missing", split, "are missing" + columns_text(), findings);
  }

 private:
  void add(const std::string& key, const at::Tensor& values, std::int64_t start) {
    const FieldInfo& info = data_.info().fields.at(key);
    if (!values.is_floating_point()) {
      outside_[key].add(values.lt(info.low).logical_or(values.gt(info.high)), start);
    } else if (table_ && key == "input") {
      not_finite_[key].add(at::isinf(values), start);
      const at::Tensor missing = at::isnan(values).logical_or_(values.eq(-1).logical_and_(categorical_));
      missing_.add(missing, start);
      const at::Tensor some = missing.any(0);
      columns_ = columns_.defined() ? columns_.logical_or(some) : some;
    } else {
      not_finite_[key].add(at::isfinite(values).logical_not(), start);
    }
  }

  std::string columns_text() const {
    if (!columns_.defined()) return {};
    const auto columns = table_columns(data_.info());
    std::vector<std::string> names;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (columns_.const_data_ptr<bool>()[c]) names.push_back(columns[c].name);
    }
    const std::size_t count = std::min(names.size(), named_rows);
    return ", in the columns " + join(std::span(names).first(count)) + (names.size() > count ? ", …" : "");
  }

  const Dataset& data_;
  bool table_;
  at::Tensor categorical_ = {}, columns_ = {};  // bool (F): of categories; those with a missing value
  std::vector<std::string> fields_ = {};
  std::map<std::string, BadRows> not_finite_ = {}, outside_ = {};
  BadRows missing_ = {};
};

}  // namespace

void check_rows(const CheckedSplits& splits, Findings& findings) {
  for (std::size_t s = 0; s < splits.data.size(); ++s) RowChecker(splits.data[s]).run(splits.names[s], findings);
}

}  // namespace vaetl::data
