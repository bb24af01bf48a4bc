// How well a source's features, or its own classes, tell a target's labels: scores of transferability, without any
// training. Each is one function and one line in the table of scores.cpp. Higher is better for all of them.
//   logme    mean over the classes k that occur of log p(y_k | F) / N, y_k the one-hot labels, the evidence of Bayesian
//   linear
//            regression with α and β at their optimum by the fixed-point iteration (arXiv:2102.11005, section 4;
//            arXiv:2110.10545, algorithm 2)
//   h_score  tr(Σ⁻¹ Σ_y), covariance of the features' class means over that of the features, this one shrunk as Ledoit
//            and Wolf do (arXiv:2110.06893, section 4; the score is Bao et al.'s, ICIP 2019)
//   knn      the share of examples whose five nearest others vote for their label
//   leep     mean log Σ_z p(y | z) θ_z(x), z the source's classes, θ its probabilities (arXiv:2002.12462, equation 2)
//   nce      −H(y | z), z the most probable class of the source (arXiv:1908.08142, section 4)
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl {

struct ScoreInput {
  at::Tensor features = {};       // (N, F)
  at::Tensor labels = {};         // int64 (N) in [0, K)
  std::int64_t classes = 0;       // K
  at::Tensor probabilities = {};  // (N, Z) of the source's classes; undefined: it has none
};

struct TransferScore {
  std::string_view name, text;
  bool source_classes = false;  // reads `probabilities`
  double (*value)(const ScoreInput&) = nullptr;
};

const std::vector<TransferScore>& transfer_scores();
const TransferScore& transfer_score(const std::string& name, const std::string& path = "scores");  // ConfigError
// nullopt where the score reads the source's classes and there are none. DataError for fewer than two examples or
// classes, unequal sizes, values that are not finite.
std::optional<double> score(const TransferScore& which, const ScoreInput& input);

// Kendall's τ_b of pairs of values, in [−1, 1]; NaN where either has no two different values.
double kendall(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace vaetl
