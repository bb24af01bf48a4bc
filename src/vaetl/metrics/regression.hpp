// How far a regressor's predictions (N, O) are from values (N, O), in the values' own units even where the model is
// trained on standardised ones. Instance weights count; the batches' sizes do not matter.
#pragma once
#include "vaetl/metrics/metric.hpp"
#include "vaetl/metrics/weighted_mean.hpp"

namespace vaetl::metrics {

// The square root of the mean over examples and outputs of (ŷ − y)².
class Rmse final : public Metric {
 public:
  static constexpr std::string_view name = "rmse";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit Rmse(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Regressor"}, .fields = {"target"}}; }
  void update(Pass& pass) override;
  double result() const override { return std::sqrt(mean_.result(name)); }
  bool higher_is_better() const override { return false; }

 private:
  WeightedMean mean_;
};

// The mean over examples and outputs of |ŷ − y|.
class Mae final : public Metric {
 public:
  static constexpr std::string_view name = "mae";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit Mae(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Regressor"}, .fields = {"target"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return false; }

 private:
  WeightedMean mean_;
};

// The mean over outputs of 1 − Σ (ŷ − y)² / Σ (y − ȳ)²; of an output that never varies 1 where it is always right,
// else 0.
class R2 final : public Metric {
 public:
  static constexpr std::string_view name = "r2";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit R2(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Regressor"}, .fields = {"target"}}; }
  void update(Pass& pass) override;
  double result() const override;
  bool higher_is_better() const override { return true; }

 private:
  at::Tensor weight_, mean_, squares_, residual_;  // float64: 0-dim, then (O) each, of the values seen
};

}  // namespace vaetl::metrics
