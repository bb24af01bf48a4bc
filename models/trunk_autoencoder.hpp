// An autoencoder over any trunk: what the autoencoders have in common. Sparse, denoising and contractive ones are this
// model with other objectives (objectives/sparsity.hpp, reconstruction.hpp, contractive.hpp); the k-sparse one has
// `top_k`. A code smaller than the input is undercomplete, a larger one overcomplete.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "vaetl/models/code.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::models {

inline constexpr Choices decoder_outputs = {"sigmoid", "identity"};

// x (N, input…) in [0, 1] → code (N, Z) → x. With the output `sigmoid` the decoder says Bernoulli, whose logits it puts
// out and whose mean is in [0, 1]; with `identity` the mean of a Gaussian. Groups: encoder.0, …, of which the last
// makes the code, decoder.0, ….
class TrunkAutoencoder : public Model, public virtual Encoder, public virtual Decoder {
 public:
  std::vector<LayerGroup> layer_groups() const final;
  Signature signature() const final;
  at::Tensor encode(const Fields& fields) final;  // the code; DataError for another shape than the description's
  std::int64_t feature_size() const final { return code_size_; }
  Range feature_range() const final { return code_range_; }
  // DataError unless z is (N, Z).
  std::shared_ptr<Likelihood> decode(const at::Tensor& z, const at::Tensor& condition = {}) final;
  std::int64_t latent_size() const final { return code_size_; }

 protected:
  template <class Trunk>
  TrunkAutoencoder(ModelSpec spec, const Trunk& trunk, const Code& code, const std::string& output)
      : TrunkAutoencoder(std::move(spec), trunk.input, encoder_to(code, trunk), trunk.decoder(code.size), code,
                         output) {}

 private:
  TrunkAutoencoder(ModelSpec spec, std::vector<std::int64_t> input, std::shared_ptr<nn::Sequence> encoder,
                   std::shared_ptr<nn::Sequence> decoder, const Code& code, const std::string& output);

  std::vector<std::int64_t> input_;
  std::int64_t code_size_;
  Range code_range_;
  std::string likelihood_;
  std::shared_ptr<nn::Sequence> encoder_, decoder_;
};

// The options of the code, for every autoencoder.
template <class O>
constexpr auto code_fields() {
  return std::tuple{
      field("latent", &O::latent, "size of the code", between(1, 65536)),
      choice("code_activation", &O::code_activation, "activation function of the code", code_activations),
      field("code_batch_norm", &O::code_batch_norm, "normalise the code's values over the batch"),
      field("top_k", &O::top_k, "k-sparse: values of the code that are kept, the largest ones; 0: all",
            between(0, 65536)),
      field("top_k_factor", &O::top_k_factor, "factor on top_k in evaluation", between(1, 65536)),
      choice("output", &O::output, "what the decoder ends with: sigmoid for inputs in [0, 1]", decoder_outputs)};
}
template <class O>
Code code_of(const O& o) {
  return {.size = o.latent,
          .activation = o.code_activation,
          .batch_norm = o.code_batch_norm,
          .top_k = o.top_k,
          .top_k_factor = o.top_k_factor};
}

}  // namespace vaetl::models
