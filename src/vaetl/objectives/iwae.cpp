#include "vaetl/objectives/iwae.hpp"

#include "vaetl/nn/sequence.hpp"
#include "vaetl/nn/variational.hpp"

namespace vaetl::objectives {

Terms Iwae::terms(std::size_t /*update*/, Pass& pass) {
  const Gaussian& q = pass.posterior();
  const at::Tensor noise = at::randn({options_.samples, q.mean.size(0), q.mean.size(1)}, q.mean.options());
  const at::Tensor weights = log_weights(require<Variational>(pass.model()), q, noise, pass.fields().input(),
                                         pass.condition(), nn::batch_lengths(pass.fields(), "objective iwae"));
  const at::Tensor bound = pass.mean(weights.logsumexp(0) - std::log(static_cast<double>(options_.samples)));
  return Terms{}.add("iwae", -bound).log("bound", bound).log("elbo", pass.mean(weights.mean(0)));
}

}  // namespace vaetl::objectives
