#include "vaetl/models/sequence_decoder.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/multinomial.h>
#include <ATen/ops/rand_like.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/nn/sequence.hpp"

namespace vaetl::models {
namespace {

SequenceDecoderOptions with_decoder_input(SequenceDecoderOptions options) {
  options.rnn.in = options.latent + (options.vocabulary > 0 ? options.embedding : 0);
  options.rnn.bidirectional = false;
  return options;
}

std::int64_t state_parts(const nn::RecurrentOptions& rnn) { return rnn.cell == "lstm" ? 2 : 1; }

// The tokens that are seen: one step later, behind padding.
at::Tensor shifted(const at::Tensor& ids) {
  return at::cat({at::zeros({ids.size(0), 1}, ids.options()), ids.narrow(1, 0, ids.size(1) - 1)}, 1);
}

class TokenLikelihood final : public Likelihood {
 public:
  TokenLikelihood(std::shared_ptr<SequenceDecoder> decoder, at::Tensor z, std::int64_t steps)
      : decoder_(std::move(decoder)), z_(std::move(z)), steps_(steps) {}

  at::Tensor log_prob(const at::Tensor& x) const override {
    const at::Tensor logits = decoder_->logits(z_, x).transpose(1, 2);
    const at::Tensor each = at::cross_entropy_loss(logits, x, {}, at::Reduction::None);
    const at::Tensor ends = nn::lengths_of_ids(x) + 1;  // with the padding that ends it
    return -(each * nn::before_end(ends, x.size(1))).sum(1);
  }
  at::Tensor mean() const override {
    return write([](const at::Tensor& logits) { return logits.argmax(1); });
  }
  at::Tensor sample() const override {
    return write([](const at::Tensor& logits) { return at::multinomial(at::softmax(logits, 1), 1).squeeze(1); });
  }

 private:
  template <class Choose>
  at::Tensor write(Choose&& choose) const {
    const at::NoGradGuard no_grad;
    auto state = decoder_->start(z_);
    at::Tensor token = at::zeros({z_.size(0)}, z_.options().dtype(at::kLong)), going = token.eq(token);
    std::vector<at::Tensor> tokens;
    for (std::int64_t step = 0; step < steps_; ++step) {
      token = choose(decoder_->next(z_, token, state)) * going;
      going = going.logical_and(token.ne(nn::padding_id));
      tokens.push_back(token);
    }
    return at::stack(tokens, 1);
  }

  std::shared_ptr<SequenceDecoder> decoder_;
  at::Tensor z_;
  std::int64_t steps_;
};

}  // namespace

SequenceDecoder::SequenceDecoder(SequenceDecoderOptions options) : options_(with_decoder_input(std::move(options))) {
  const nn::RecurrentOptions& rnn = options_.rnn;
  const std::int64_t values = state_parts(rnn) * rnn.layers * rnn.hidden;
  state_ = register_module("state", std::make_shared<nn::Linear>(options_.latent, values));
  if (options_.vocabulary > 0) {
    embedding_ = register_module("embedding", std::make_shared<nn::Embedding>(options_.vocabulary, options_.embedding));
  }
  rnn_ = register_module("rnn", std::make_shared<nn::Recurrent>(rnn));
  output_ = register_module("output", std::make_shared<nn::Linear>(rnn.hidden, options_.out));
}

nn::Recurrent::State SequenceDecoder::start(const at::Tensor& z) {
  const nn::RecurrentOptions& rnn = options_.rnn;
  const at::Tensor all = state_->forward(z).view({z.size(0), state_parts(rnn), rnn.layers, rnn.hidden});
  nn::Recurrent::State state;
  for (const at::Tensor& part : all.unbind(1)) state.push_back(part.transpose(0, 1).contiguous());
  return state;
}

at::Tensor SequenceDecoder::run(const at::Tensor& z, const at::Tensor& ids, nn::Recurrent::State& state) {
  const at::Tensor codes = z.unsqueeze(1).expand({-1, ids.size(1), -1});
  const at::Tensor h = rnn_->forward(at::cat({embedding_->forward(ids), codes}, 2), state);
  return output_->forward(h);
}

at::Tensor SequenceDecoder::values(const at::Tensor& z, std::int64_t steps) {
  auto state = start(z);
  return output_->forward(rnn_->forward(z.unsqueeze(1).expand({-1, steps, -1}).contiguous(), state));
}

at::Tensor SequenceDecoder::logits(const at::Tensor& z, const at::Tensor& ids) {
  at::Tensor seen = shifted(ids);
  if (options_.word_dropout > 0 && is_training()) {
    const at::Tensor dropped = at::rand_like(seen, z.options()).lt(options_.word_dropout);
    seen = seen.masked_fill(dropped.logical_and(seen.ne(nn::padding_id)), nn::unknown_id);
  }
  auto state = start(z);
  return run(z, seen, state);
}

at::Tensor SequenceDecoder::next(const at::Tensor& z, const at::Tensor& ids, nn::Recurrent::State& state) {
  return run(z, ids.unsqueeze(1), state).squeeze(1);
}

std::shared_ptr<Likelihood> token_likelihood(std::shared_ptr<SequenceDecoder> decoder, at::Tensor z,
                                             std::int64_t steps) {
  return std::make_shared<TokenLikelihood>(std::move(decoder), std::move(z), steps);
}

}  // namespace vaetl::models
