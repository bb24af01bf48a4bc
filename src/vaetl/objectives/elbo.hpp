// The negative evidence lower bound, what a variational autoencoder minimises:
//   −E_{z ~ q(z|x)} log p(x|z)  +  β KL(q(z|x) ‖ p(z)),   one sample z a data point
// arXiv:1312.6114, equation 10, with β = 1; another β is the β-VAE (Higgins et al., ICLR 2017), and a schedule warms it
// up. Terms "reconstruction" and "kl" (β applied); logged "elbo" (β = 1 whatever the options say). Nats an example.
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
    static constexpr auto fields() {
      return std::tuple{field("beta", &Options::beta, "weight of the KL term: a number or a curve", at_least(0))};
    }
  };

  explicit Elbo(Options options) : options_(std::move(options)) {}
  Needs needs() const override { return {.capabilities = {"Variational"}, .fields = {"input"}}; }
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Options options_;
};

}  // namespace vaetl::objectives
