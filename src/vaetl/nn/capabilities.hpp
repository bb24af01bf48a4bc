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
  virtual at::Tensor mean() const = 0;                         // like x
};

// A diagonal Gaussian: mean and log variance, (N, Z) each.
struct Gaussian {
  at::Tensor mean, log_var;
  at::Tensor rsample() const;         // mean + exp(½ log_var) ε with gradients to both (arXiv:1312.6114, section 2.4)
  at::Tensor kl_to_standard() const;  // (N): ½ Σ (mean² + exp(log_var) − 1 − log_var)   (arXiv:1312.6114, appendix B)
};

struct Encoder : virtual Capability {
  static constexpr std::string_view capability = "Encoder";
  virtual at::Tensor encode(const Fields& fields) = 0;  // (N, F)
  virtual std::int64_t feature_size() const = 0;
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
struct Decoder : virtual Capability {
  static constexpr std::string_view capability = "Decoder";
  virtual std::shared_ptr<Likelihood> decode(const at::Tensor& z) = 0;
  virtual std::int64_t latent_size() const = 0;
};
struct Variational : virtual Encoder, virtual Decoder {
  static constexpr std::string_view capability = "Variational";
  virtual Gaussian posterior(const Fields& fields) = 0;
};
struct Generator : virtual Capability {
  static constexpr std::string_view capability = "Generator";
  virtual at::Tensor generate(const at::Tensor& z) = 0;  // (N, Z) → like the model's input
  virtual std::int64_t noise_size() const = 0;
};

// A Classifier without classes or a Regressor without outputs (features alone) does not count as one.
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
  if (!found) require_capability(model, C::capability, by);
  return *found;
}

}  // namespace vaetl
