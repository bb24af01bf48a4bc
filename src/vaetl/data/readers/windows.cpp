#include "vaetl/data/readers/windows.hpp"

#include <ATen/ATen.h>

namespace vaetl::readers {
namespace {

// Rows start + offset … start + offset + count − 1 of every start: (N, count, F).
at::Tensor rows_after(const at::Tensor& table, const at::Tensor& starts, std::int64_t offset, std::int64_t count) {
  const at::Tensor rows = starts.unsqueeze(1).add(at::arange(offset, offset + count, at::kLong));
  return table.index_select(0, rows.flatten()).view({starts.size(0), count, table.size(1)});
}

}  // namespace

Windows::Windows(at::Tensor inputs, at::Tensor targets, at::Tensor starts, std::int64_t window, std::int64_t horizon,
                 DatasetInfo info)
    : inputs_(std::move(inputs)),
      targets_(std::move(targets)),
      starts_(std::move(starts)),
      window_(window),
      horizon_(horizon),
      info_(std::move(info)) {
  info_.fields["input"] = {{window, inputs_.size(1)}, at::kFloat, 0, 0};
  if (horizon > 0) info_.fields["target"] = {{horizon * targets_.size(1)}, at::kFloat, 0, 0};
}

Fields Windows::gather(const at::Tensor& index) const {
  const at::Tensor starts = starts_.index_select(0, index);
  Fields fields;
  fields.set("input", rows_after(inputs_, starts, 0, window_));
  if (horizon_ > 0) fields.set("target", rows_after(targets_, starts, window_, horizon_).flatten(1));
  return fields;
}

}  // namespace vaetl::readers
