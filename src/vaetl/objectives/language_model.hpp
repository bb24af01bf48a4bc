// What a language model minimises: the cross-entropy of the token that follows each, in nats a token, the mean over the
// windows of a batch,
//   −1/T Σ_t log softmax(logits_t)[target_t]        input (N, T) token ids, target (N, T) those one further
// Term "cross_entropy".
//
// In the order `lanes` each row of a batch goes on where it stopped in the batch before, and so does its state: it is
// carried from window to window without its gradient, which is truncated back-propagation through time (Williams and
// Peng, 1990). A row starts from zeros at the beginning of an epoch and where its window does not follow the one
// before (by the field `index`), so that in another order every window stands for itself. The state is a buffer: a run
// that is resumed in the middle of an epoch goes on with it.
//
// DataError for targets of another shape and ids that the model has no logit for, before the first step. ConfigError
// for a model that reads both ways: it would see the token that it is to predict.
//
//   Pipeline lanes({{.data = plays.train, .order = "lanes"}});
//   Trainer({.epochs = 5, .batch_size = 32}).fit(model, make<objectives::LanguageModel>(), lanes);
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class LanguageModel final : public Objective {
 public:
  static constexpr std::string_view name = "language_model";
  struct Options {
    bool carry = true;
    static constexpr auto fields() {
      return std::tuple{field("carry", &Options::carry, "go on with the state of the window before")};
    }
  };

  explicit LanguageModel(Options options) : options_(options) {}
  Needs needs() const override { return {.capabilities = {"SequenceModel"}, .fields = {"input", "target"}}; }
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  std::vector<at::Tensor> carried(Pass& pass) const;
  void keep(const Fields& fields, const std::vector<at::Tensor>& state);

  Options options_;
  std::vector<at::Tensor> state_;  // (…, lanes, hidden)
  at::Tensor next_;                // int64 (lanes): the example that would go on with each
};

}  // namespace vaetl::objectives
