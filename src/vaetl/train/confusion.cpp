#include "vaetl/train/confusion.hpp"

#include <ATen/ATen.h>

#include <limits>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/labels.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

ClassScore Confusion::of_class(std::int64_t label) const {
  const auto right = counts[label][label].item<std::int64_t>();
  const auto examples = counts[label].sum().item<std::int64_t>();
  const auto called = counts.select(1, label).sum().item<std::int64_t>();
  return {examples, share(right, called), share(right, examples), share(2 * right, called + examples)};
}

Confusion confusion(Model& model, const Pipeline& data) {
  const std::int64_t classes = require<Classifier>(model, "the confusion matrix").classes();
  at::Tensor counts = at::zeros({classes * classes}, at::kLong);
  visit(model, data, [&](Pass& pass) {
    const at::Tensor labels = class_labels(pass.fields().target(), classes, "the confusion matrix", true).cpu();
    const at::Tensor cells = labels * classes + pass.logits().argmax(1).cpu();
    counts += at::bincount(cells, {}, classes * classes);
  });
  return {counts.view({classes, classes})};
}

}  // namespace vaetl
