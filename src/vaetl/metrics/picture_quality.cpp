#include "vaetl/metrics/picture_quality.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/rebuild.hpp"

namespace vaetl::metrics {
namespace {

constexpr std::int64_t window_side = 11;
constexpr double window_sigma = 1.5, no_error_decibels = 100;

// (C, 1, 11, 11), the same window for every channel.
at::Tensor gaussian_windows(std::int64_t channels, const at::TensorOptions& options) {
  const at::Tensor place = at::arange(window_side, options) - window_side / 2;
  const at::Tensor line = (place.square() / (-2 * window_sigma * window_sigma)).exp();
  const at::Tensor window = at::outer(line, line) / line.sum().square();
  return window.expand({channels, 1, window_side, window_side}).contiguous();
}

struct Compared {
  at::Tensor picture, rebuilt;
  double range = 1;
};

Compared compare(Pass& pass, const std::string& metric, std::int64_t least_side) {
  const FieldInfo info = pass.model().signature().inputs.at("input");
  const at::Tensor& x = pass.fields().input();
  const bool picture = x.dim() == 4 && x.is_floating_point() && info.high > info.low;
  if (!picture || x.size(2) < least_side || x.size(3) < least_side) {
    throw ConfigError({metric, fmt::format("pictures (N, C, H, W) of at least {0} x {0}", least_side),
                       "input of shape " + shape_text(x.sizes().vec()), "choose reconstruction_mse"});
  }
  return {x, rebuild(pass, metric)->mean(), info.high - info.low};
}

}  // namespace

at::Tensor psnr(const at::Tensor& x, const at::Tensor& y, double range) {
  const at::Tensor error = (x - y).to(at::kDouble).square().flatten(1).mean(1);
  return (10 * (range * range / error).log10()).clamp_max(no_error_decibels);
}

at::Tensor ssim(const at::Tensor& x, const at::Tensor& y, double range) {
  const double c1 = 0.01 * 0.01 * range * range, c2 = 0.03 * 0.03 * range * range;
  const at::Tensor a = x.to(at::kDouble), b = y.to(at::kDouble), windows = gaussian_windows(a.size(1), a.options());
  const auto mean = [&](const at::Tensor& values) {
    return at::conv2d(values, windows, {}, 1, at::IntArrayRef{0, 0}, 1, values.size(1));
  };
  const at::Tensor mean_a = mean(a), mean_b = mean(b);
  const at::Tensor variance_a = mean(a * a) - mean_a * mean_a, variance_b = mean(b * b) - mean_b * mean_b;
  const at::Tensor covariance = mean(a * b) - mean_a * mean_b;
  const at::Tensor similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2) /
                                ((mean_a.square() + mean_b.square() + c1) * (variance_a + variance_b + c2));
  return similarity.flatten(1).mean(1);
}

void Psnr::update(Pass& pass) {
  const Compared both = compare(pass, "metric psnr", 1);
  mean_.add(psnr(both.picture, both.rebuilt, both.range), pass.fields());
}

void Ssim::update(Pass& pass) {
  const Compared both = compare(pass, "metric ssim", window_side);
  mean_.add(ssim(both.picture, both.rebuilt, both.range), pass.fields());
}

}  // namespace vaetl::metrics
