// Windows over the rows of a table, cut when they are asked for: the table is held once.
#pragma once
#include "vaetl/data/dataset.hpp"

namespace vaetl::readers {

class Windows final : public Source {
 public:
  // inputs (R, F) and targets (R, F′) float32; starts int64 (N): the first row of each; `horizon` 0: no targets.
  Windows(at::Tensor inputs, at::Tensor targets, at::Tensor starts, std::int64_t window, std::int64_t horizon,
          DatasetInfo info);
  const DatasetInfo& info() const override { return info_; }
  std::int64_t size() const override { return starts_.size(0); }
  Fields gather(const at::Tensor& index) const override;

 private:
  at::Tensor inputs_, targets_, starts_;
  std::int64_t window_, horizon_;
  DatasetInfo info_;
};

}  // namespace vaetl::readers
