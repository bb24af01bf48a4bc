// k nearest neighbours: an example is classified by the votes of the k training examples whose features are nearest.
//   cosine     s = ⟨x, y⟩ / (‖x‖ ‖y‖), each vote weighs exp(s / τ)   (arXiv:1805.01978, section 3.4, τ = 0.07)
//   euclidean  d = ‖x − y‖, each vote weighs 1 / d
// Queries are compared block by block, so memory does not grow with their number.
//
//   const metrics::Neighbours bank(features, labels, 10, {.k = 20});
//   at::Tensor predicted = bank.votes(other).argmax(1);
#pragma once
#include "vaetl/metrics/metric.hpp"
#include "vaetl/metrics/weighted_mean.hpp"

namespace vaetl::metrics {

struct NeighboursOptions {
  std::int64_t k = 0;
  std::string distance = "cosine";
  double temperature = 0.07;
  static constexpr auto fields() {
    using O = NeighboursOptions;
    return std::tuple{
        field("k", &O::k, "neighbours that vote; 0: what does best on the training data, each example left out in turn",
              between(0, 1e6)),
        choice("distance", &O::distance, "what is near", {"cosine", "euclidean"}),
        field("temperature", &O::temperature, "τ of the cosine's votes", between(1e-3, 1e3))};
  }
};

class Neighbours {
 public:
  // Features (N, F), labels (N) in [0, K). With k = 0 it is chosen from 1, 2, 5, 10, 20, 50, 100, 200 by
  // agreement(). DataError for fewer than two examples, labels outside, features that are not finite.
  Neighbours(const at::Tensor& features, const at::Tensor& labels, std::int64_t classes, NeighboursOptions options);
  at::Tensor votes(const at::Tensor& features) const;  // (M, F) → (M, K), float32 on the CPU
  std::int64_t k() const { return options_.k; }
  // The share of the training examples that the others classify rightly; of large sets of 5000 that are spread evenly.
  double agreement() const;

 private:
  struct Nearest {
    at::Tensor weights, labels;  // (M, k), from near to far
  };
  std::int64_t block(std::int64_t count) const;
  Nearest nearest(const at::Tensor& queries, std::int64_t count, const at::Tensor& own = {}) const;
  at::Tensor count_votes(const Nearest& nearest, std::int64_t k) const;
  std::vector<double> leave_one_out(const std::vector<std::int64_t>& counts) const;
  void choose_k();

  NeighboursOptions options_;
  std::int64_t classes_;
  at::Tensor features_, labels_;  // of the cosine, of length 1
  at::Tensor squares_;            // ‖y‖², of the Euclidean distance
};

// Accuracy of the nearest neighbours among the training data, in the model's features (N, F).
class Knn final : public Metric {
 public:
  static constexpr std::string_view name = "knn";
  using Options = NeighboursOptions;
  explicit Knn(Options options = {}) : options_(std::move(options)) {}
  Needs needs() const override { return {.capabilities = {"Encoder"}, .fields = {"target"}}; }
  bool compares_with_training() const override { return true; }
  void learn(const at::Tensor& features, const at::Tensor& labels, std::int64_t classes) override;
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return true; }
  bool on_request() const override { return true; }

 private:
  Options options_;
  std::optional<Neighbours> bank_;
  WeightedMean mean_;
};

}  // namespace vaetl::metrics
