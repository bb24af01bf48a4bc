// The linear probe: multinomial logistic regression on features, solved to its optimum by L-BFGS in double precision.
//
//   minimise over W, b:  Σ wᵢ (−log softmax(W x̃ᵢ + b)[yᵢ]) / Σ wᵢ + ½ λ ‖W‖²,  x̃ = (x − mean) / deviation
//
// λ is chosen from `l2` on examples that are held out of the training data, by cross-entropy, which tells more than the
// accuracy of a few examples; from the strongest on, each solution starts from the one before, until two in a row are
// worse. (scikit-learn's C is 1 / (λ N).) Where there are fewer examples than features the problem is solved in the
// space that the examples span, which is exact. Nothing is drawn but the split, so the same data give the same bits.
//
//   auto features = extract(*model, train);
//   auto head = solve_probe(features, {}, /*seed=*/0);
//   load_head(*adapted.model, head);
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/data/pipeline.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

struct ProbeOptions {
  std::vector<double> l2 = {0.1, 100, 30, 10, 3, 1, 0.3, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6};
  double validation = 0;
  std::int64_t folds = 0;
  bool standardise = true;
  std::int64_t iterations = 2000;
  void validate() const;
  static constexpr auto fields() {
    using O = ProbeOptions;
    return std::tuple{
        field("l2", &O::l2, "strengths of the penalty to choose from; the first where nothing can be held out",
              between(0, 1e12)),
        field("validation", &O::validation, "share of the training data held out to choose l2; 0: folds",
              between(0, 0.9)),
        field("folds", &O::folds, "parts held out in turn; 0: 5 of up to 5000 examples, a fifth once of more",
              between(0, 1000)),
        field("standardise", &O::standardise, "give every feature mean 0 and deviation 1 first"),
        field("iterations", &O::iterations, "of L-BFGS, at most", between(1, 1e6))};
  }
};

struct SolvedHead {
  at::Tensor weight, bias;  // float32 (K, F), (K), for features as they come
  double l2 = 0;
  // Of what was held out, with the l2 that was chosen; none where nothing could be.
  std::optional<double> accuracy = {}, cross_entropy = {};
  double loss = 0;      // the minimum, penalty included
  double gradient = 0;  // its largest derivative there
  std::int64_t iterations = 0;
  double seconds = 0;
  struct Tried {
    double l2 = 0, accuracy = 0, cross_entropy = 0;
  };
  std::vector<Tried> tried = {};

  Json json() const;         // all but the tensors
  std::string text() const;  // one line for people
};

// Features (N, F), labels (N) in [0, K), weights (N) or undefined. DataError: no examples, labels outside, features
// that are not finite, fewer than two classes.
SolvedHead solve_probe(const at::Tensor& features, const at::Tensor& labels, std::int64_t classes,
                       const ProbeOptions& options = {}, std::uint64_t seed = 0, const at::Tensor& weights = {});
// Of a set with the fields features and target (and weight).
SolvedHead solve_probe(const Dataset& features, std::int64_t classes, const ProbeOptions& options = {},
                       std::uint64_t seed = 0);

// ConfigError, beginning with `path`, unless the model is a classifier whose layer group "head" is one linear layer.
void check_linear_head(const Model& model, const std::string& path);
// Sets the weights of the group "head".
void load_head(Model& model, const SolvedHead& head);
// Solves the model's head on the first stream's features; the model then has it, and its fitted preprocessing.
SolvedHead solve_head(Model& model, const Pipeline& data, const ProbeOptions& options, std::uint64_t seed);

}  // namespace vaetl
