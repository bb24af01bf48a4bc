#include "vaetl/objectives/squared_error.hpp"

#include "objectives/support.hpp"
#include "support/fields_cover.hpp"
#include "support/toy_regressor.hpp"

namespace vaetl::testing::squared_error_test {
namespace {

const auto& given = regression_reference;

void expect_equal(const objectives::SquaredError::Options& options, const std::string& term) {
  ToyRegressor model(3);
  const at::Tensor predictions = given("predictions").clone().requires_grad_();
  Batch data = batch({{"features", predictions}, {"target", given("target")}});
  auto objective = make<objectives::SquaredError>(options);
  objective->bind(model, data);
  Pass pass(model, data);
  const Terms terms = objective->backward(0, pass);
  EXPECT_EQ(names(terms.minimised()), std::vector<std::string>{term});
  expect_near(terms.total(), given(options.loss + ".loss"));
  expect_near(predictions.grad(), given(options.loss + ".gradient"));
  data.begin()->second.set("weight", given("weight"));
  Pass weighted(model, data);
  expect_near(objective->terms(0, weighted).total(), given(options.loss + ".weighted"));
}

TEST(SquaredError, OptionsAreDescribed) { expect_fields_cover<objectives::SquaredError::Options>(); }
TEST(SquaredError, EqualsPyTorch) { expect_equal({}, "squared_error"); }
TEST(SquaredError, AbsoluteEqualsPyTorch) { expect_equal({.loss = "absolute"}, "absolute_error"); }
TEST(SquaredError, HuberEqualsPyTorch) { expect_equal({.loss = "huber", .delta = 0.7}, "huber"); }

TEST(SquaredError, TargetsHaveTheShapeOfPredictions) {
  ToyRegressor model(1);
  auto objective = make<objectives::SquaredError>({});
  // (N) is (N, 1), and no (N, N) comes of it.
  const at::Tensor x = at::arange(4, at::kDouble);
  Batch data = batch({{"features", x.unsqueeze(1)}, {"target", x + 2}});
  Pass pass(model, data);
  expect_near(objective->terms(0, pass).total(), at::full({}, 4, at::kDouble));
  expect_error<DataError>(
      [&] {
        objective->bind(model, batch({{"features", x.unsqueeze(1)}, {"target", at::zeros({4, 2})}}));
      },
      {"objective squared_error: expected targets of shape (4, 1), as the model predicts, found (4, 2)"});
  ToyModel classifier(4, 2);
  expect_error<ConfigError>(
      [&] {
        objective->bind(classifier, batch({{"features", x}, {"target", x}}));
      },
      {"squared_error", "offers Regressor", "choose another model"});
}

}  // namespace
}  // namespace vaetl::testing::squared_error_test
