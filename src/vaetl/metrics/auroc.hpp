// The area under the receiver operating characteristic: the probability that a positive example has a higher score than
// a negative one, half of it where the scores are equal (Hanley, McNeil, Radiology 143, 1982). 0.5: no better than
// chance; it does not depend on a threshold, nor on how many positives there are.
#pragma once
#include <ATen/core/Tensor.h>

#include "vaetl/metrics/metric.hpp"

namespace vaetl::metrics {

struct AreaUnderCurve {
  double value = 0;
  double low = 0, high = 0;  // a 95 % interval by DeLong, DeLong, Clarke-Pearson (Biometrics 44, 1988), within [0, 1]
};

// scores (N), positive bool (N), both on the CPU. DataError unless there are both kinds, and for scores that are no
// numbers; infinite ones are above or below all others.
AreaUnderCurve area_under_curve(const at::Tensor& scores, const at::Tensor& positive);
// The area alone, with a weight (N) for each example.
double weighted_area(const at::Tensor& scores, const at::Tensor& positive, const at::Tensor& weights);

// Of a classifier's probabilities: of two classes that of the second; of more the mean over the classes of each against
// the rest. It keeps every score, so it is made where it is named. Instance weights count. DataError for a class that
// has no example, or has all.
class Auroc final : public Metric {
 public:
  static constexpr std::string_view name = "auroc";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit Auroc(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Classifier"}, .fields = {"target"}}; }
  void update(Pass& pass) override;
  double result() const override;
  bool higher_is_better() const override { return true; }
  bool on_request() const override { return true; }

 private:
  std::vector<at::Tensor> probabilities_ = {}, labels_ = {}, weights_ = {};
};

}  // namespace vaetl::metrics
