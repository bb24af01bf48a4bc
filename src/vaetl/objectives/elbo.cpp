#include "vaetl/objectives/elbo.hpp"

#include "vaetl/nn/likelihood.hpp"
#include "vaetl/nn/variational.hpp"

namespace vaetl::objectives {
namespace {

at::Tensor kl_beyond_free_bits(const Gaussian& q, double free_bits, const Pass& pass) {
  std::vector<at::Tensor> means;
  for (const at::Tensor& dimension : kl_by_dimension(q).unbind(1)) means.push_back(pass.mean(dimension));
  return at::stack(means).clamp_min(free_bits).sum();
}

}  // namespace

void Elbo::bind(Model& model, const Batch& /*example*/) {
  if (options_.free_bits == 0) return;
  auto& variational = require<Variational>(model, "objective elbo");
  const at::Tensor z = at::zeros({1, variational.latent_size()}, model.parameters().front().options());
  const bool conditional = offers(model, Conditional::capability);
  const at::Tensor condition = conditional ? at::zeros({1}, z.options().dtype(at::kLong)) : at::Tensor();
  if (!variational.log_prior(z, condition).defined()) return;
  throw ConfigError({"objective.free_bits", "0 where the model's prior is not standard",
                     fmt::format("{}", options_.free_bits), "its KL has no parts for the dimensions of z"});
}

Terms Elbo::terms(std::size_t /*update*/, Pass& pass) {
  auto& model = require<Variational>(pass.model());
  const Gaussian& q = pass.posterior();
  const at::Tensor z = q.rsample();
  const auto likelihood = model.decode(z, pass.condition());
  const at::Tensor reconstruction = -pass.mean(nn::log_prob_of(*likelihood, pass.fields(), "objective elbo"));
  const at::Tensor kl = pass.mean(kl_to_prior(model, q, z, pass.condition()));
  const at::Tensor paid = options_.free_bits > 0 ? kl_beyond_free_bits(q, options_.free_bits, pass) : kl;
  return Terms{}
      .add("reconstruction", reconstruction)
      .add("kl", pass.value(options_.beta) * paid)
      .log("elbo", -(reconstruction + kl));
}

}  // namespace vaetl::objectives
