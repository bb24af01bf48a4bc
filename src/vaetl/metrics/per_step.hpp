// How well a sequence model's outputs (N, T, O) agree with a label or values for every step. Steps behind the end of an
// example (`length`) do not count, all others count alike; instance weights count. Every example starts from an empty
// state.
#pragma once
#include "vaetl/metrics/metric.hpp"
#include "vaetl/metrics/weighted_mean.hpp"

namespace vaetl::metrics {

// Counts a value for each step, (N, T).
void add_steps(WeightedMean& mean, const at::Tensor& each, const at::Tensor& lengths, const Fields& fields);

// The share of steps whose largest output is their label's. DataError for labels outside [0, O).
class StepAccuracy final : public Metric {
 public:
  static constexpr std::string_view name = "step_accuracy";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit StepAccuracy(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"SequenceModel"}, .fields = {"input", "target"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return true; }

 private:
  WeightedMean mean_;
};

// √ of the mean of (output − value)² over steps and values.
class StepRmse final : public Metric {
 public:
  static constexpr std::string_view name = "step_rmse";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit StepRmse(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"SequenceModel"}, .fields = {"input", "target"}}; }
  void update(Pass& pass) override;
  double result() const override { return std::sqrt(mean_.result(name)); }
  bool higher_is_better() const override { return false; }

 private:
  WeightedMean mean_;
};

}  // namespace vaetl::metrics
