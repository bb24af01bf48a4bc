// How sure metrics are: 95 % intervals by the bootstrap (Efron, Annals of Statistics 7, 1979). The examples are drawn
// again and again with replacement, as many as there are; between the 2.5 and 97.5 percentiles of what a metric says of
// these resamples lies its interval (Efron and Tibshirani 1993, section 13.3).
//
//   const auto sure = bootstrap(*model, fashion.test, {"accuracy", "auroc"}, {.count = 1000});
//   std::cout << sure.at("accuracy").low;
#pragma once
#include "vaetl/core/config.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl {

struct BootstrapOptions {
  std::int64_t count = 1000;
  std::uint64_t seed = 0;
  std::function<void(double share)> progress = {};
  static constexpr auto fields() {
    using B = BootstrapOptions;
    return std::tuple{field("count", &B::count, "resamples of the examples", between(20, 100000)),
                      field("seed", &B::seed, "of what is drawn")};
  }
};

struct Percentiles {
  double low = 0, high = 0;
};

// Metric → interval, for those that do not compare with training data. The model runs over the data once and each
// metric is told of every resample as the field "weight", how often an example was drawn; what it computes itself, a
// sampled ELBO say, is computed for each. One byte of memory an example and resample. DataError for examples that
// overlap (windows of a series), which cannot be drawn one by one.
std::map<std::string, Percentiles> bootstrap(Model& model, const Dataset& data, const std::vector<std::string>& metrics,
                                             const BootstrapOptions& options = {});

}  // namespace vaetl
