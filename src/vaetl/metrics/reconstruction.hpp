// How far what a model rebuilds from its code is from the input: decode(encode(x)), without noise; a variational model
// is taken by its posterior's mean. Means over an example's elements (before its end, where the batch has `length`),
// then over the examples; instance weights count. ConfigError where the decoder does not take the encoder's features.
#pragma once
#include "vaetl/metrics/metric.hpp"
#include "vaetl/metrics/weighted_mean.hpp"

namespace vaetl::metrics {

// (x − x̂)², x̂ the decoder's mean.
class ReconstructionMse final : public Metric {
 public:
  static constexpr std::string_view name = "reconstruction_mse";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit ReconstructionMse(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Encoder", "Decoder"}, .fields = {"input"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return false; }

 private:
  WeightedMean mean_;
};

// −x log x̂ − (1 − x) log(1 − x̂) in nats, for x in [0, 1]: from the logits where the decoder puts them out, otherwise
// from its mean, kept 1e-7 away from 0 and 1.
class ReconstructionBce final : public Metric {
 public:
  static constexpr std::string_view name = "reconstruction_bce";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit ReconstructionBce(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Encoder", "Decoder"}, .fields = {"input"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return false; }

 private:
  WeightedMean mean_;
};

}  // namespace vaetl::metrics
