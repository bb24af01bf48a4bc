// Softmax cross-entropy of a classifier's logits (N, K) with labels (N):
//   −Σ_k q_k log softmax(logits)_k,   q = (1 − ε) onehot(label) + ε / K
// ε is label smoothing (arXiv:1512.00567, section 7). Term "cross_entropy"; logged "accuracy", the share of labels that
// are the largest logit. It reads features and labels, never the raw input, so frozen features may be computed once.
// DataError for labels outside [0, K), before the first step.
// Mixed labels, where mixup or cutmix made the fields "target.other" and "mix": mix · L(target) + (1 − mix) ·
// L(target.other) for each example (arXiv:1710.09412); accuracy counts the label with the larger share of the loss.
//
//   Trainer({.steps = 500}).fit(classifier, make<objectives::CrossEntropy>({.label_smoothing = 0.1}), few);
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class CrossEntropy final : public Objective {
 public:
  static constexpr std::string_view name = "cross_entropy";
  struct Options {
    double label_smoothing = 0.0;
    static constexpr auto fields() {
      return std::tuple{field("label_smoothing", &Options::label_smoothing,
                              "probability spread evenly over all classes; below 1", between(0, 1))};
    }
    void validate() const;  // ConfigError for 1, which would leave nothing of the labels
  };

  explicit CrossEntropy(Options options) : options_(options) { options_.validate(); }
  Needs needs() const override { return {.capabilities = {"Classifier"}, .fields = {"target"}, .mixed = true}; }
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Options options_;
};

}  // namespace vaetl::objectives
