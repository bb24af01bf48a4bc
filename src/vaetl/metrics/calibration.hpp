// How far a classifier's probabilities can be believed. Instance weights count.
#pragma once
#include "vaetl/metrics/metric.hpp"

namespace vaetl::metrics {

// The expected calibration error (Guo et al., arXiv:1706.04599, eq. 3): over M bins of equal width of the largest
// probability, Σ (n_m / N) |accuracy_m − mean probability_m|. 0: of what is said with 0.8, 80 % is right.
class Ece final : public Metric {
 public:
  static constexpr std::string_view name = "ece";
  struct Options {
    std::int64_t bins = 15;
    static constexpr auto fields() {
      return std::tuple{field("bins", &Options::bins, "of the largest probability, of equal width", between(1, 10000))};
    }
  };

  explicit Ece(Options options) : options_(options) {}
  Needs needs() const override { return {.capabilities = {"Classifier"}, .fields = {"target"}}; }
  void update(Pass& pass) override;
  double result() const override;
  bool higher_is_better() const override { return false; }
  bool on_request() const override { return true; }

 private:
  Options options_;
  at::Tensor sums_ = {};  // (M, 2) float64: weights, and weights times (right − probability)
};

}  // namespace vaetl::metrics
