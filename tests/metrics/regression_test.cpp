// Metrics of regression against the reference of tests/parity/regression.py, in one batch and in uneven ones, for
// values near 10⁴ that the model sees standardised.
#include <ATen/ops/zeros.h>

#include "objectives/support.hpp"
#include "support/toy_regressor.hpp"
#include "vaetl/metrics/metric.hpp"

namespace vaetl::testing::regression_test {
namespace {

double score(const std::string& name, const std::vector<std::int64_t>& ends, bool weighted, double shift) {
  ToyRegressor model(3);
  const auto metric = make<Metric>(name, Json::object());
  std::int64_t begin = 0;
  for (std::int64_t end : ends) {
    auto part = [&](const char* key) { return regression_reference(key).slice(0, begin, end); };
    Batch data = batch({{"features", part("predictions") + shift},
                        {"target", part("target") + shift},
                        {"target.scale", part("scale")}});
    if (weighted) data.begin()->second.set("weight", part("weight"));
    Pass pass(model, data);
    metric->update(pass);
    begin = end;
  }
  return metric->result();
}

TEST(RegressionMetrics, EqualNumPyInAnyBatches) {
  for (const std::string name : {"rmse", "mae", "r2"}) {
    for (const bool weighted : {false, true}) {
      const double expected = regression_reference(name + (weighted ? ".weighted" : ".plain")).item<double>();
      for (const auto& ends : {std::vector<std::int64_t>{7}, {3, 7}, {1, 2, 6, 7}}) {
        // A shift of 10³ costs r2 three of sixteen digits, and those of its squares no more: moments are merged.
        EXPECT_NEAR(score(name, ends, weighted, 1e3), expected, 1e-10 * std::max(1.0, std::abs(expected))) << name;
      }
    }
  }
}

TEST(RegressionMetrics, R2OfAConstantIsOneOrNothing) {
  ToyRegressor model(1);
  for (const double error : {0.0, 2.0}) {
    const auto metric = make<Metric>("r2", Json::object());
    Batch data =
        batch({{"features", at::zeros({3, 1}, at::kDouble) + error}, {"target", at::zeros({3, 1}, at::kDouble)}});
    Pass pass(model, data);
    metric->update(pass);
    EXPECT_EQ(metric->result(), error == 0 ? 1 : 0);
  }
  expect_error<DataError>([] { make<Metric>("r2", Json::object())->result(); }, {"metric r2", "at least one example"});
}

}  // namespace
}  // namespace vaetl::testing::regression_test
