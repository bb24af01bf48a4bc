#include "vaetl/nn/variational.hpp"

#include <numbers>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/likelihood.hpp"

namespace vaetl {
namespace {

const double log_two_pi = std::log(2 * std::numbers::pi);

// (N, …) → (S N, …), the whole batch S times.
at::Tensor repeated(const at::Tensor& values, std::int64_t times) {
  std::vector<std::int64_t> sizes = {times};
  sizes.insert(sizes.end(), values.sizes().begin(), values.sizes().end());
  return values.unsqueeze(0).expand(sizes).flatten(0, 1);
}

at::Tensor log_prior_of(Variational& model, const at::Tensor& z, const at::Tensor& condition) {
  const at::Tensor own = model.log_prior(z, condition);
  return own.defined() ? own : -0.5 * (z.square() + log_two_pi).sum(1);
}

}  // namespace

at::Tensor kl_by_dimension(const Gaussian& q) { return 0.5 * (q.mean.square() + q.log_var.exp() - 1 - q.log_var); }

at::Tensor kl_to_prior(Variational& model, const Gaussian& q, const at::Tensor& z, const at::Tensor& condition) {
  const at::Tensor log_prior = model.log_prior(z, condition);
  return log_prior.defined() ? q.log_prob(z) - log_prior : q.kl_to_standard();
}

// By the noise itself, log q(z|x) needs no z − mean, which would cancel.
at::Tensor log_weights(Variational& model, const Gaussian& q, const at::Tensor& noise, const at::Tensor& x,
                       const at::Tensor& condition, const at::Tensor& lengths) {
  const std::int64_t samples = noise.size(0), count = noise.size(1);
  const at::Tensor z = nn::gaussian_sample(q.mean, q.log_var, noise).flatten(0, 1);
  const at::Tensor log_q = -0.5 * (noise.square() + q.log_var + log_two_pi).sum(2);
  const at::Tensor classes = condition.defined() ? repeated(condition, samples) : condition;
  const at::Tensor ends = lengths.defined() ? repeated(lengths, samples) : lengths;
  const at::Tensor log_likelihood = nn::log_prob_before(*model.decode(z, classes), repeated(x, samples), ends);
  const at::Tensor log_joint = log_likelihood + log_prior_of(model, z, classes);
  return log_joint.view({samples, count}) - log_q;
}

}  // namespace vaetl
