// What a decoder says of x: p(x | z) for a batch, over inputs in [0, 1]. Those over 256 levels are in
// nn/discrete_likelihood.hpp.
#pragma once
#include <memory>
#include <string>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/levels.hpp"

namespace vaetl::nn {

inline constexpr Choices likelihoods = {"bernoulli", "gaussian", "learned_gaussian", "discretised_logistic",
                                        "beta_binomial"};

// log p is a sum over the elements.
class OfElements : public Likelihood {
 public:
  at::Tensor log_prob(const at::Tensor& x) const override;
};

// log p = Σ x log σ(l) + (1 − x) log(1 − σ(l)), from logits l like x (arXiv:1312.6114, appendix C.1). For x in [0, 1]
// other than 0 and 1 it is the usual surrogate, not a density: the levels that have a probability are 0 and 1.
class Bernoulli final : public OfElements, public OverLevels {
 public:
  explicit Bernoulli(at::Tensor logits) : logits_(std::move(logits)) {}
  at::Tensor log_prob(const at::Tensor& x) const override;  // in one pass
  at::Tensor squared_distance(const at::Tensor& x) const override;
  at::Tensor log_prob_each(const at::Tensor& x) const override;
  bool has_logits() const override { return true; }
  at::Tensor mean() const override;  // σ(l)
  at::Tensor sample() const override;
  std::int64_t levels() const override { return 2; }
  at::Tensor masses(std::int64_t example) const override;

 private:
  at::Tensor logits_;
};

// log p = −½ Σ ((x − µ)² / σ² + log 2πσ²) with the same fixed σ² everywhere. The default, σ = 0.1, is about the error
// that remains on small images, hence near the best fixed one (arXiv:2006.13202, section 4).
class FixedGaussian final : public OfElements {
 public:
  explicit FixedGaussian(at::Tensor mean, double variance = 0.01) : mean_(std::move(mean)), variance_(variance) {}
  at::Tensor log_prob(const at::Tensor& x) const override;  // what all elements share is added once
  at::Tensor log_prob_each(const at::Tensor& x) const override;
  at::Tensor mean() const override { return mean_; }
  at::Tensor sample() const override;

 private:
  at::Tensor mean_;
  double variance_;
};

// The same with a σ for each value of x, from (N, 2, …): µ, then s with log σ = l + softplus(s − l), l = log(1/256). So
// σ is at least a step of 8 bit data: a density of values that have 256 levels could grow without bound. (The σ-VAE of
// arXiv:2006.13202 learns one σ for all.)
class LearnedGaussian final : public OfElements {
 public:
  explicit LearnedGaussian(const at::Tensor& output);
  at::Tensor log_prob_each(const at::Tensor& x) const override;
  at::Tensor mean() const override { return mean_; }
  at::Tensor sample() const override;

 private:
  at::Tensor mean_, log_sigma_;
};

// How many tensors like x the likelihood is made from: the decoder's output is like x for one, (N, maps, …) for more.
std::int64_t likelihood_maps(const std::string& name);

// By name, from what the decoder puts out; `sigma` is that of "gaussian". ConfigError for another name.
std::shared_ptr<Likelihood> make_likelihood(const std::string& name, at::Tensor output, double sigma = 0.1);

// log p(x | z) (N) of padded sequences x (N, T, …): of the steps before the ends `lengths` (N) alone; undefined
// lengths: there is no padding but what p itself knows of. Of token ids x (N, T) also of the padding that ends a text.
at::Tensor log_prob_before(const Likelihood& likelihood, const at::Tensor& x, const at::Tensor& lengths);
// The same of a batch's input, whose field `length` says where sequences end. `by` begins a DataError about it.
at::Tensor log_prob_of(const Likelihood& likelihood, const Fields& fields, const std::string& by);
// The same divided by the number of an example's elements, or tokens, before its end.
at::Tensor mean_log_prob(const Likelihood& likelihood, const Fields& fields, const std::string& by);
// (N): the mean of (mean − x)² over an example's elements, before its end where the batch has `length`.
at::Tensor mean_squared_error(const Likelihood& likelihood, const Fields& fields, const std::string& by);

// low + softplus(values − low): like `values` where they are well above `low`, and never below it.
at::Tensor softly_above(const at::Tensor& values, double low);

}  // namespace vaetl::nn
