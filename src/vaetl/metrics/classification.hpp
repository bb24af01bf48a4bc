// How well a classifier's logits (N, K) agree with labels (N). Instance weights count.
#pragma once
#include "vaetl/metrics/metric.hpp"
#include "vaetl/metrics/weighted_mean.hpp"

namespace vaetl::metrics {

// The share of examples whose largest logit is their label's.
class Accuracy final : public Metric {
 public:
  static constexpr std::string_view name = "accuracy";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit Accuracy(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Classifier"}, .fields = {"target"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return true; }

 private:
  WeightedMean mean_;
};

// The share of examples whose label is among the k largest logits. ConfigError for a model of fewer classes.
class TopK final : public Metric {
 public:
  static constexpr std::string_view name = "top_k";
  struct Options {
    std::int64_t k = 5;
    static constexpr auto fields() {
      return std::tuple{field("k", &Options::k, "so many of the largest logits", between(1, 1e6))};
    }
  };

  explicit TopK(Options options) : options_(options) {}
  Needs needs() const override { return {.capabilities = {"Classifier"}, .fields = {"target"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return true; }
  bool on_request() const override { return true; }

 private:
  Options options_;
  WeightedMean mean_;
};

// −log softmax(logits)[label], in nats. DataError for labels outside [0, K).
class CrossEntropy final : public Metric {
 public:
  static constexpr std::string_view name = "cross_entropy";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit CrossEntropy(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Classifier"}, .fields = {"target"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return false; }

 private:
  WeightedMean mean_;
};

}  // namespace vaetl::metrics
