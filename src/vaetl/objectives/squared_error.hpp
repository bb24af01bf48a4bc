// The loss of a regressor's predictions ŷ (N, O) against values y (N, O), the mean over O of
//   squared   (ŷ − y)²                     term "squared_error"
//   absolute  |ŷ − y|                      term "absolute_error"
//   huber     ½ (ŷ − y)² where |ŷ − y| ≤ δ, else δ (|ŷ − y| − ½ δ)   (doi:10.1214/aoms/1177703732)   term "huber"
// of the values as the model sees them: standardised where the preprocessing does that. It reads features and targets,
// never the raw input. DataError for targets of another shape, before the first step.
//
//   Trainer({.steps = 500}).fit(regressor, make<objectives::SquaredError>({.loss = "huber"}), train);
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class SquaredError final : public Objective {
 public:
  static constexpr std::string_view name = "squared_error";
  struct Options {
    std::string loss = "squared";
    double delta = 1.0;
    static constexpr auto fields() {
      return std::tuple{choice("loss", &Options::loss, "of one difference", {"squared", "absolute", "huber"}),
                        field("delta", &Options::delta, "of huber: the difference from which the loss is linear",
                              between(1e-6, 1e6))};
    }
  };

  explicit SquaredError(Options options) : options_(std::move(options)) {}
  Needs needs() const override { return {.capabilities = {"Regressor"}, .fields = {"target"}}; }
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Options options_;
};

}  // namespace vaetl::objectives
