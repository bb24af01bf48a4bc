#include "vaetl/models/trunk_vae.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/models/trunk_groups.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::models {
namespace {

// An option that this description would not read is a mistake.
void check_unread(const std::string& option, bool given, bool read, const std::string& where_read) {
  if (read || !given) return;
  throw ConfigError(
      {option, "its default without " + where_read, "another value", "leave it out, or set " + where_read});
}

}  // namespace

void VaeSettings::validate(bool batch_norm) const {
  const VaeSettings defaults;
  check_unread("sigma", sigma != defaults.sigma, likelihood == "gaussian", "the likelihood gaussian");
  check_unread("components", components != defaults.components, prior != "standard", "the prior mixture or vamp");
  if (conditions == 1) throw ConfigError({"conditions", "0 (not conditional) or at least 2", "1", {}});
  if (prior != "vamp") return;
  if (components < conditions) {
    throw ConfigError({"components",
                       fmt::format("at least {}, a pseudo-input for each of the conditions", conditions),
                       std::to_string(components),
                       {}});
  }
  if (batch_norm) {
    throw ConfigError({"prior", "standard or mixture where batch_norm is true", "\"vamp\"",
                       "pseudo-inputs would move the statistics; switch batch_norm off"});
  }
}

TrunkVae::Latent::Latent(std::int64_t features, std::int64_t size)
    : mean(register_module("mean", std::make_shared<nn::Linear>(features, size))),
      log_var(register_module("log_var", std::make_shared<nn::Linear>(features, size))) {}

at::Tensor TrunkVae::Latent::mean_of(const at::Tensor& h) {
  at::Tensor result = mean->forward(h);
  nn::Taps::show(this, result);
  return result;
}

Gaussian TrunkVae::Latent::of(const at::Tensor& h) { return {mean_of(h), log_var->forward(h)}; }

TrunkVae::TrunkVae(ModelSpec spec, std::vector<std::int64_t> input, std::shared_ptr<nn::Sequence> encoder,
                   std::int64_t feature_size, std::shared_ptr<nn::Sequence> decoder, VaeSettings settings)
    : Model(std::move(spec)),
      input_(std::move(input)),
      settings_(std::move(settings)),
      encoder_(register_module("encoder", std::move(encoder))),
      latent_(
          register_module("latent", std::make_shared<Latent>(feature_size + settings_.conditions, settings_.latent))),
      decoder_(register_module("decoder", std::move(decoder))) {
  make_prior();
}

void TrunkVae::make_prior() {
  const auto& [prior, count] = std::tie(settings_.prior, settings_.components);
  if (prior == "mixture") {
    mixture_ = register_module("prior", std::make_shared<nn::MixturePrior>(count, settings_.latent, conditions()));
  } else if (prior == "vamp") {
    pseudo_inputs_ = register_module("prior", std::make_shared<nn::PseudoInputs>(count, input_, conditions()));
  }
}

std::vector<LayerGroup> TrunkVae::layer_groups() const {
  auto groups = numbered_groups("encoder", *encoder_);
  groups.push_back({"latent", {"latent"}});
  if (!standard_prior()) groups.push_back({"prior", {"prior"}});
  for (auto& group : numbered_groups("decoder", *decoder_)) groups.push_back(std::move(group));
  return groups;
}

Signature TrunkVae::signature() const {
  Signature signature = unit_signature(input_);
  if (conditions() == 0) return signature;
  signature.inputs["condition"] = {
      .shape = {}, .dtype = at::kLong, .low = 0, .high = static_cast<double>(conditions() - 1)};
  return signature;
}

// One for each of `count` examples; undefined where there are none.
at::Tensor TrunkVae::checked_condition(const at::Tensor& condition, std::int64_t count) const {
  if (conditions() == 0) return {};
  if (!condition.defined() || condition.dim() != 1 || condition.size(0) != count) {
    throw DataError({"model " + quote(spec().name),
                     fmt::format("a condition for each of {} examples", count),
                     condition.defined() ? "shape " + shape_text(condition.sizes().vec()) : "none",
                     {}});
  }
  Fields fields;
  fields.set("condition", condition);
  return condition_of(*this, fields);
}

// (N, F) → (N, F + K), joined by the one-hot class.
at::Tensor TrunkVae::with_class(const at::Tensor& values, const at::Tensor& condition) const {
  if (conditions() == 0) return values;
  const at::Tensor index = checked_condition(condition, values.size(0)).unsqueeze(1);
  return at::cat({values, at::zeros({values.size(0), conditions()}, values.options()).scatter_(1, index, 1)}, 1);
}

at::Tensor TrunkVae::hidden(const Fields& fields) {
  const at::Tensor h = encoder_->forward(checked_input(*this, fields)).flatten(1);
  return with_class(h, condition_of(*this, fields));
}

at::Tensor TrunkVae::encode(const Fields& fields) { return latent_->mean_of(hidden(fields)); }

Gaussian TrunkVae::posterior(const Fields& fields) { return latent_->of(hidden(fields)); }

nn::Mixture TrunkVae::prior() {
  if (mixture_) return mixture_->mixture();
  const at::Tensor h = encoder_->forward(pseudo_inputs_->values()).flatten(1);
  return pseudo_inputs_->mixture_of(latent_->of(with_class(h, pseudo_inputs_->condition())));
}

at::Tensor TrunkVae::log_prior(const at::Tensor& z, const at::Tensor& condition) {
  if (standard_prior()) return {};
  return prior().log_prob(z, checked_condition(condition, z.size(0)));
}

std::shared_ptr<Likelihood> TrunkVae::decode(const at::Tensor& z, const at::Tensor& condition) {
  if (z.dim() != 2 || z.size(1) != settings_.latent) {
    throw DataError({"model " + quote(spec().name),
                     fmt::format("latents of shape (N, {})", settings_.latent),
                     shape_text(z.sizes().vec()),
                     {}});
  }
  std::vector<std::int64_t> shape = {z.size(0)};
  if (const std::int64_t maps = nn::likelihood_maps(settings_.likelihood); maps > 1) shape.push_back(maps);
  shape.insert(shape.end(), input_.begin(), input_.end());
  const at::Tensor output = decoder_->forward(with_class(z, condition)).reshape(shape);
  return nn::make_likelihood(settings_.likelihood, output, settings_.sigma);
}

at::Tensor TrunkVae::generate(const at::Tensor& noise, const at::Tensor& condition) {
  if (standard_prior()) return decode(noise, condition)->mean();
  if (noise.dim() != 2 || noise.size(1) != noise_size()) {
    throw DataError({"model " + quote(spec().name),
                     fmt::format("noise of shape (N, {})", noise_size()),
                     shape_text(noise.sizes().vec()),
                     {}});
  }
  const at::Tensor z = prior().from_noise(noise, checked_condition(condition, noise.size(0)));
  return decode(z, condition)->mean();
}

}  // namespace vaetl::models
