// The loss of a sequence model's outputs (N, T, O) at every step,
//   labels, target (N, T) of whole numbers:   −log softmax(outputs_t)[target_t]        term "cross_entropy"
//   values, target (N, T, O) or (N, T):       (outputs_t − target_t)², mean over O     term "squared_error"
// with the share of right labels as logged "accuracy". Steps behind the end of an example (`length`) do not count, and
// all others count alike: the loss is Σ_n w_n Σ_t loss_nt / Σ_n w_n length_n, with w the examples' weights. The mean of
// the examples' means instead would let a step of a short sequence weigh more than one of a long sequence, though
// each is one prediction; it is also what PyTorch's losses give with an ignored index.
// Every example starts from an empty state. DataError for targets of another shape, before the first step.
//
//   Trainer({.epochs = 5}).fit(tagger, make<objectives::PerStep>(), train);
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class PerStep final : public Objective {
 public:
  static constexpr std::string_view name = "per_step";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit PerStep(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"SequenceModel"}, .fields = {"input", "target"}}; }
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;
};

}  // namespace vaetl::objectives
