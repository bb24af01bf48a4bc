#include "vaetl/models/trunk_classifier.hpp"

#include <ATen/ops/dropout.h>

#include "vaetl/models/trunk_groups.hpp"

namespace vaetl::models {

TrunkClassifier::TrunkClassifier(ModelSpec spec, std::vector<std::int64_t> input, std::shared_ptr<nn::Sequence> encoder,
                                 std::int64_t feature_size, std::int64_t classes, double head_dropout)
    : Model(std::move(spec)),
      input_(std::move(input)),
      feature_size_(feature_size),
      classes_(classes),
      head_dropout_(head_dropout),
      encoder_(register_module("encoder", std::move(encoder))) {
  if (classes > 0) head_ = register_module("head", std::make_shared<nn::Linear>(feature_size, classes));
}

std::vector<LayerGroup> TrunkClassifier::groups() const {
  auto groups = numbered_groups("encoder", encoder_->size());
  if (head_) groups.push_back({"head", {"head"}});
  return groups;
}

Signature TrunkClassifier::signature() const { return unit_signature(input_); }

at::Tensor TrunkClassifier::encode(const Fields& fields) {
  return encoder_->forward(checked_input(*this, fields)).flatten(1);
}

at::Tensor TrunkClassifier::classify(const at::Tensor& features) {
  if (!head_) require_capability(*this, Classifier::capability, "classify");
  if (head_dropout_ == 0) return head_->forward(features);
  return head_->forward(at::dropout(features, head_dropout_, head_->is_training()));
}

}  // namespace vaetl::models
