// What objectives, metrics and apps ask of a model. A model offers a capability by deriving from it.
#pragma once
#include <memory>
#include <string_view>
#include <type_traits>

#include "vaetl/core/batch.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

struct Capability {
  virtual ~Capability() = default;
};

// p(x | z) for a batch.
struct Likelihood {
  virtual ~Likelihood() = default;
  virtual at::Tensor log_prob(const at::Tensor& x) const = 0;  // (N): summed over the dimensions of x
  // Like x: log p of its elements, where each has its own; then padding can be left out (nn/likelihood.hpp).
  virtual at::Tensor log_prob_each(const at::Tensor& /*x*/) const { return {}; }
  virtual bool has_logits() const { return false; }  // −log p is a cross-entropy of x in [0, 1]
  // (N): Σ (mean − x)² over the dimensions of x. Default: of mean().
  virtual at::Tensor squared_distance(const at::Tensor& x) const;
  virtual at::Tensor mean() const = 0;    // like x
  virtual at::Tensor sample() const = 0;  // like x, drawn from the default generator
};

// A diagonal Gaussian: mean and log variance, (N, Z) each.
struct Gaussian {
  at::Tensor mean, log_var;
  at::Tensor rsample() const;         // mean + exp(½ log_var) ε with gradients to both (arXiv:1312.6114, section 2.4)
  at::Tensor kl_to_standard() const;  // (N): ½ Σ (mean² + exp(log_var) − 1 − log_var)   (arXiv:1312.6114, appendix B)
  at::Tensor log_prob(const at::Tensor& z) const;  // (N) of z (N, Z)
};

struct Encoder : virtual Capability {
  static constexpr std::string_view capability = "Encoder";
  virtual at::Tensor encode(const Fields& fields) = 0;  // (N, F)
  virtual std::int64_t feature_size() const = 0;
  virtual Range feature_range() const { return {}; }  // of every feature, whatever the weights; default: none is known
  // The description of the classifier that shares this encoder: its groups bear the same names, so the weights load
  // unrenamed. K = 0: features alone.
  virtual ModelSpec classifier(std::int64_t classes) const = 0;
};
struct Classifier : virtual Encoder {
  static constexpr std::string_view capability = "Classifier";
  virtual at::Tensor classify(const at::Tensor& features) = 0;  // (N, F) → logits (N, K)
  virtual std::int64_t classes() const = 0;
};
struct Regressor : virtual Encoder {
  static constexpr std::string_view capability = "Regressor";
  // (N, F) → (N, O): targets as the model sees them; Preprocess::restore gives them in their own units.
  virtual at::Tensor regress(const at::Tensor& features) = 0;
  virtual std::int64_t outputs() const = 0;
};
// What it makes depends on a class besides: `condition` (N) int64 in [0, conditions) wherever a capability takes one.
// A batch brings it as the field `condition`, or else `target`; a model that is not conditional is given none.
struct Conditional : virtual Capability {
  static constexpr std::string_view capability = "Conditional";
  virtual std::int64_t conditions() const = 0;  // 0: it is not conditional
};
struct Decoder : virtual Capability {
  static constexpr std::string_view capability = "Decoder";
  virtual std::shared_ptr<Likelihood> decode(const at::Tensor& z, const at::Tensor& condition = {}) = 0;
  virtual std::int64_t latent_size() const = 0;
};
struct Variational : virtual Encoder, virtual Decoder {
  static constexpr std::string_view capability = "Variational";
  virtual Gaussian posterior(const Fields& fields) = 0;
  // Another prior than N(0, 1): log p(z), or log p(z | y) of each condition y, (N) of z (N, Z), with gradients to its
  // own parameters. Undefined: N(0, 1), whose KL is known in closed form.
  virtual at::Tensor log_prior(const at::Tensor& /*z*/, const at::Tensor& /*condition*/ = {}) { return {}; }
};
struct Generator : virtual Capability {
  static constexpr std::string_view capability = "Generator";
  // Noise (N, Z), standard normal → like the model's input.
  virtual at::Tensor generate(const at::Tensor& noise, const at::Tensor& condition = {}) = 0;
  virtual std::int64_t noise_size() const = 0;
};
// Scores (N): high for data, low for what was generated; a logit where the loss wants a probability.
struct Judgement {
  at::Tensor score;
  at::Tensor logits;  // (N, K) of an auxiliary classifier (arXiv:1610.09585); undefined without one
};
struct Critic : virtual Capability {
  static constexpr std::string_view capability = "Critic";
  virtual Judgement judge(const at::Tensor& x, const at::Tensor& condition = {}) = 0;
};
// Reads a sequence step by step and can go on where it stopped.
struct SequenceModel : virtual Capability {
  static constexpr std::string_view capability = "SequenceModel";
  // input (N, T) of ids or (N, T, F), with `length` (N) where padded → (N, T, O), one output a step. `state` is what
  // the recurrent layers carry: empty stands for zeros, on return it is where the sequence stopped.
  virtual at::Tensor unroll(const Fields& fields, std::vector<at::Tensor>& state) = 0;
  virtual std::int64_t step_outputs() const = 0;  // O; 0: it puts out nothing for single steps
};

// A Classifier without classes, a Regressor without outputs (features alone), a Conditional without conditions, a
// SequenceModel without outputs for its steps does not count as one.
std::vector<std::string> capabilities(const Model& model);
bool offers(const Model& model, std::string_view capability);
// ConfigError: what was asked for by whom, what the model offers, what to do.
void require_capability(const Model& model, std::string_view capability, std::string_view by);

template <class C>
C& require(Model& model, std::string_view by = "this use") {
  auto* found = dynamic_cast<C*>(&model);
  if constexpr (std::is_same_v<C, Classifier>) {
    if (found && found->classes() == 0) found = nullptr;
  }
  if constexpr (std::is_same_v<C, Regressor>) {
    if (found && found->outputs() == 0) found = nullptr;
  }
  if constexpr (std::is_same_v<C, Conditional>) {
    if (found && found->conditions() == 0) found = nullptr;
  }
  if constexpr (std::is_same_v<C, SequenceModel>) {
    if (found && found->step_outputs() == 0) found = nullptr;
  }
  if (!found) require_capability(model, C::capability, by);
  return *found;
}

// The condition of a batch for this model: undefined where it is not conditional. DataError where the batch has neither
// `condition` nor `target`, or on the CPU a class outside [0, conditions).
at::Tensor condition_of(const Model& model, const Fields& fields);

}  // namespace vaetl
