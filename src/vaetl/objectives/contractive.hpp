// A code that changes little where the input changes little (Rifai et al., ICML 2011): a term beside
// `reconstruction`,
//   ‖∂h/∂x‖²_F = Σ_i Σ_j (∂h_j / ∂x_i)²,  the mean over the batch
// for any differentiable encoder. Exactly it takes a backward pass for each of the Z values of the code; by default it
// is estimated without bias from one, with signs v drawn afresh for each example (Hutchinson):
//   E_v ‖vᵀ ∂h/∂x‖² = ‖∂h/∂x‖²_F,  v_j = ±1
// Both are differentiated once more for the weights. Examples count by themselves: with batch norm in training, what an
// example changes in the others' codes counts as its own. Term "contraction".
//
//   {"objective": ["reconstruction", {"name": "contractive", "weight": 1e-3}]}
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class Contractive final : public Objective {
 public:
  static constexpr std::string_view name = "contractive";
  struct Options {
    bool exact = false;
    static constexpr auto fields() {
      return std::tuple{field("exact", &Options::exact,
                              "a backward pass for each value of the code instead of an estimate from one")};
    }
  };

  explicit Contractive(Options options) : options_(options) {}
  Needs needs() const override { return {.capabilities = {"Encoder"}, .fields = {"input"}}; }
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Options options_;
};

}  // namespace vaetl::objectives
