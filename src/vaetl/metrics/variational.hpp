// How well a variational model explains its inputs, under its own prior and for the inputs' own classes where it is
// conditional. Instance weights count. Samples come from a generator of the metric's own that starts alike for every
// metric made, so the same weights and data give the same number, and nobody else's random numbers move.
#pragma once
#include "vaetl/metrics/metric.hpp"
#include "vaetl/metrics/weighted_mean.hpp"

namespace vaetl::metrics {

// log p(x|z) − KL(q(z|x) ‖ p(z)), one sample z an example, in nats (arXiv:1312.6114, equation 10).
class Elbo final : public Metric {
 public:
  static constexpr std::string_view name = "elbo";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit Elbo(Options = {});
  Needs needs() const override { return {.capabilities = {"Variational"}, .fields = {"input"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return true; }

 private:
  at::Generator generator_;
  WeightedMean mean_;
};

// −log p(x) in nats by importance sampling from the posterior, −log 1/k Σ p(x|z) p(z) / q(z|x) with k samples z an
// example (arXiv:1509.00519, equation 8, at evaluation): an upper bound in expectation, tighter with more samples.
// Published figures take k = 5000. The samples are decoded a few at a time and summed as they come, so memory does not
// grow with k, and the result does not depend on how many fit at once but for rounding.
class Nll final : public Metric {
 public:
  static constexpr std::string_view name = "nll";
  struct Options {
    std::int64_t samples = 100;
    static constexpr auto fields() {
      return std::tuple{field("samples", &Options::samples, "k, samples of z for each example", between(1, 10000000))};
    }
  };

  explicit Nll(Options options);
  Needs needs() const override { return {.capabilities = {"Variational"}, .fields = {"input"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return false; }
  bool on_request() const override { return true; }

 private:
  at::Tensor draw(std::int64_t samples, const Gaussian& q);

  Options options_;
  at::Generator generator_;
  WeightedMean mean_;
};

}  // namespace vaetl::metrics
