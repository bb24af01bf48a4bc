// An encoder of any kind with a linear head: what classifiers and regressors have in common.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "vaetl/models/code.hpp"
#include "vaetl/nn/blocks.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/head.hpp"

namespace vaetl::models {

// What the head puts out: logits (N, K), or with `outputs` values (N, O); both 0: there is none. `hidden`: widths
// within.
struct Head {
  std::int64_t classes = 0, outputs = 0;
  double dropout = 0;  // before it, in training
  std::vector<std::int64_t> hidden = {};
  std::int64_t size() const { return classes + outputs; }
};

// x (N, input…) in [0, 1] → features (N, F) → logits (N, K) or values (N, O). Groups: encoder.0, …, head.
class TrunkClassifier : public Model, public virtual Classifier, public virtual Regressor {
 public:
  std::vector<LayerGroup> layer_groups() const final;
  Signature signature() const final;
  at::Tensor encode(const Fields& fields) final;  // DataError for another shape than the description's
  std::int64_t feature_size() const final { return feature_size_; }
  Range feature_range() const final { return feature_range_; }  // of a code; none is known without
  at::Tensor classify(const at::Tensor& features) final;        // ConfigError without classes
  std::int64_t classes() const final { return head_is_.classes; }
  at::Tensor regress(const at::Tensor& features) final;  // ConfigError without outputs
  std::int64_t outputs() const final { return head_is_.outputs; }

 protected:
  // With a code, features are an autoencoder's codes, and the encoder's weights its own.
  template <class Trunk>
  TrunkClassifier(ModelSpec spec, const Trunk& trunk, const Head& head, const std::optional<Code>& code = {})
      : TrunkClassifier(std::move(spec), trunk.input, code ? encoder_to(*code, trunk) : trunk.encoder(),
                        code ? code->size : trunk.feature_size(), head) {
    if (code) feature_range_ = code->range();
  }

 private:
  TrunkClassifier(ModelSpec spec, std::vector<std::int64_t> input, std::shared_ptr<nn::Sequence> encoder,
                  std::int64_t feature_size, const Head& head);
  at::Tensor through_head(const at::Tensor& features);

  std::vector<std::int64_t> input_;
  std::int64_t feature_size_;
  Range feature_range_;
  Head head_is_;
  std::shared_ptr<nn::Sequence> encoder_;
  nn::HeadLayers head_;
};

}  // namespace vaetl::models
