// The last layer of an autoencoder's encoder, which makes the code: dense, an activation, and where it is k-sparse
// (arXiv:1312.5663, section 2.1) only the k largest values of an example are kept, the others are 0. In evaluation it
// may keep more of them, α k, as the paper does for features. Values that are never among the largest get no gradient
// and stay dead; the paper starts with a larger k, here batch norm before the activation keeps all of them in use.
#pragma once
#include <memory>
#include <string>
#include <tuple>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/blocks.hpp"

namespace vaetl::models {

inline constexpr Choices code_activations = {"identity", "relu", "leaky_relu", "tanh",
                                             "sigmoid",  "gelu", "elu",        "silu"};

struct Code {
  std::int64_t size = 32;
  std::string activation = "identity";
  bool batch_norm = false;
  std::int64_t top_k = 0;
  double top_k_factor = 1;
  static constexpr auto fields() {
    return std::tuple{field("size", &Code::size, "number of values", between(1, 65536)),
                      choice("activation", &Code::activation, "activation function", code_activations),
                      field("batch_norm", &Code::batch_norm, "normalise its values over the batch"),
                      field("top_k", &Code::top_k, "values that are kept, the largest ones; 0: all", between(0, 65536)),
                      field("top_k_factor", &Code::top_k_factor, "factor on top_k in evaluation", between(1, 65536))};
  }
  Range range() const;    // of its values
  void validate() const;  // ConfigError: more kept than there are; a factor on nothing
};

// (N, …) flattened to (N, in) → (N, size). Its layers are the children `dense` and `norm`.
class CodeBlock final : public nn::Block {
 public:
  CodeBlock(std::int64_t in, const Code& code);
  at::Tensor forward(const at::Tensor& x) override;
  std::optional<nn::DenseLayer> as_dense() const override;

 private:
  std::int64_t kept() const;

  Code code_;
  std::shared_ptr<nn::Linear> dense_;
  std::shared_ptr<nn::BatchNorm> norm_;
  nn::Activation activation_;
};

// A trunk's encoder with the code as its last block.
template <class Trunk>
std::shared_ptr<nn::Sequence> encoder_to(const Code& code, const Trunk& trunk) {
  auto blocks = trunk.encoder();
  blocks->add(std::make_shared<CodeBlock>(trunk.feature_size(), code));
  return blocks;
}

}  // namespace vaetl::models
