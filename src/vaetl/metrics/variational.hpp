// How well a variational model explains and rebuilds its inputs. Instance weights count.
#pragma once
#include "vaetl/metrics/metric.hpp"
#include "vaetl/metrics/weighted_mean.hpp"

namespace vaetl::metrics {

// log p(x|z) − KL(q(z|x) ‖ p(z)), one sample z an example, in nats (arXiv:1312.6114, equation 10). The samples come
// from a generator of its own that starts alike for every metric made, so the same weights and data give the same
// number, and nobody else's random numbers move.
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

// The mean over an example's elements of (x − E p(x | E q(z|x)))².
class ReconstructionMse final : public Metric {
 public:
  static constexpr std::string_view name = "reconstruction_mse";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit ReconstructionMse(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Variational"}, .fields = {"input"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return false; }

 private:
  WeightedMean mean_;
};

}  // namespace vaetl::metrics
