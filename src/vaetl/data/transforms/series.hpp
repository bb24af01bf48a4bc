// Series (N, T, F): each feature to mean 0 and standard deviation 1 over examples and time.
#pragma once
#include <vector>

#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

// x′ = (x − mean) / std for each feature. Where examples have a `length`, fit() counts the first `length` moments of
// each alone, and what is behind them stays 0. std is that of all values, 1 for a constant feature. DataError for
// another number of features, ConfigError where it was never fitted.
class StandardiseSeries final : public Transform {
 public:
  static constexpr const char* name = "standardise_series";
  struct Options {
    std::vector<double> mean = {}, std = {};
    static constexpr auto fields() {
      return std::tuple{
          field("mean", &Options::mean, "of each feature; empty: fitted on the training data"),
          field("std", &Options::std, "of each feature; empty: fitted on the training data", between(1e-300, 1e300))};
    }
    void validate() const;
  };
  explicit StandardiseSeries(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  Json fit(const Dataset& train) const override;
  std::optional<Range> range_before(std::optional<Range>) const override { return {}; }

 private:
  Options options_;
  at::Tensor mean_, factor_;  // float32 (F)
};

}  // namespace vaetl::transforms
