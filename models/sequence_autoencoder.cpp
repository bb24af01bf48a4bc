#include "vaetl/models/sequence_autoencoder.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/models/lstm.hpp"
#include "vaetl/models/options.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::models {
namespace {

// p(x | z) of (N, T, F) as that of N · T steps, of which those of zeros at the end do not count in log_prob().
class PaddedLikelihood final : public Likelihood {
 public:
  PaddedLikelihood(std::shared_ptr<Likelihood> steps, SequenceShape shape, std::int64_t count)
      : steps_(std::move(steps)), shape_(std::move(shape)), count_(count) {}
  at::Tensor log_prob(const at::Tensor& x) const override {
    const at::Tensor steps = shape_.to_steps(x);
    const at::Tensor places = at::arange(1, steps.size(1) + 1, steps.options().dtype(at::kLong));
    const at::Tensor end = (steps.ne(0).any(2) * places).amax(1, /*keepdim=*/true);
    return (steps_->log_prob(steps.flatten(0, 1)).view({count_, -1}) * (places <= end)).sum(1);
  }
  at::Tensor log_prob_each(const at::Tensor& x) const override {
    return shape_.from_steps(steps_->log_prob_each(shape_.to_steps(x).flatten(0, 1)).unflatten(0, {count_, -1}));
  }
  bool has_logits() const override { return steps_->has_logits(); }
  at::Tensor mean() const override { return shape_.from_steps(steps_->mean().unflatten(0, {count_, -1})); }
  at::Tensor sample() const override { return shape_.from_steps(steps_->sample().unflatten(0, {count_, -1})); }

 private:
  std::shared_ptr<Likelihood> steps_;
  SequenceShape shape_;
  std::int64_t count_;
};

SequenceDecoderOptions decoder_options(const SequenceLayers& layers, const SequenceCode& code) {
  const SequenceShape& shape = layers.shape;
  const std::int64_t values = shape.features() * nn::likelihood_maps(code.likelihood);
  return {.latent = code.latent,
          .out = shape.vocabulary > 0 ? shape.vocabulary : values,
          .vocabulary = shape.vocabulary,
          .embedding = layers.embedding,
          .word_dropout = code.word_dropout,
          .rnn = layers.rnn};
}

SequenceLayers checked_layers(const SequenceLayers& layers, const SequenceCode& code) {
  layers.validate();
  const bool ids = layers.shape.vocabulary > 0;
  const SequenceCode defaults;
  auto refuse = [](const char* key, std::string expected, std::string found) {
    throw ConfigError({key, std::move(expected), std::move(found), {}});
  };
  if (layers.shape.steps() == -1) refuse("input", "the number of steps, all of which are decoded", "-1, any");
  if (ids && code.likelihood != defaults.likelihood) {
    refuse("likelihood", "none of values where there is a vocabulary", quote(code.likelihood));
  }
  if (ids && code.padded) refuse("padded", "false: of token ids, id 0 is padding", "true");
  if (!ids && code.word_dropout > 0) {
    refuse("word_dropout", "0 without a vocabulary", fmt::format("{}", code.word_dropout));
  }
  if (code.sigma != defaults.sigma && code.likelihood != "gaussian") {
    refuse("sigma", "the likelihood gaussian", quote(code.likelihood));
  }
  if (layers.rnn.dropout > 0 && layers.rnn.layers == 1) {
    refuse("dropout", "0 where there is one layer, as it acts between them", fmt::format("{}", layers.rnn.dropout));
  }
  return layers;
}

}  // namespace

SequenceCoder::SequenceCoder(ModelSpec spec, const SequenceLayers& layers, SequenceCode code)
    : Model(std::move(spec)),
      layers_(layers),
      code_(std::move(code)),
      encoder_(register_module("encoder", std::make_shared<SequenceEncoder>(checked_layers(layers, code_)))) {}

void SequenceCoder::add_latent(std::shared_ptr<torch::nn::Module> latent) {
  register_module("latent", std::move(latent));
  decoder_ = register_module("decoder", std::make_shared<SequenceDecoder>(decoder_options(layers_, code_)));
}

std::vector<LayerGroup> SequenceCoder::layer_groups() const {
  auto groups = encoder_->groups();
  groups.push_back({"latent", {"latent"}});
  groups.push_back({"decoder", {"decoder"}});
  return groups;
}

Signature SequenceCoder::signature() const { return {{{"input", encoder_->shape().info()}}}; }

at::Tensor SequenceCoder::features(const Fields& fields) {
  const std::string by = "model " + quote(spec().name);
  const at::Tensor steps = encoder_->embed(checked_input(*this, fields), by);
  return encoder_->summary(steps, encoder_->lengths(fields, by));
}

ModelSpec SequenceCoder::classifier(std::int64_t classes) const {
  return vaetl::spec<Lstm>({.input = layers_.shape.input,
                            .vocabulary = layers_.shape.vocabulary,
                            .embedding = layers_.embedding,
                            .cell = layers_.rnn.cell,
                            .hidden = layers_.rnn.hidden,
                            .layers = layers_.rnn.layers,
                            .bidirectional = layers_.rnn.bidirectional,
                            .dropout = layers_.rnn.dropout,
                            .insert = layers_.insert,
                            .classes = classes});
}

std::shared_ptr<Likelihood> SequenceCoder::decode(const at::Tensor& z, const at::Tensor& /*condition*/) {
  if (z.dim() != 2 || z.size(1) != code_.latent) {
    throw DataError({"model " + quote(spec().name),
                     fmt::format("latents of shape (N, {})", code_.latent),
                     shape_text(z.sizes().vec()),
                     {}});
  }
  const SequenceShape& shape = encoder_->shape();
  if (shape.vocabulary > 0) return token_likelihood(decoder_, z, shape.steps());
  const std::int64_t maps = nn::likelihood_maps(code_.likelihood), count = z.size(0);
  at::Tensor output = decoder_->values(z, shape.steps()).unflatten(2, {maps, shape.features()});
  if (code_.padded) {
    output = output.flatten(0, 1);  // (N T, maps, F)
    return std::make_shared<PaddedLikelihood>(
        nn::make_likelihood(code_.likelihood, maps == 1 ? output.squeeze(1) : output, code_.sigma), shape, count);
  }
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : output.unbind(2)) parts.push_back(shape.from_steps(part));
  return nn::make_likelihood(code_.likelihood, maps == 1 ? parts[0] : at::stack(parts, 1), code_.sigma);
}

SequenceAutoencoder::SequenceAutoencoder(const Options& options)
    : SequenceCoder(vaetl::spec<SequenceAutoencoder>(checked<SequenceAutoencoder>(options)), sequence_layers(options),
                    sequence_code(options)),
      latent_(std::make_shared<nn::Linear>(encoded_size(), options.latent)) {
  add_latent(latent_);
}

at::Tensor SequenceAutoencoder::encode(const Fields& fields) { return nn::shown(*latent_, features(fields)); }

SequenceVae::SequenceVae(const Options& options)
    : SequenceCoder(vaetl::spec<SequenceVae>(checked<SequenceVae>(options)), sequence_layers(options),
                    sequence_code(options)) {
  latent_ = std::make_shared<torch::nn::Module>("latent");
  mean_ = latent_->register_module("mean", std::make_shared<nn::Linear>(encoded_size(), options.latent));
  log_var_ = latent_->register_module("log_var", std::make_shared<nn::Linear>(encoded_size(), options.latent));
  add_latent(latent_);
}

at::Tensor SequenceVae::mean_of(const at::Tensor& h) {
  at::Tensor mean = mean_->forward(h);
  nn::Taps::show(latent_.get(), mean);
  return mean;
}

at::Tensor SequenceVae::encode(const Fields& fields) { return mean_of(features(fields)); }

Gaussian SequenceVae::posterior(const Fields& fields) {
  const at::Tensor h = features(fields);
  return {mean_of(h), log_var_->forward(h)};
}

}  // namespace vaetl::models
