// The metrics that recipes and apps know by name: one line each.
#include "vaetl/metrics/auroc.hpp"
#include "vaetl/metrics/calibration.hpp"
#include "vaetl/metrics/classification.hpp"
#include "vaetl/metrics/language.hpp"
#include "vaetl/metrics/neighbours.hpp"
#include "vaetl/metrics/per_step.hpp"
#include "vaetl/metrics/picture_quality.hpp"
#include "vaetl/metrics/reconstruction.hpp"
#include "vaetl/metrics/regression.hpp"
#include "vaetl/metrics/variational.hpp"

namespace vaetl {

template <>
Registry<Metric>& registry<Metric>() {
  static Registry<Metric> table = Registry<Metric>("metric")
                                      .add<metrics::Accuracy>()
                                      .add<metrics::TopK>()
                                      .add<metrics::CrossEntropy>()
                                      .add<metrics::Auroc>()
                                      .add<metrics::Ece>()
                                      .add<metrics::Knn>()
                                      .add<metrics::Elbo>()
                                      .add<metrics::Nll>()
                                      .add<metrics::ReconstructionMse>()
                                      .add<metrics::ReconstructionBce>()
                                      .add<metrics::Psnr>()
                                      .add<metrics::Ssim>()
                                      .add<metrics::Rmse>()
                                      .add<metrics::Mae>()
                                      .add<metrics::R2>()
                                      .add<metrics::NatsPerToken>()
                                      .add<metrics::BitsPerToken>()
                                      .add<metrics::Perplexity>()
                                      .add<metrics::StepAccuracy>()
                                      .add<metrics::StepRmse>();
  return table;
}

}  // namespace vaetl
