#include "vaetl/nn/discrete_likelihood.hpp"

#include <ATen/ops/_sample_dirichlet.h>
#include <ATen/ops/binomial.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/lgamma.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/logit.h>
#include <ATen/ops/rand_like.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>

namespace vaetl::nn {
namespace {

constexpr double top_level = 255;
constexpr int levels_of_byte = 256;

at::Tensor level_of(const at::Tensor& x) { return (x * top_level).round().clamp(0, top_level); }

// One example's part of a parameter like x, (D) float64.
at::Tensor of_example(const at::Tensor& parameter, std::int64_t example) {
  return parameter[example].flatten().to(at::kCPU, at::kDouble).contiguous();
}

// The masses of every element in turn, by `fill(element, masses)`. In plain loops, each element by itself: to the bit
// the same on any number of threads.
template <class Fill>
at::Tensor masses_of_elements(std::int64_t elements, Fill fill) {
  const at::Tensor result = at::empty({elements, levels_of_byte}, at::kDouble);
  auto* mass = result.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < elements; ++i) fill(i, mass + i * levels_of_byte);
  return result;
}

// From P(k + 1) / P(k) = (n − k)(k + α) / ((k + 1)(n − 1 − k + β)), outwards from about the mode, so that nothing grows
// beyond measure. With two humps, at the ends, that begins in the middle: the ends are higher by less than 10⁶.
void beta_binomial_masses(double alpha, double beta, double* mass) {
  constexpr int n = levels_of_byte - 1;
  double ratio[n];
  for (int k = 0; k < n; ++k) ratio[k] = ((n - k) * (k + alpha)) / ((k + 1) * (n - 1 - k + beta));
  const double excess = alpha + beta - 2, mode = excess > 0 ? n * (alpha - 1) / excess : 0.5 * n;
  const int start = static_cast<int>(std::clamp(mode, 0.0, double{n}));
  double total = mass[start] = 1;
  for (int k = start; k < n; ++k) total += mass[k + 1] = mass[k] * ratio[k];
  for (int k = start; k > 0; --k) total += mass[k - 1] = mass[k] / ratio[k - 1];
  for (int k = 0; k <= n; ++k) mass[k] /= total;
}

// Differences of the cumulative distribution at the edges between levels; the outermost bins reach to infinity.
void logistic_masses(double mean, double log_scale, double* mass) {
  const double rate = std::exp(-log_scale);
  double below = 0;
  for (int k = 0; k < levels_of_byte - 1; ++k) {
    const double next = 1 / (1 + std::exp((mean - (k + 0.5) / top_level) * rate));
    mass[k] = next - below;
    below = next;
  }
  mass[levels_of_byte - 1] = 1 - below;
}

}  // namespace

DiscretisedLogistic::DiscretisedLogistic(const at::Tensor& output)
    : mean_(output.select(1, 0)), log_scale_(softly_above(output.select(1, 1), -8)) {}

// With a and b the bin's edges in units of s, σ(a) − σ(b) = σ(a) σ(−b) (1 − exp(b − a)): three factors, none of which
// cancels. A bin that reaches to infinity lacks the factor of that side and the last one.
at::Tensor DiscretisedLogistic::log_prob_each(const at::Tensor& x) const {
  const at::Tensor level = level_of(x), rate = (-log_scale_).exp(), centred = level / top_level - mean_;
  const at::Tensor above = at::log_sigmoid((centred + 0.5 / top_level) * rate);
  const at::Tensor below = at::log_sigmoid((0.5 / top_level - centred) * rate);
  const at::Tensor width = (-(rate * (-1 / top_level)).expm1()).log();
  const at::Tensor least = level.eq(0), greatest = level.eq(top_level);
  return above.masked_fill(greatest, 0) + below.masked_fill(least, 0) +
         width.masked_fill(least.logical_or(greatest), 0);
}

// ∫₀¹ P(X > t) dt = s (softplus(µ / s) − softplus((µ − 1) / s)).
at::Tensor DiscretisedLogistic::mean() const {
  const at::Tensor scale = log_scale_.exp();
  return scale * (at::softplus(mean_ / scale) - at::softplus((mean_ - 1) / scale));
}

at::Tensor DiscretisedLogistic::sample() const {
  const at::Tensor drawn = mean_ + log_scale_.exp() * at::logit(at::rand_like(mean_), 1e-7);
  return level_of(drawn) / top_level;
}

at::Tensor DiscretisedLogistic::masses(std::int64_t example) const {
  const at::Tensor means = of_example(mean_, example), log_scales = of_example(log_scale_, example);
  const auto *mean = means.const_data_ptr<double>(), *log_scale = log_scales.const_data_ptr<double>();
  return masses_of_elements(means.numel(),
                            [&](std::int64_t i, double* mass) { logistic_masses(mean[i], log_scale[i], mass); });
}

BetaBinomial::BetaBinomial(const at::Tensor& output) : concentration_(((output / 7).tanh() * 7).exp()) {}

// log Γ of α and β, of both with their counts, of their sum, and of that with all counts.
at::Tensor BetaBinomial::log_prob_each(const at::Tensor& x) const {
  const at::Tensor level = level_of(x), counts = at::stack({level, top_level - level}, 1);
  const at::Tensor sum = concentration_.sum(1);
  const at::Tensor ways = std::lgamma(top_level + 1) - at::lgamma(counts + 1).sum(1);
  const at::Tensor each = (at::lgamma(counts + concentration_) - at::lgamma(concentration_)).sum(1);
  return ways + each + at::lgamma(sum) - at::lgamma(sum + top_level);
}

at::Tensor BetaBinomial::masses(std::int64_t example) const {
  const at::Tensor both = of_example(concentration_, example);
  const std::int64_t elements = both.numel() / 2;
  const auto* alpha = both.const_data_ptr<double>();
  return masses_of_elements(
      elements, [&](std::int64_t i, double* mass) { beta_binomial_masses(alpha[i], alpha[elements + i], mass); });
}

at::Tensor BetaBinomial::mean() const { return concentration_.select(1, 0) / concentration_.sum(1); }

at::Tensor BetaBinomial::sample() const {
  const at::Tensor both = concentration_.movedim(1, -1).contiguous();
  const at::Tensor p = at::_sample_dirichlet(both).select(-1, 0);
  return at::binomial(at::full_like(p, top_level), p) / top_level;
}

}  // namespace vaetl::nn
