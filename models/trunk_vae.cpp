#include "vaetl/models/trunk_vae.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/models/trunk_groups.hpp"
#include "vaetl/nn/likelihood.hpp"

namespace vaetl::models {

TrunkVae::Latent::Latent(std::int64_t features, std::int64_t size)
    : mean(register_module("mean", std::make_shared<nn::Linear>(features, size))),
      log_var(register_module("log_var", std::make_shared<nn::Linear>(features, size))) {}

TrunkVae::TrunkVae(ModelSpec spec, std::vector<std::int64_t> input, std::shared_ptr<nn::Sequence> encoder,
                   std::int64_t feature_size, std::shared_ptr<nn::Sequence> decoder, std::int64_t latent,
                   std::string likelihood)
    : Model(std::move(spec)),
      input_(std::move(input)),
      latent_size_(latent),
      likelihood_(std::move(likelihood)),
      encoder_(register_module("encoder", std::move(encoder))),
      latent_(register_module("latent", std::make_shared<Latent>(feature_size, latent))),
      decoder_(register_module("decoder", std::move(decoder))) {}

std::vector<LayerGroup> TrunkVae::groups() const {
  auto groups = numbered_groups("encoder", encoder_->size());
  groups.push_back({"latent", {"latent"}});
  for (auto& group : numbered_groups("decoder", decoder_->size())) groups.push_back(std::move(group));
  return groups;
}

Signature TrunkVae::signature() const { return unit_signature(input_); }

at::Tensor TrunkVae::hidden(const Fields& fields) { return encoder_->forward(checked_input(*this, fields)).flatten(1); }

at::Tensor TrunkVae::encode(const Fields& fields) { return latent_->mean->forward(hidden(fields)); }

Gaussian TrunkVae::posterior(const Fields& fields) {
  const at::Tensor h = hidden(fields);
  return {latent_->mean->forward(h), latent_->log_var->forward(h)};
}

std::shared_ptr<Likelihood> TrunkVae::decode(const at::Tensor& z, const at::Tensor& /*condition*/) {
  if (z.dim() != 2 || z.size(1) != latent_size_) {
    throw DataError({"model " + quote(spec().name),
                     fmt::format("latents of shape (N, {})", latent_size_),
                     shape_text(z.sizes().vec()),
                     {}});
  }
  std::vector<std::int64_t> shape = {z.size(0)};
  shape.insert(shape.end(), input_.begin(), input_.end());
  return nn::make_likelihood(likelihood_, decoder_->forward(z).reshape(shape));
}

}  // namespace vaetl::models
