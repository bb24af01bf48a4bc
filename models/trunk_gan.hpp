// A generative adversarial network over any pair of trunks (arXiv:1406.2661): what the GANs have in common. With
// `conditions` it is a conditional one; nothing else tells them apart.
#pragma once
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "vaetl/models/trunk.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::models {

// How the critic sees the class: it is embedded and joined to its input (arXiv:1411.1784, equation 2); the score is
// raised by ⟨embedding, features⟩ (arXiv:1802.05637, equation 3); the critic names the class instead of seeing it
// (arXiv:1610.09585).
inline constexpr Choices critic_conditions = {"embedding", "projection", "auxiliary"};

inline const TrunkNames gan_halves = {.encoder = "critic", .decoder = "generator"};

// The options that every GAN has besides its trunks'.
template <class O>
constexpr auto gan_fields() {
  return std::tuple_cat(
      std::tuple{field("noise", &O::noise, "size of the noise z", sizes),
                 choice("activation", &O::activation, "activation function of the generator's blocks", nn::activations),
                 field("batch_norm", &O::batch_norm, "normalise the generator's blocks over the batch"),
                 choice("critic_activation", &O::critic_activation, "activation function of the critic's blocks",
                        nn::activations),
                 field("critic_batch_norm", &O::critic_batch_norm, "normalise the critic's blocks over the batch"),
                 field("spectral_norm", &O::spectral_norm, "divide the critic's weights by their spectral norm"),
                 field("conditions", &O::conditions, "number of classes it depends on; 0: it is not conditional",
                       between(0, 65536)),
                 field("condition_size", &O::condition_size, "size of the embedding of a class", sizes),
                 choice("critic_condition", &O::critic_condition, "how the critic sees the class", critic_conditions)},
      insert_fields<O>());
}

// What the options say, whatever the trunks.
struct GanCondition {
  std::int64_t count = 0, size = 16;
  std::string critic;
  bool joins_critic() const { return count > 0 && critic == "embedding"; }
  std::int64_t joined_noise(std::int64_t noise) const { return count > 0 ? noise + size : noise; }
};
template <class O>
GanCondition gan_condition(const O& o) {
  return {o.conditions, o.condition_size, o.critic_condition};
}
void check_conditions(std::int64_t conditions);  // ConfigError: a single one

// Noise (N, Z), standard normal → x (N, input…) in [−1, 1], by tanh. x → score (N), a logit, and (N, K) class logits of
// the auxiliary classifier. Groups: generator.condition, generator.0, …, critic.condition, critic.0, …, critic.head,
// critic.auxiliary; so "generator*" is one half and "critic*" the other. Parameters: generator.condition.weight (K, E),
// generator.i.dense, generator.i.conv, and .norm; critic.condition.weight, critic.i.dense, critic.i.conv, and .norm;
// critic.head, critic.auxiliary. With spectral norm each of the critic's weights but the auxiliary's is called
// weight_orig beside weight_u and weight_v. What `insert` puts after a block is normalised by none.
class TrunkGan : public Model, public virtual Generator, public virtual Critic, public virtual Conditional {
 public:
  std::vector<LayerGroup> layer_groups() const final;
  Signature signature() const final;
  // DataError unless noise is (N, Z), and the condition classes where it is conditional.
  at::Tensor generate(const at::Tensor& noise, const at::Tensor& condition = {}) final;
  std::int64_t noise_size() const final { return noise_; }
  Judgement judge(const at::Tensor& x, const at::Tensor& condition = {}) final;  // DataError likewise
  std::int64_t conditions() const final { return condition_.count; }

 protected:
  struct Halves {
    std::vector<std::int64_t> input;
    std::shared_ptr<nn::Sequence> generator;  // (N, joined noise) → as many values as an input has
    std::shared_ptr<nn::Sequence> critic;     // x, with the embedded class as further channels, → (N, features…)
    std::int64_t features = 0;
    std::vector<std::int64_t> condition_shape;  // of the class embedded for the critic's input
  };
  TrunkGan(ModelSpec spec, Halves halves, std::int64_t noise, GanCondition condition, bool spectral_norm);

 private:
  at::Tensor classes_of(const at::Tensor& condition) const;
  at::Tensor joined(const at::Tensor& x, const at::Tensor& condition);

  std::vector<std::int64_t> input_, condition_shape_;
  std::int64_t noise_;
  GanCondition condition_;
  std::shared_ptr<nn::Sequence> generator_, critic_;
  std::shared_ptr<nn::Embedding> generator_condition_, critic_condition_;
  std::shared_ptr<nn::Linear> head_, auxiliary_;
};

}  // namespace vaetl::models
