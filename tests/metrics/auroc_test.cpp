// Against scikit-learn and, for the interval, its definition: tests/parity/detect.py.
#include "vaetl/metrics/auroc.hpp"

#include <ATen/ATen.h>

#include "objectives/support.hpp"
#include "support/expect_error.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::testing::auroc_test {
namespace {

at::Tensor detect_reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/detect.safetensors");
  return file.tensors.at(name);
}

double detect_number(const std::string& name) { return detect_reference(name).item<double>(); }

TEST(Auroc, EqualsScikitLearnWithTies) {
  const at::Tensor scores = detect_reference("binary.scores");
  const at::Tensor positive = detect_reference("binary.positive").to(at::kBool);
  const auto area = metrics::area_under_curve(scores, positive);
  EXPECT_NEAR(area.value, detect_number("binary.area"), 1e-12);
  EXPECT_NEAR(area.low, detect_number("binary.low"), 1e-12);
  EXPECT_NEAR(area.high, detect_number("binary.high"), 1e-12);
  const at::Tensor weights = detect_reference("binary.weights");
  EXPECT_NEAR(metrics::weighted_area(scores, positive, weights), detect_number("binary.weighted"), 1e-12);
  EXPECT_NEAR(metrics::area_under_curve(-scores, positive).value, 1 - area.value, 1e-12);
  EXPECT_NEAR(metrics::area_under_curve(3 * scores.exp(), positive).value, area.value, 1e-12);
}

TEST(Auroc, EndsOfTheScale) {
  const at::Tensor positive = at::tensor({1, 1, 0, 0}).to(at::kBool);
  const auto perfect = metrics::area_under_curve(at::tensor({3.0, 4.0, 1.0, 2.0}), positive);
  EXPECT_EQ(perfect.value, 1);
  EXPECT_EQ(perfect.high, 1);
  EXPECT_EQ(metrics::area_under_curve(at::tensor({1.0, 1.0, 2.0, 2.0}), positive).value, 0);
  EXPECT_EQ(metrics::area_under_curve(at::zeros({4}), positive).value, 0.5);
}

// The metric over batches that end at `ends`.
double classifier_auroc(std::int64_t classes, const std::vector<std::int64_t>& ends, bool weighted) {
  const std::string of = fmt::format("classes{}.", classes);
  ToyModel model(classes, 2);
  const auto metric = make_metric("auroc");
  std::int64_t begin = 0;
  for (const std::int64_t end : ends) {
    Batch data = batch({{"features", detect_reference(of + "logits").slice(0, begin, end)},
                        {"target", detect_reference(of + "labels").slice(0, begin, end)}});
    if (weighted) data.begin()->second.set("weight", detect_reference(of + "weights").slice(0, begin, end));
    Pass pass(model, data);
    metric->update(pass);
    begin = end;
  }
  return metric->result();
}

TEST(Auroc, OfClassifiersEqualsScikitLearn) {
  for (const std::int64_t classes : {2, 4}) {
    const std::int64_t count = classes + 40;
    for (const auto& ends : {std::vector<std::int64_t>{count}, {1, 7, count}}) {
      const std::string of = fmt::format("classes{}.", classes);
      EXPECT_NEAR(classifier_auroc(classes, ends, false), detect_number(of + "area"), 1e-9);
      EXPECT_NEAR(classifier_auroc(classes, ends, true), detect_number(of + "weighted"), 1e-9);
    }
  }
}

TEST(Auroc, NeedsBothKinds) {
  expect_error<DataError>([] { metrics::area_under_curve(at::ones({3}), at::ones({3}, at::kBool)); },
                          {"metric auroc: expected positive and negative examples, found no negative one"});
  expect_error<DataError>([] { metrics::area_under_curve(at::ones({3}), at::zeros({3}, at::kBool)); },
                          {"found no positive one"});
  const at::Tensor nan = at::full({2}, std::nan(""));
  expect_error<DataError>(
      [&] {
        metrics::area_under_curve(nan, at::tensor({1, 0}).to(at::kBool));
      },
      {"expected scores that are numbers"});
  expect_error<DataError>([] { classifier_auroc(4, {3}, false); }, {"found no positive one"});
}

}  // namespace
}  // namespace vaetl::testing::auroc_test
