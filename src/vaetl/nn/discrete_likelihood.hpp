// p(x | z) over the 256 levels of 8 bit data: x in [0, 1] stands for level k of k / 255, the nearest where it lies
// between two. These are probabilities, so log p is at most 0, and −log₂ p is what an ideal code of x costs.
#pragma once
#include "vaetl/nn/likelihood.hpp"

namespace vaetl::nn {

// What a logistic distribution puts on each level's bin (arXiv:1606.04934; the outermost bins reach to
// infinity, arXiv:1701.05517, equation 2):
//   P(k) = σ((x + h − µ) / s) − σ((x − h − µ) / s),  h = 1/510
// from (N, 2, …): µ, then r with log s = l + softplus(r − l), l = −8, s a tenth of a level or more.
class DiscretisedLogistic final : public OfElements, public OverLevels {
 public:
  explicit DiscretisedLogistic(const at::Tensor& output);
  at::Tensor log_prob_each(const at::Tensor& x) const override;
  // Of the logistic clamped to [0, 1], in closed form: the levels' own mean but for the midpoint rule's error.
  at::Tensor mean() const override;
  at::Tensor sample() const override;
  std::int64_t levels() const override { return 256; }
  at::Tensor masses(std::int64_t example) const override;

 private:
  at::Tensor mean_, log_scale_;
};

// P(k) = C(255, k) B(k + α, 255 − k + β) / B(α, β), from (N, 2, …) a, b with log α = 7 tanh(a / 7), so that α lies
// between e⁻⁷ and e⁷, and β likewise. It is the one that bits-back coding uses for 8 bit images (arXiv:1901.04866).
class BetaBinomial final : public OfElements, public OverLevels {
 public:
  explicit BetaBinomial(const at::Tensor& output);
  at::Tensor log_prob_each(const at::Tensor& x) const override;
  at::Tensor mean() const override;  // α / (α + β)
  at::Tensor sample() const override;
  std::int64_t levels() const override { return 256; }
  at::Tensor masses(std::int64_t example) const override;

 private:
  at::Tensor concentration_;  // (N, 2, …): α, β
};

}  // namespace vaetl::nn
