// A variational autoencoder over any trunk (arXiv:1312.6114): what the VAEs have in common.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "vaetl/nn/blocks.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::models {

// q(z | x) = N(mean(h), exp(log_var(h))), h the encoder's features; p(x | z) over the decoder's output.
// x (N, input…) in [0, 1] → z (N, Z) → x. encode() is the posterior's mean. Groups: encoder.0, …, latent, decoder.0, ….
class TrunkVae : public Model, public virtual Variational, public virtual Generator {
 public:
  std::vector<LayerGroup> groups() const final;
  Signature signature() const final;
  at::Tensor encode(const Fields& fields) final;  // DataError for another shape than the description's
  std::int64_t feature_size() const final { return latent_size_; }
  Gaussian posterior(const Fields& fields) final;
  // DataError unless z is (N, Z).
  std::shared_ptr<Likelihood> decode(const at::Tensor& z, const at::Tensor& condition = {}) final;
  std::int64_t latent_size() const final { return latent_size_; }
  at::Tensor generate(const at::Tensor& noise, const at::Tensor& condition = {}) final {
    return decode(noise, condition)->mean();
  }
  std::int64_t noise_size() const final { return latent_size_; }

 protected:
  template <class Trunk>
  TrunkVae(ModelSpec spec, const Trunk& trunk, std::int64_t latent, std::string likelihood)
      : TrunkVae(std::move(spec), trunk.input, trunk.encoder(), trunk.feature_size(), trunk.decoder(latent), latent,
                 std::move(likelihood)) {}

 private:
  struct Latent final : torch::nn::Module {
    Latent(std::int64_t features, std::int64_t size);
    std::shared_ptr<nn::Linear> mean, log_var;
  };
  TrunkVae(ModelSpec spec, std::vector<std::int64_t> input, std::shared_ptr<nn::Sequence> encoder,
           std::int64_t feature_size, std::shared_ptr<nn::Sequence> decoder, std::int64_t latent,
           std::string likelihood);
  at::Tensor hidden(const Fields& fields);

  std::vector<std::int64_t> input_;
  std::int64_t latent_size_;
  std::string likelihood_;
  std::shared_ptr<nn::Sequence> encoder_;
  std::shared_ptr<Latent> latent_;
  std::shared_ptr<nn::Sequence> decoder_;
};

}  // namespace vaetl::models
