#include "vaetl/models/trunk_gan.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/tanh.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/models/trunk_groups.hpp"
#include "vaetl/nn/labels.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::models {

void check_conditions(std::int64_t conditions) {
  if (conditions == 1) throw ConfigError({"conditions", "0 (not conditional) or at least 2", "1", {}});
}

// The halves own what belongs to them, so that every name begins with generator or critic.
TrunkGan::TrunkGan(ModelSpec spec, Halves halves, std::int64_t noise, GanCondition condition, bool spectral_norm)
    : Model(std::move(spec)),
      input_(std::move(halves.input)),
      condition_shape_(std::move(halves.condition_shape)),
      noise_(noise),
      condition_(std::move(condition)),
      generator_(register_module("generator", std::move(halves.generator))),
      critic_(register_module("critic", std::move(halves.critic))) {
  const bool projection = condition_.count > 0 && condition_.critic == "projection";
  if (condition_.count > 0) {
    generator_condition_ =
        generator_->register_module("condition", std::make_shared<nn::Embedding>(condition_.count, condition_.size));
  }
  if (condition_.joins_critic() || projection) {
    const std::int64_t size = projection ? halves.features : numel(condition_shape_);
    critic_condition_ =
        critic_->register_module("condition", std::make_shared<nn::Embedding>(condition_.count, size, spectral_norm));
  }
  head_ = critic_->register_module("head", std::make_shared<nn::Linear>(halves.features, 1, spectral_norm));
  if (condition_.count > 0 && condition_.critic == "auxiliary") {
    auxiliary_ = critic_->register_module("auxiliary", std::make_shared<nn::Linear>(halves.features, condition_.count));
  }
}

std::vector<LayerGroup> TrunkGan::layer_groups() const {
  std::vector<LayerGroup> groups;
  const auto add = [&](bool there, const std::string& path) {
    if (there) groups.push_back({path, {path}});
  };
  const auto add_blocks = [&](const std::string& half, const nn::Sequence& blocks) {
    for (auto& group : numbered_groups(half, blocks)) groups.push_back(std::move(group));
  };
  add(generator_condition_ != nullptr, "generator.condition");
  add_blocks("generator", *generator_);
  add(critic_condition_ != nullptr, "critic.condition");
  add_blocks("critic", *critic_);
  add(true, "critic.head");
  add(auxiliary_ != nullptr, "critic.auxiliary");
  return groups;
}

Signature TrunkGan::signature() const {
  Signature signature = {{{"input", {.shape = input_, .dtype = at::kFloat, .low = -1, .high = 1}}}};
  if (condition_.count > 0) {
    signature.inputs["condition"] = {
        .shape = {}, .dtype = at::kLong, .low = 0, .high = static_cast<double>(condition_.count - 1)};
  }
  return signature;
}

at::Tensor TrunkGan::classes_of(const at::Tensor& condition) const {
  const std::string by = "model " + quote(spec().name);
  if (!condition.defined()) {
    throw DataError({by, fmt::format("a condition of shape (N), classes from 0 to {}", condition_.count - 1), "none",
                     "say which class, or use a model without \"conditions\""});
  }
  return class_labels(condition, condition_.count, by);
}

at::Tensor TrunkGan::generate(const at::Tensor& noise, const at::Tensor& condition) {
  if (noise.dim() != 2 || noise.size(1) != noise_) {
    throw DataError({"model " + quote(spec().name),
                     fmt::format("noise of shape (N, {})", noise_),
                     shape_text(noise.sizes().vec()),
                     {}});
  }
  at::Tensor h = noise;
  if (generator_condition_) h = at::cat({noise, nn::shown(*generator_condition_, classes_of(condition))}, 1);
  std::vector<std::int64_t> shape = {noise.size(0)};
  shape.insert(shape.end(), input_.begin(), input_.end());
  return at::tanh(generator_->forward(h)).reshape(shape);
}

// A dense critic's input is flat; a convolutional one gets a map.
at::Tensor TrunkGan::joined(const at::Tensor& x, const at::Tensor& condition) {
  std::vector<std::int64_t> shape = {x.size(0)};
  shape.insert(shape.end(), condition_shape_.begin(), condition_shape_.end());
  const at::Tensor embedded = nn::shown(*critic_condition_, classes_of(condition)).reshape(shape);
  return at::cat({condition_shape_.size() == 1 ? x.flatten(1) : x, embedded}, 1);
}

Judgement TrunkGan::judge(const at::Tensor& x, const at::Tensor& condition) {
  Fields fields;
  fields.set("input", x);
  checked_input(*this, fields);
  const at::Tensor features = critic_->forward(condition_.joins_critic() ? joined(x, condition) : x).flatten(1);
  Judgement judgement{nn::shown(*head_, features).squeeze(1), {}};
  if (critic_condition_ && !condition_.joins_critic()) {
    judgement.score = judgement.score + (features * nn::shown(*critic_condition_, classes_of(condition))).sum(1);
  }
  if (auxiliary_) judgement.logits = nn::shown(*auxiliary_, features);
  return judgement;
}

}  // namespace vaetl::models
