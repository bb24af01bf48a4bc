// Reads sequences with recurrent layers: what the models over sequences have in common, so that weights travel between
// them unrenamed. An input is one of
//   (T, F)     T steps of F values
//   (C, H, W)  a picture, read row by row: H steps of C · W values
//   (T)        T token ids, where there is a vocabulary; id 0 is padding
// T (or H) may be −1: any length.
//
// In training a share `word_dropout` of the tokens is seen as the unknown one, so that it means something when texts
// have other words (arXiv:1511.06349, section 3.1), and `input_dropout` of what the layers take: the same features of a
// sequence at all of its steps (arXiv:1512.05287, section 4).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/component.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/nn/recurrent.hpp"

namespace vaetl::models {

struct SequenceShape {
  std::vector<std::int64_t> input = {28, 28};
  std::int64_t vocabulary = 0;  // 0: values

  void validate() const;       // ConfigError
  std::int64_t steps() const;  // T, −1 for any
  std::int64_t features() const;
  FieldInfo info() const;                          // of the signature
  at::Tensor to_steps(const at::Tensor& x) const;  // (N, input…) → (N, T, F) or ids (N, T)
  at::Tensor from_steps(const at::Tensor& steps) const;
};

// What a sequence is summed up by: its last step (backwards the first), the mean or the maximum over its steps, or all
// three, one behind the other (arXiv:1801.06146, eq. 4).
inline constexpr Choices sequence_pools = {"last", "mean", "max", "concat"};

struct SequenceLayers {
  SequenceShape shape = {};
  std::int64_t embedding = 64;
  double word_dropout = 0, input_dropout = 0;
  std::string pool = "last";
  nn::RecurrentOptions rnn = {};  // `in` follows from the shape
  nn::Insertions insert = {};     // after encoder.rnn

  void validate() const;  // ConfigError
};

// Children: embedding, of ids; rnn; rnn_inserted.
class SequenceEncoder final : public torch::nn::Module {
 public:
  explicit SequenceEncoder(SequenceLayers layers);
  // x without the steps behind the longest sequence, which cost time and have no part in anything. All of x on a
  // device, where asking for lengths would wait for it, while a model is recorded, and for whoever looks at all steps.
  at::Tensor trimmed(const at::Tensor& x, const at::Tensor& lengths) const;
  // x: a model's checked input; for token ids DataError where they are not of the vocabulary.
  at::Tensor embed(const at::Tensor& x, const std::string& by);  // (N, T, in)
  // (N, T, in) → the features of every step (N, T, D H), or of each sequence (N, P D H), P 3 where all three are
  // wanted. What is inserted sees each of these by itself; a component that sees other steps, all steps before the end.
  at::Tensor every_step(const at::Tensor& steps, nn::Recurrent::State& state, const at::Tensor& lengths);
  at::Tensor summary(const at::Tensor& steps, const at::Tensor& lengths);
  // What the batch says of its lengths, and where it says nothing, token ids.
  at::Tensor lengths(const Fields& fields, const std::string& by) const;
  bool sees_other_steps() const { return sees_other_steps_; }  // a component that was inserted
  std::int64_t step_size() const { return rnn_->features(); }
  std::int64_t feature_size() const { return step_size() * (layers_.pool == "concat" ? 3 : 1); }
  const SequenceShape& shape() const { return layers_.shape; }
  std::vector<LayerGroup> groups() const;  // of a model whose child `encoder` it is

 private:
  at::Tensor over_steps(at::Tensor features, const at::Tensor& lengths);
  at::Tensor hide_words(const at::Tensor& ids) const;
  at::Tensor drop_inputs(const at::Tensor& steps) const;
  at::Tensor pooled(const at::Tensor& features, const at::Tensor& lengths) const;

  SequenceLayers layers_;
  std::shared_ptr<nn::Embedding> embedding_;
  std::shared_ptr<nn::Recurrent> rnn_;
  std::shared_ptr<nn::Sequence> rnn_inserted_;
  std::vector<std::shared_ptr<nn::Component>> inserted_;  // children of rnn_inserted
  bool sees_other_steps_ = false;
};

inline constexpr Range sequence_sizes = between(-1, 1 << 24);

// The options of the encoder, for every model that has one.
template <class O>
constexpr auto sequence_fields() {
  constexpr Range sizes = between(1, 65536);
  return std::tuple{
      field("input", &O::input, "(T, F), a picture (C, H, W) row by row, or (T) token ids; T −1: any", sequence_sizes),
      field("vocabulary", &O::vocabulary, "token ids that there are; 0: the input holds values", between(0, 1 << 24)),
      field("embedding", &O::embedding, "width of the tokens' embedding", sizes),
      choice("cell", &O::cell, "kind of recurrent layer", nn::recurrent_cells),
      field("hidden", &O::hidden, "units of a recurrent layer", sizes),
      field("layers", &O::layers, "recurrent layers, one on the other", between(1, 64)),
      field("bidirectional", &O::bidirectional, "read the sequence both ways"),
      field("dropout", &O::dropout, "share of values dropped between the layers and before the head", between(0, 0.99)),
      field("insert", &O::insert, "components on the steps' features: [{\"after\": \"encoder.rnn\", \"name\": …}]")};
}
template <class O>
SequenceLayers sequence_layers(const O& o) {
  return {.shape = {o.input, o.vocabulary},
          .embedding = o.embedding,
          .rnn = {.cell = o.cell,
                  .hidden = o.hidden,
                  .layers = o.layers,
                  .bidirectional = o.bidirectional,
                  .dropout = o.dropout},
          .insert = o.insert};
}

}  // namespace vaetl::models
