#include "vaetl/metrics/classification.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/nn/labels.hpp"

namespace vaetl::metrics {

void Accuracy::update(Pass& pass) {
  const at::Tensor& logits = pass.logits();
  const at::Tensor labels = class_labels(pass.fields().target(), logits.size(1), "metric accuracy");
  mean_.add(logits.argmax(1).eq(labels), pass.fields());
}

void TopK::update(Pass& pass) {
  const at::Tensor& logits = pass.logits();
  if (options_.k > logits.size(1)) {
    throw ConfigError({"metric top_k: k",
                       fmt::format("at most the model's {} classes", logits.size(1)),
                       std::to_string(options_.k),
                       {}});
  }
  const at::Tensor labels = class_labels(pass.fields().target(), logits.size(1), "metric top_k");
  const at::Tensor largest = std::get<1>(logits.topk(options_.k, 1));
  mean_.add(largest.eq(labels.unsqueeze(1)).any(1), pass.fields());
}

void CrossEntropy::update(Pass& pass) {
  const at::Tensor& logits = pass.logits();
  const at::Tensor labels = class_labels(pass.fields().target(), logits.size(1), "metric cross_entropy");
  mean_.add(at::cross_entropy_loss(logits, labels, {}, at::Reduction::None), pass.fields());
}

}  // namespace vaetl::metrics
