// How well a sequence model foretells the token that follows each (input (N, T), target (N, T)): the mean of
// −log softmax(logits)[target] over all tokens as nats_per_token, over log 2 as bits_per_token, and its exponential,
// perplexity.
//
// Windows are taken as consecutive parts of one text, as `text:` stores them, and the state is carried over them. A
// batch's windows are read in 16 lanes side by side; a lane reads the window before its first one without counting it,
// and the first lane goes on from the batch before, so that every token but those of the first window has at least a
// window of context. Sequences with a `length` stand for themselves.
#pragma once
#include <numbers>
#include <vector>

#include "vaetl/metrics/metric.hpp"
#include "vaetl/metrics/weighted_mean.hpp"

namespace vaetl::metrics {

class LanguageScore : public Metric {
 public:
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  Needs needs() const final { return {.capabilities = {"SequenceModel"}, .fields = {"input", "target"}}; }
  void update(Pass& pass) final;
  bool higher_is_better() const final { return false; }

 protected:
  explicit LanguageScore(std::string_view metric) : metric_(metric) {}
  double nats() const { return mean_.result(metric_); }

 private:
  void read_lanes(SequenceModel& model, const Fields& fields);
  void add(SequenceModel& model, const Fields& fields, std::vector<at::Tensor>& state);

  std::string_view metric_;
  WeightedMean mean_;
  std::vector<at::Tensor> state_;  // where the text stopped
};

class NatsPerToken final : public LanguageScore {
 public:
  static constexpr std::string_view name = "nats_per_token";
  explicit NatsPerToken(Options = {}) : LanguageScore(name) {}
  double result() const override { return nats(); }
};

class BitsPerToken final : public LanguageScore {
 public:
  static constexpr std::string_view name = "bits_per_token";
  explicit BitsPerToken(Options = {}) : LanguageScore(name) {}
  double result() const override { return nats() / std::numbers::ln2; }
};

class Perplexity final : public LanguageScore {
 public:
  static constexpr std::string_view name = "perplexity";
  explicit Perplexity(Options = {}) : LanguageScore(name) {}
  double result() const override { return std::exp(nats()); }
};

}  // namespace vaetl::metrics
