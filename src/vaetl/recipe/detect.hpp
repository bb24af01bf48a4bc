// What is odd: a score of each example, high where it is unlike what the model knows, and where odd begins.
//   reconstruction  mean squared error of what the model rebuilds, over the example's elements, as the model sees them
//   elbo            −ELBO in nats of a variational model: at the posterior's mean, or the mean over samples z
//   latent          Mahalanobis distance of its features from those of normal data (metrics/mahalanobis.hpp)
//
//   const auto detector = recipe::Detector(*vae.model, {.score = "elbo"});
//   const double threshold = recipe::quantile(detector.scores(normal), 0.99);
//   const at::Tensor odd = detector.scores(data).gt(threshold);
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vaetl/data/dataset.hpp"
#include "vaetl/metrics/mahalanobis.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::recipe {

// Those that the model's capabilities allow, the most telling first, as measured in docs/detect.md: an ELBO knows most
// of simple pictures, whatever they show (arXiv:1810.09136).
std::vector<std::string> scores_for(const Model& model);

struct DetectOptions {
  std::string score = {};    // empty: the first of scores_for()
  std::int64_t samples = 0;  // of z for elbo; 0: the posterior's mean
  std::uint64_t seed = 0;    // of the samples
};

class Detector {
 public:
  // `normal` is needed for latent alone: class means where it has labels. ConfigError for a score that the model does
  // not allow, and for latent without normal data. The model has to outlive this.
  Detector(Model& model, DetectOptions options, const std::optional<Dataset>& normal = {});

  const std::string& score() const { return options_.score; }
  // float64 (N) on the CPU, in storage order; a function of each example alone: samples have the same noise for all.
  at::Tensor scores(const Dataset& data) const;

 private:
  Model& model_;
  DetectOptions options_;
  std::optional<metrics::Mahalanobis> known_ = {};
};

// Of values (N) in any order, between two neighbours linearly, as NumPy does by default.
double quantile(const at::Tensor& values, double share);

}  // namespace vaetl::recipe
