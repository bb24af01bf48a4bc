// A variational autoencoder over any trunk (arXiv:1312.6114): what the VAEs have in common.
#pragma once
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "vaetl/models/trunk.hpp"
#include "vaetl/nn/blocks.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/likelihood.hpp"
#include "vaetl/nn/prior.hpp"

namespace vaetl::models {

// What a VAE says of z and of x given z, whatever its trunk.
struct VaeSettings {
  std::int64_t latent = 20;
  std::string likelihood = "bernoulli";
  double sigma = 0.1;
  std::int64_t conditions = 0;
  std::string prior = "standard";
  std::int64_t components = 100;

  // ConfigError for an option that would do nothing, and for what cannot be together.
  void validate(bool batch_norm) const;
};

// They are options of every VAE.
template <class O>
constexpr auto vae_fields() {
  return std::tuple{
      field("latent", &O::latent, "size of z", sizes),
      choice("likelihood", &O::likelihood, "p(x | z), over x in [0, 1]", nn::likelihoods),
      field("sigma", &O::sigma, "σ of the likelihood gaussian", between(1e-3, 1e3)),
      field("conditions", &O::conditions, "classes that x is conditional on; 0: it is not", between(0, 65536)),
      choice("prior", &O::prior, "p(z), or p(z | y) where there are conditions", nn::priors),
      field("components", &O::components, "of the prior mixture, pseudo-inputs of the prior vamp", sizes)};
}
template <class O>
VaeSettings vae_settings(const O& o) {
  return {o.latent, o.likelihood, o.sigma, o.conditions, o.prior, o.components};
}

// q(z | x) = N(mean(h), exp(log_var(h))), h the encoder's features; p(x | z) over the decoder's output, of which the
// likelihood may want several maps. x (N, input…) in [0, 1] → z (N, Z) → x. encode() is the posterior's mean.
// With `conditions` K > 0, h and z are each joined by the one-hot class, as in M2 of arXiv:1406.5298 where y is known:
// q(z | x, y), p(x | z, y); a learned prior is p(z | y) (nn/prior.hpp), N(0, 1) has no y. With a learned prior one more
// number of noise chooses its component in generate(). Groups: encoder.0, …, latent, prior where it is learned,
// decoder.0, ….
class TrunkVae : public Model, public virtual Variational, public virtual Generator, public virtual Conditional {
 public:
  std::vector<LayerGroup> layer_groups() const final;
  Signature signature() const final;
  at::Tensor encode(const Fields& fields) final;  // DataError for another shape than the description's
  std::int64_t feature_size() const final { return settings_.latent; }
  Gaussian posterior(const Fields& fields) final;
  at::Tensor log_prior(const at::Tensor& z, const at::Tensor& condition = {}) final;  // DataError as of decode
  // DataError unless z is (N, Z) and, where the model is conditional, `condition` (N) is of its classes.
  std::shared_ptr<Likelihood> decode(const at::Tensor& z, const at::Tensor& condition = {}) final;
  std::int64_t latent_size() const final { return settings_.latent; }
  at::Tensor generate(const at::Tensor& noise, const at::Tensor& condition = {}) final;
  std::int64_t noise_size() const final { return settings_.latent + (standard_prior() ? 0 : 1); }
  std::int64_t conditions() const final { return settings_.conditions; }

 protected:
  template <class Trunk>
  TrunkVae(ModelSpec spec, const Trunk& trunk, VaeSettings settings)
      : TrunkVae(std::move(spec), trunk.input, trunk.encoder(), trunk.feature_size(),
                 trunk.decoder(settings.latent + settings.conditions, nn::likelihood_maps(settings.likelihood)),
                 settings) {}

 private:
  struct Latent final : torch::nn::Module {
    Latent(std::int64_t features, std::int64_t size);
    at::Tensor mean_of(const at::Tensor& h);
    Gaussian of(const at::Tensor& h);
    std::shared_ptr<nn::Linear> mean, log_var;
  };
  TrunkVae(ModelSpec spec, std::vector<std::int64_t> input, std::shared_ptr<nn::Sequence> encoder,
           std::int64_t feature_size, std::shared_ptr<nn::Sequence> decoder, VaeSettings settings);
  void make_prior();
  bool standard_prior() const { return !mixture_ && !pseudo_inputs_; }
  nn::Mixture prior();
  at::Tensor hidden(const Fields& fields);
  at::Tensor checked_condition(const at::Tensor& condition, std::int64_t count) const;
  at::Tensor with_class(const at::Tensor& values, const at::Tensor& condition) const;

  std::vector<std::int64_t> input_;
  VaeSettings settings_;
  std::shared_ptr<nn::Sequence> encoder_;
  std::shared_ptr<Latent> latent_;
  std::shared_ptr<nn::Sequence> decoder_;
  std::shared_ptr<nn::MixturePrior> mixture_;        // null: another prior
  std::shared_ptr<nn::PseudoInputs> pseudo_inputs_;  // likewise
};

}  // namespace vaetl::models
