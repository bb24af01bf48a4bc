// How like a picture what a model rebuilds of it is, for people's eyes: decode(encode(x)), as reconstruction.hpp has
// it. Means over examples; instance weights count. L is the range of the model's input, high − low.
#pragma once
#include "vaetl/metrics/metric.hpp"
#include "vaetl/metrics/weighted_mean.hpp"

namespace vaetl::metrics {

// The peak signal-to-noise ratio of each example, 10 log10(L² / mean squared error), in decibels. A picture without any
// error counts 100.
class Psnr final : public Metric {
 public:
  static constexpr std::string_view name = "psnr";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit Psnr(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Encoder", "Decoder"}, .fields = {"input"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return true; }
  bool on_request() const override { return true; }

 private:
  WeightedMean mean_;
};

// The structural similarity (Wang et al., IEEE Transactions on Image Processing 13, 2004, eq. 13), with a Gaussian
// window of 11 × 11 and σ = 1.5, K1 = 0.01, K2 = 0.03, over the places where the window fits, and over channels. 1: the
// same picture. ConfigError where the input is no picture of 11 × 11 at least.
class Ssim final : public Metric {
 public:
  static constexpr std::string_view name = "ssim";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };

  explicit Ssim(Options = {}) {}
  Needs needs() const override { return {.capabilities = {"Encoder", "Decoder"}, .fields = {"input"}}; }
  void update(Pass& pass) override;
  double result() const override { return mean_.result(name); }
  bool higher_is_better() const override { return true; }
  bool on_request() const override { return true; }

 private:
  WeightedMean mean_;
};

constexpr std::int64_t ssim_window = 11;  // its side: the smallest picture that ssim() takes

// x, y (N, C, H, W) of range L → (N).
at::Tensor psnr(const at::Tensor& x, const at::Tensor& y, double range);
at::Tensor ssim(const at::Tensor& x, const at::Tensor& y, double range);

}  // namespace vaetl::metrics
