// Writes a sequence from a code z: recurrent layers whose first state is linear in z and that see z at every step.
//
// Of values, nothing but z: all steps come out at once. Of token ids each step sees the token before it besides, the
// first one padding (arXiv:1511.06349, section 3). `word_dropout` replaces such a token by the unknown one in training,
// so that the decoder has to ask z (there, section 3.1). The text ends with its first padding, which is a token like
// others for it, so that p(x | z) is a distribution over texts of up to T tokens.
#pragma once
#include <memory>

#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/nn/recurrent.hpp"

namespace vaetl::models {

struct SequenceDecoderOptions {
  std::int64_t latent = 16, out = 1;            // out: values a step, or logits of the tokens
  std::int64_t vocabulary = 0, embedding = 64;  // vocabulary 0: values
  double word_dropout = 0;
  nn::RecurrentOptions rnn = {};  // `in` follows; one way
};

// Children: state, embedding of tokens, rnn, output.
class SequenceDecoder final : public torch::nn::Module {
 public:
  explicit SequenceDecoder(SequenceDecoderOptions options);
  at::Tensor values(const at::Tensor& z, std::int64_t steps);     // (N, Z) → (N, T, out)
  at::Tensor logits(const at::Tensor& z, const at::Tensor& ids);  // of ids (N, T), each seen after its logits
  nn::Recurrent::State start(const at::Tensor& z);                // before the first step
  at::Tensor next(const at::Tensor& z, const at::Tensor& ids, nn::Recurrent::State& state);  // ids (N) → (N, V)

 private:
  at::Tensor run(const at::Tensor& z, const at::Tensor& ids, nn::Recurrent::State& state);

  SequenceDecoderOptions options_;
  std::shared_ptr<nn::Linear> state_;
  std::shared_ptr<nn::Embedding> embedding_;
  std::shared_ptr<nn::Recurrent> rnn_;
  std::shared_ptr<nn::Linear> output_;
};

// p(x | z) of token ids x (N, T). mean() is the text of the most probable token at every step, without gradients.
std::shared_ptr<Likelihood> token_likelihood(std::shared_ptr<SequenceDecoder> decoder, at::Tensor z,
                                             std::int64_t steps);

}  // namespace vaetl::models
