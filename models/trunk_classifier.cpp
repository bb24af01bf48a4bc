#include "vaetl/models/trunk_classifier.hpp"

#include "vaetl/models/trunk_groups.hpp"

namespace vaetl::models {

TrunkClassifier::TrunkClassifier(ModelSpec spec, std::vector<std::int64_t> input, std::shared_ptr<nn::Sequence> encoder,
                                 std::int64_t feature_size, const Head& head)
    : Model(std::move(spec)),
      input_(std::move(input)),
      feature_size_(feature_size),
      head_is_(head),
      encoder_(register_module("encoder", std::move(encoder))) {
  nn::check_head(head.hidden, head.size());
  if (head.size() == 0) return;
  head_ = nn::make_head(feature_size, head.hidden, head.size());
  register_module("head", head_.module);
}

std::vector<LayerGroup> TrunkClassifier::layer_groups() const {
  auto groups = numbered_groups("encoder", *encoder_);
  if (head_) groups.push_back({"head", {"head"}});
  return groups;
}

Signature TrunkClassifier::signature() const { return unit_signature(input_); }

at::Tensor TrunkClassifier::encode(const Fields& fields) {
  return encoder_->forward(checked_input(*this, fields)).flatten(1);
}

at::Tensor TrunkClassifier::classify(const at::Tensor& features) {
  require_capability(*this, Classifier::capability, "classify");
  return through_head(features);
}

at::Tensor TrunkClassifier::regress(const at::Tensor& features) {
  require_capability(*this, Regressor::capability, "regress");
  return through_head(features);
}

at::Tensor TrunkClassifier::through_head(const at::Tensor& features) {
  return head_.forward(features, head_is_.dropout);
}

}  // namespace vaetl::models
