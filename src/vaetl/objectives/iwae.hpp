// What an importance weighted autoencoder minimises (arXiv:1509.00519, equation 8), the negative of
//   L_k = E log (1/k Σ_i w_i),   w_i = p(x|z_i) p(z_i) / q(z_i|x),   z_1 … z_k ~ q(z|x)
// which is the ELBO for one sample and nears log p(x) with more. The gradient weighs each sample by w_i / Σ w. All k
// samples of a batch are decoded in one pass: the memory of k · N examples. Term "iwae" (−L_k); logged "bound" (L_k)
// and "elbo" (the mean of log w). Nats an example.
//
//   Trainer({.epochs = 10}).fit(vae, make<objectives::Iwae>({.samples = 5}), data.train);
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class Iwae final : public Objective {
 public:
  static constexpr std::string_view name = "iwae";
  struct Options {
    std::int64_t samples = 5;
    static constexpr auto fields() {
      return std::tuple{field("samples", &Options::samples, "k, samples of z for each example", between(1, 10000))};
    }
  };

  explicit Iwae(Options options) : options_(options) {}
  Needs needs() const override { return {.capabilities = {"Variational"}, .fields = {"input"}}; }
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Options options_;
};

}  // namespace vaetl::objectives
