#include "vaetl/nn/discrete_likelihood.hpp"

#include <ATen/ops/_sample_dirichlet.h>
#include <ATen/ops/binomial.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/lgamma.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/logit.h>
#include <ATen/ops/rand_like.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

namespace vaetl::nn {
namespace {

constexpr double top_level = 255;

at::Tensor level_of(const at::Tensor& x) { return (x * top_level).round().clamp(0, top_level); }

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

BetaBinomial::BetaBinomial(const at::Tensor& output) : concentration_(((output / 7).tanh() * 7).exp()) {}

// log Γ of α and β, of both with their counts, of their sum, and of that with all counts.
at::Tensor BetaBinomial::log_prob_each(const at::Tensor& x) const {
  const at::Tensor level = level_of(x), counts = at::stack({level, top_level - level}, 1);
  const at::Tensor sum = concentration_.sum(1);
  const at::Tensor ways = std::lgamma(top_level + 1) - at::lgamma(counts + 1).sum(1);
  const at::Tensor each = (at::lgamma(counts + concentration_) - at::lgamma(concentration_)).sum(1);
  return ways + each + at::lgamma(sum) - at::lgamma(sum + top_level);
}

at::Tensor BetaBinomial::mean() const { return concentration_.select(1, 0) / concentration_.sum(1); }

at::Tensor BetaBinomial::sample() const {
  const at::Tensor both = concentration_.movedim(1, -1).contiguous();
  const at::Tensor p = at::_sample_dirichlet(both).select(-1, 0);
  return at::binomial(at::full_like(p, top_level), p) / top_level;
}

}  // namespace vaetl::nn
