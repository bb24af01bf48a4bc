#include "vaetl/objectives/elbo.hpp"

namespace vaetl::objectives {

Terms Elbo::terms(std::size_t /*update*/, Pass& pass) {
  const Gaussian& q = pass.posterior();
  const auto likelihood = require<Variational>(pass.model()).decode(q.rsample());
  const at::Tensor reconstruction = -pass.mean(likelihood->log_prob(pass.fields().input()));
  const at::Tensor kl = pass.mean(q.kl_to_standard());
  return Terms{}
      .add("reconstruction", reconstruction)
      .add("kl", pass.value(options_.beta) * kl)
      .log("elbo", -(reconstruction + kl));
}

}  // namespace vaetl::objectives
