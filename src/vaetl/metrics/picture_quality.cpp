#include "vaetl/metrics/picture_quality.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/rebuild.hpp"

namespace vaetl::metrics {
namespace {

constexpr std::int64_t values_together = 1 << 22;  // bounds the memory of windows
constexpr double window_sigma = 1.5, no_error_decibels = 100;

// Means of (N, C, H, W) under a Gaussian window, (N, C, H − 10, W − 10): along columns, then along rows.
at::Tensor window_means(const at::Tensor& values) {
  const at::Tensor place = at::arange(ssim_window, values.options()) - ssim_window / 2;
  const at::Tensor line = (place.square() / (-2 * window_sigma * window_sigma)).exp();
  const at::Tensor window = line / line.sum();
  const std::int64_t channels = values.size(1);
  const at::Tensor down = window.view({1, 1, -1, 1}).expand({channels, 1, ssim_window, 1}).contiguous();
  const at::Tensor across = window.view({1, 1, 1, -1}).expand({channels, 1, 1, ssim_window}).contiguous();
  const std::vector<std::int64_t> none = {0, 0};
  return at::conv2d(at::conv2d(values, down, {}, 1, none, 1, channels), across, {}, 1, none, 1, channels);
}

at::Tensor ssim_together(const at::Tensor& a, const at::Tensor& b, double range) {
  const double c1 = 0.01 * 0.01 * range * range, c2 = 0.03 * 0.03 * range * range;
  const at::Tensor mean_a = window_means(a), mean_b = window_means(b);
  const at::Tensor variance_a = window_means(a * a) - mean_a * mean_a;
  const at::Tensor variance_b = window_means(b * b) - mean_b * mean_b;
  const at::Tensor covariance = window_means(a * b) - mean_a * mean_b;
  const at::Tensor similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2) /
                                ((mean_a.square() + mean_b.square() + c1) * (variance_a + variance_b + c2));
  return similarity.flatten(1).mean(1);
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
  const std::int64_t each = x[0].numel(), together = std::max<std::int64_t>(1, values_together / each);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < x.size(0); from += together) {
    const auto part = [&](const at::Tensor& all) { return all.slice(0, from, from + together).to(at::kDouble); };
    parts.push_back(ssim_together(part(x), part(y), range));
  }
  return at::cat(parts);
}

void Psnr::update(Pass& pass) {
  const Compared both = compare(pass, "metric psnr", 1);
  mean_.add(psnr(both.picture, both.rebuilt, both.range), pass.fields());
}

void Ssim::update(Pass& pass) {
  const Compared both = compare(pass, "metric ssim", ssim_window);
  mean_.add(ssim(both.picture, both.rebuilt, both.range), pass.fields());
}

}  // namespace vaetl::metrics
