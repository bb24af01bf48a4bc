#include "vaetl/nn/labels.hpp"

#include <algorithm>
#include <span>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/nn/plain_forms.hpp"

namespace vaetl {
namespace {

void check_range(const at::Tensor& labels, std::int64_t classes, const std::string& by) {
  const at::Tensor row = labels.contiguous();
  const std::span values(row.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(row.numel()));
  const auto wrong =
      std::find_if(values.begin(), values.end(), [&](auto label) { return label < 0 || label >= classes; });
  if (wrong == values.end()) return;
  throw DataError({by, fmt::format("labels from 0 to {}, for the model's {} classes", classes - 1, classes),
                   fmt::format("the label {} at position {} of the batch", *wrong, wrong - values.begin()),
                   "give the model as many classes as the data has labels"});
}

}  // namespace

at::Tensor class_labels(const at::Tensor& target, std::int64_t classes, const std::string& by, bool everywhere) {
  if (target.dim() != 1) {
    throw DataError(
        {by, "one label for each example, shape (N)", "a target of shape " + shape_text(target.sizes().vec()), {}});
  }
  if (!at::isIntegralType(target.scalar_type(), /*includeBool=*/false)) {
    throw DataError({by, "labels of an integer type", "a target of type " + dtype_name(target.scalar_type()), {}});
  }
  const at::Tensor labels = target.to(at::kLong);
  if (nn::may_look_at(labels) || everywhere) check_range(labels.cpu(), classes, by);
  return labels;
}

}  // namespace vaetl
