// An encoder of any kind with a linear head: what the classifiers have in common.
#pragma once
#include <memory>
#include <vector>

#include "vaetl/nn/blocks.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::models {

// x (N, input…) in [0, 1] → features (N, F) → logits (N, K). Groups: encoder.0, …, head; without classes no head.
class TrunkClassifier : public Model, public virtual Classifier {
 public:
  std::vector<LayerGroup> groups() const final;
  Signature signature() const final;
  at::Tensor encode(const Fields& fields) final;  // DataError for another shape than the description's
  std::int64_t feature_size() const final { return feature_size_; }
  at::Tensor classify(const at::Tensor& features) final;  // ConfigError without classes
  std::int64_t classes() const final { return classes_; }

 protected:
  template <class Trunk>
  TrunkClassifier(ModelSpec spec, const Trunk& trunk, std::int64_t classes, double head_dropout = 0)
      : TrunkClassifier(std::move(spec), trunk.input, trunk.encoder(), trunk.feature_size(), classes, head_dropout) {}

 private:
  TrunkClassifier(ModelSpec spec, std::vector<std::int64_t> input, std::shared_ptr<nn::Sequence> encoder,
                  std::int64_t feature_size, std::int64_t classes, double head_dropout);

  std::vector<std::int64_t> input_;
  std::int64_t feature_size_, classes_;
  double head_dropout_;  // before the head, in training
  std::shared_ptr<nn::Sequence> encoder_;
  std::shared_ptr<nn::Linear> head_;
};

}  // namespace vaetl::models
