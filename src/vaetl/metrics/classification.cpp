#include "vaetl/metrics/classification.hpp"

#include "vaetl/nn/labels.hpp"

namespace vaetl::metrics {

void Accuracy::update(Pass& pass) {
  const at::Tensor& logits = pass.logits();
  const at::Tensor labels = class_labels(pass.fields().target(), logits.size(1), "metric accuracy");
  mean_.add(logits.argmax(1).eq(labels), pass.fields());
}

void CrossEntropy::update(Pass& pass) {
  const at::Tensor& logits = pass.logits();
  const at::Tensor labels = class_labels(pass.fields().target(), logits.size(1), "metric cross_entropy");
  mean_.add(at::cross_entropy_loss(logits, labels, {}, at::Reduction::None), pass.fields());
}

}  // namespace vaetl::metrics
