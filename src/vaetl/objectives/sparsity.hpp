// Sparse codes: terms beside `reconstruction` that keep most values of the code h (N, Z) near 0. Term "sparsity".
//   sparsity_kl  Σ_j KL(ρ ‖ ρ̂_j) = Σ_j ρ log(ρ / ρ̂_j) + (1 − ρ) log((1 − ρ) / (1 − ρ̂_j)),  ρ̂_j the mean of h_j over the
//                batch; for codes in [0, 1] (Ng, CS294A lecture notes "Sparse autoencoder", 2011)
//   sparsity_l1  Σ_j |h_j|, the mean over the batch
// They read the code alone, so frozen features may be computed once.
//
//   {"objective": ["reconstruction", {"name": "sparsity_kl", "rho": 0.05, "weight": 0.01}]}
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

// Activities are kept 1e-6 away from 0 and 1, where the divergence is infinite. Where several processes train, each
// takes the mean over its own part of the batch. Logged "activity": the mean of ρ̂. ConfigError, before the first step,
// for a model whose feature_range() is not within [0, 1]: a look at codes would only tell of those that it sees.
class SparsityKl final : public Objective {
 public:
  static constexpr std::string_view name = "sparsity_kl";
  struct Options {
    double rho = 0.05;
    static constexpr auto fields() {
      return std::tuple{field("rho", &Options::rho, "ρ: how active a value of the code is to be, on average",
                              between(1e-6, 1 - 1e-6))};
    }
  };

  explicit SparsityKl(Options options) : options_(options) {}
  Needs needs() const override { return {.capabilities = {"Encoder"}}; }
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Options options_;
};

class SparsityL1 final : public Objective {
 public:
  static constexpr std::string_view name = "sparsity_l1";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit SparsityL1(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Encoder"}}; }
  Terms terms(std::size_t update, Pass& pass) override;
};

}  // namespace vaetl::objectives
