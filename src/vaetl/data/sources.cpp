#include "vaetl/data/sources.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/bytes.hpp"
#include "vaetl/data/to_device.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl {
namespace {

// A run of neighbours is one copy; index_select would begin a loop on all threads for every row.
bool is_run(const at::Tensor& index) {
  const std::int64_t count = index.size(0);
  if (count < 2 || !index.is_contiguous()) return false;
  const auto* at = index.const_data_ptr<std::int64_t>();
  return std::adjacent_find(at, at + count, [](auto a, auto b) { return b != a + 1; }) == at + count;
}

at::Tensor rows(const at::Tensor& values, const at::Tensor& index) {
  if (index.device().is_cpu() && is_run(index)) {
    return values.narrow(0, index[0].item<std::int64_t>(), index.size(0)).clone(at::MemoryFormat::Contiguous);
  }
  if (plain_bytes(values) && index.device().is_cpu()) return byte_rows(values, index);
  return values.index_select(0, to_device(index, values.device()));
}

}  // namespace

at::Tensor Source::column(const std::string& field) const { return gather(at::arange(size(), at::kLong))[field]; }

Fields TensorSource::gather(const at::Tensor& index) const {
  Fields result;
  for (const auto& [key, values] : fields_) result.set(key, rows(values, index));
  return result;
}

void TensorSource::expect(std::int64_t start, std::int64_t count) const {
  if (window_ == 0) return;
  for (const auto& [key, values] : fields_) read_ahead(values.narrow(0, start, count));
}

std::shared_ptr<const Source> View::of(const std::shared_ptr<const Source>& base, const at::Tensor& index) {
  if (const auto* view = dynamic_cast<const View*>(base.get())) {
    return std::make_shared<View>(view->base_, rows(view->index_, index));
  }
  return std::make_shared<View>(base, index.clone());  // the caller may go on writing to its tensor
}

Fields View::gather(const at::Tensor& index) const { return base_->gather(rows(index_, index)); }

// What is chosen of a run is worth reading the run where it is a good part of it.
void View::expect(std::int64_t start, std::int64_t count) const {
  const std::int64_t first = index_[start].item<std::int64_t>(), last = index_[start + count - 1].item<std::int64_t>();
  const std::int64_t run = last - first + 1;
  if (run >= 1 && run / 4 <= count) base_->expect(first, run);
}

at::Tensor View::column(const std::string& field) const { return rows(base_->column(field), index_); }

Fields Overlay::gather(const at::Tensor& index) const {
  Fields result = base().gather(index);
  if (values_) {
    result.set(field_, rows(*values_, index));
  } else {
    result.erase(field_);
  }
  return result;
}

at::Tensor Overlay::column(const std::string& field) const {
  return values_ && field == field_ ? *values_ : base().column(field);
}

}  // namespace vaetl
