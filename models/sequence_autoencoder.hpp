// Sequences to a code and back: an encoder as that of `lstm`, a code made of its features, a decoder that writes T
// steps from it (models/sequence_decoder.hpp). The input is what `lstm` takes, with a T that is told.
//   sequence_autoencoder  x → z → x (Srivastava et al., arXiv:1502.04681, section 2.1, its unconditioned decoder)
//   sequence_vae          q(z | x) = N(mean(h), exp(log_var(h))), p(x | z) (arXiv:1511.06349)
// Both share all but the code. Of values p(x | z) is a likelihood over the steps that the batch's `length` counts, or
// all; where data have no `length` but are `padded`, steps of zeros behind an example's last do not count in log_prob.
// Of token ids it is that of the text.
//
//   auto vowels = make<models::SequenceAutoencoder>({.input = {29, 12}, .latent = 16, .padded = true});
//   auto lines = make<models::SequenceVae>({.input = {64}, .vocabulary = 5000, .word_dropout = 0.3});
#pragma once
#include "vaetl/models/sequence_decoder.hpp"
#include "vaetl/models/sequence_encoder.hpp"
#include "vaetl/nn/likelihood.hpp"

namespace vaetl::models {

struct SequenceCode {
  std::int64_t latent = 32;
  std::string likelihood = "bernoulli";
  double sigma = 0.1, word_dropout = 0;
  bool padded = false;
};

// Groups: encoder.embedding, encoder.rnn, latent, decoder. ConfigError for options that do not go together: a recipe
// may leave some to the data, so it is told when the model is made.
class SequenceCoder : public Model, public virtual Encoder, public virtual Decoder {
 public:
  std::vector<LayerGroup> layer_groups() const final;
  Signature signature() const final;
  std::int64_t feature_size() const final { return code_.latent; }
  ModelSpec classifier(std::int64_t classes) const final;  // an lstm
  // DataError unless z is (N, Z).
  std::shared_ptr<Likelihood> decode(const at::Tensor& z, const at::Tensor& condition = {}) final;
  std::int64_t latent_size() const final { return code_.latent; }

 protected:
  SequenceCoder(ModelSpec spec, const SequenceLayers& layers, SequenceCode code);
  void add_latent(std::shared_ptr<torch::nn::Module> latent);  // between encoder and decoder
  at::Tensor features(const Fields& fields);                   // (N, D H) of the encoder
  std::int64_t encoded_size() const { return encoder_->feature_size(); }

 private:
  SequenceLayers layers_;
  SequenceCode code_;
  std::shared_ptr<SequenceEncoder> encoder_;
  std::shared_ptr<SequenceDecoder> decoder_;
};

template <class O>
constexpr auto sequence_code_fields() {
  return std::tuple{
      field("latent", &O::latent, "size of z", between(1, 65536)),
      choice("likelihood", &O::likelihood, "p(x | z) of values; token ids have their own", nn::likelihoods),
      field("sigma", &O::sigma, "σ of the likelihood gaussian", between(1e-3, 1e3)),
      field("word_dropout", &O::word_dropout, "share of the tokens that the decoder does not see, in training",
            between(0, 1)),
      field("padded", &O::padded, "without a `length` of the data: steps of zeros at the end are padding, not values")};
}
template <class O>
SequenceCode sequence_code(const O& o) {
  return {o.latent, o.likelihood, o.sigma, o.word_dropout, o.padded};
}

struct SequenceCoderOptions {
  std::vector<std::int64_t> input = {28, 28};
  std::int64_t vocabulary = 0, embedding = 64;
  std::string cell = "gru";
  std::int64_t hidden = 128, layers = 1;
  bool bidirectional = true;  // a code is of the whole sequence
  double dropout = 0;
  nn::Insertions insert = {};
  std::int64_t latent = 32;
  std::string likelihood = "bernoulli";
  double sigma = 0.1, word_dropout = 0;
  bool padded = false;
  static constexpr auto fields() {
    return std::tuple_cat(sequence_fields<SequenceCoderOptions>(), sequence_code_fields<SequenceCoderOptions>());
  }
};

// Parameters: encoder.embedding, encoder.rnn, latent, decoder.state, decoder.embedding, decoder.rnn, decoder.output.
class SequenceAutoencoder final : public SequenceCoder {
 public:
  static constexpr std::string_view name = "sequence_autoencoder";
  using Options = SequenceCoderOptions;
  explicit SequenceAutoencoder(const Options& options);
  at::Tensor encode(const Fields& fields) override;

 private:
  std::shared_ptr<nn::Linear> latent_;
};

// The same with latent.mean and latent.log_var. encode() is the posterior's mean.
class SequenceVae final : public SequenceCoder, public virtual Variational, public virtual Generator {
 public:
  static constexpr std::string_view name = "sequence_vae";
  using Options = SequenceCoderOptions;
  explicit SequenceVae(const Options& options);
  at::Tensor encode(const Fields& fields) override;
  Gaussian posterior(const Fields& fields) override;
  at::Tensor generate(const at::Tensor& noise, const at::Tensor& condition = {}) override {
    return decode(noise, condition)->mean();
  }
  std::int64_t noise_size() const override { return latent_size(); }

 private:
  at::Tensor mean_of(const at::Tensor& h);

  std::shared_ptr<torch::nn::Module> latent_;
  std::shared_ptr<nn::Linear> mean_, log_var_;  // its children
};

}  // namespace vaetl::models
