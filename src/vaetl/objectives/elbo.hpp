// The negative evidence lower bound, what a variational autoencoder minimises:
//   −E_{z ~ q(z|x)} log p(x|z)  +  β KL(q(z|x) ‖ p(z)),   one sample z a data point
// arXiv:1312.6114, equation 10, with β = 1; another β is the β-VAE (Higgins et al., ICLR 2017), and a schedule warms it
// up. The KL is in closed form where p(z) = N(0, 1), else log q(z|x) − log p(z) of the same sample. With free bits λ it
// is
//   Σ_j max(λ, mean over the batch of KL_j),   j the dimensions of z
// which leaves each of them λ nats for nothing (arXiv:1606.04934, appendix, objective with free bits). Terms
// "reconstruction" and "kl" (free bits and β applied); logged "elbo" (β = 1, λ = 0 whatever the options say). Nats an
// example. ConfigError for free bits with another prior than N(0, 1), whose KL has no parts.
//
//   Trainer({.epochs = 10}).fit(vae, make<objectives::Elbo>({.beta = Schedule::linear(0, 1)}), data.train);
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class Elbo final : public Objective {
 public:
  static constexpr std::string_view name = "elbo";
  struct Options {
    Schedule beta = 1.0;
    double free_bits = 0;
    static constexpr auto fields() {
      return std::tuple{
          field("beta", &Options::beta, "weight of the KL term: a number or a curve", at_least(0)),
          field("free_bits", &Options::free_bits, "nats of KL that each dimension of z has for nothing", at_least(0))};
    }
  };

  explicit Elbo(Options options) : options_(std::move(options)) {}
  Needs needs() const override { return {.capabilities = {"Variational"}, .fields = {"input"}}; }
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Options options_;
};

}  // namespace vaetl::objectives
