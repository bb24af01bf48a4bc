#include "vaetl/metrics/variational.hpp"

#include "vaetl/core/random.hpp"

namespace vaetl::metrics {

Elbo::Elbo(Options) : generator_(make_generator(random_key(0, Purpose::evaluate))) {}

void Elbo::update(Pass& pass) {
  const Gaussian& q = pass.posterior();
  const at::Tensor noise = at::randn(q.mean.sizes(), generator_, at::kFloat).to(q.mean);
  const auto likelihood = require<Variational>(pass.model()).decode(q.mean + (0.5 * q.log_var).exp() * noise);
  mean_.add(likelihood->log_prob(pass.fields().input()) - q.kl_to_standard(), pass.fields());
}

void ReconstructionMse::update(Pass& pass) {
  const at::Tensor& x = pass.fields().input();
  const auto likelihood = require<Variational>(pass.model()).decode(pass.posterior().mean);
  mean_.add((x - likelihood->mean()).square().flatten(1).mean(1), pass.fields());
}

}  // namespace vaetl::metrics
