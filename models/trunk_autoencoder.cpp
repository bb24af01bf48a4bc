#include "vaetl/models/trunk_autoencoder.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/models/trunk_groups.hpp"
#include "vaetl/nn/likelihood.hpp"

namespace vaetl::models {

TrunkAutoencoder::TrunkAutoencoder(ModelSpec spec, std::vector<std::int64_t> input,
                                   std::shared_ptr<nn::Sequence> encoder, std::shared_ptr<nn::Sequence> decoder,
                                   const Code& code, const std::string& output)
    : Model(std::move(spec)),
      input_(std::move(input)),
      code_size_(code.size),
      code_range_(code.range()),
      likelihood_(output == "sigmoid" ? "bernoulli" : "gaussian"),
      encoder_(register_module("encoder", std::move(encoder))),
      decoder_(register_module("decoder", std::move(decoder))) {}

std::vector<LayerGroup> TrunkAutoencoder::layer_groups() const {
  auto groups = numbered_groups("encoder", *encoder_);
  for (auto& group : numbered_groups("decoder", *decoder_)) groups.push_back(std::move(group));
  return groups;
}

Signature TrunkAutoencoder::signature() const { return unit_signature(input_); }

at::Tensor TrunkAutoencoder::encode(const Fields& fields) { return encoder_->forward(checked_input(*this, fields)); }

std::shared_ptr<Likelihood> TrunkAutoencoder::decode(const at::Tensor& z, const at::Tensor& /*condition*/) {
  if (z.dim() != 2 || z.size(1) != code_size_) {
    throw DataError({"model " + quote(spec().name),
                     fmt::format("latents of shape (N, {})", code_size_),
                     shape_text(z.sizes().vec()),
                     {}});
  }
  std::vector<std::int64_t> shape = {z.size(0)};
  shape.insert(shape.end(), input_.begin(), input_.end());
  return nn::make_likelihood(likelihood_, decoder_->forward(z).reshape(shape));
}

}  // namespace vaetl::models
