// Against torchmetrics, scikit-learn and scikit-image: tests/parity/quality.py.
#include <ATen/ATen.h>

#include "objectives/support.hpp"
#include "support/expect_error.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/metrics/picture_quality.hpp"

namespace vaetl::testing::quality_test {
namespace {

at::Tensor quality_reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/quality.safetensors");
  return file.tensors.at(name);
}

double quality_number(const std::string& name) { return quality_reference(name).item<double>(); }

// A model whose logits are the reference's, and the metric over batches that end at `ends`.
double quality_score(const std::string& reference, const std::vector<std::int64_t>& ends,
                     const at::Tensor& weights = {}) {
  ToyModel model(6, 2);
  const auto metric = make_metric(reference);
  std::int64_t begin = 0;
  for (const std::int64_t end : ends) {
    Batch data = batch({{"features", quality_reference("logits").slice(0, begin, end)},
                        {"target", quality_reference("labels").slice(0, begin, end)}});
    if (weights.defined()) data.begin()->second.set("weight", weights.slice(0, begin, end));
    Pass pass(model, data);
    metric->update(pass);
    begin = end;
  }
  return metric->result();
}

TEST(Quality, CalibrationEqualsTorchmetrics) {
  for (const auto& ends : {std::vector<std::int64_t>{200}, {1, 70, 200}}) {
    EXPECT_NEAR(quality_score("ece?bins=5", ends), quality_number("ece5"), 1e-6);  // theirs is float32
    EXPECT_NEAR(quality_score("ece", ends), quality_number("ece15"), 1e-6);
  }
  at::Tensor weights = at::zeros({200}, at::kDouble);
  weights.slice(0, 0, 80) += 2;
  EXPECT_NEAR(quality_score("ece", {200}, weights), quality_score("ece", {80}), 1e-12) << "a weight of 0 is no example";
}

TEST(Quality, TopKEqualsScikitLearn) {
  EXPECT_NEAR(quality_score("top_k?k=1", {200}), quality_number("top1"), 1e-12);
  EXPECT_NEAR(quality_score("top_k?k=3", {50, 200}), quality_number("top3"), 1e-12);
  EXPECT_EQ(quality_score("top_k?k=6", {200}), 1);
  expect_error<ConfigError>([] { quality_score("top_k?k=7", {200}); },
                            {"metric top_k: k: expected at most the model's 6 classes, found 7"});
}

TEST(Quality, LikenessEqualsScikitImage) {
  const at::Tensor x = quality_reference("x"), y = quality_reference("y");
  EXPECT_TRUE(at::allclose(metrics::psnr(x, y, 1), quality_reference("psnr"), 1e-9));
  // Their window ends at 3.5 σ, which is 5 pixels as here.
  EXPECT_TRUE(at::allclose(metrics::ssim(x, y, 1), quality_reference("ssim"), 0, 1e-9))
      << metrics::ssim(x, y, 1) << quality_reference("ssim");
  EXPECT_TRUE(at::allclose(metrics::ssim(255 * x, 255 * y, 255), quality_reference("ssim"), 0, 1e-9));
  EXPECT_EQ(metrics::psnr(x, x, 1)[0].item<double>(), 100);
  EXPECT_NEAR(metrics::ssim(x, x, 1)[0].item<double>(), 1, 1e-12);
}

}  // namespace
}  // namespace vaetl::testing::quality_test
