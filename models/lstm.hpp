// A recurrent network over sequences, LSTM or GRU by `cell`, with a linear head (nn/recurrent.hpp has the equations).
// What it is follows from its options:
//   classes              a sequence classifier: x (N, T, F) → features (N, D H) of the last step, or what `pool` makes
//                        of all of them → logits (N, K)
//   outputs              a forecaster: values (N, O)
//   per_step             the head on every step: (N, T, K) or (N, T, O); sequences of any length
//   per_step, vocabulary a language model: token ids (N, T) → logits of the next one; it carries its state
// D is 2 where it reads both ways. Padding (the batch's `length`, and id 0 of tokens) has no part in any of it.
//
// `continues` lists features c of the input that a forecaster's outputs go on with, o = h · |c| + f: the network sees
// each window as (x − x_T) / s, s² = var(x) + 0.0025 over the window, and predicts ŷ = x_T + s · head(…), so that what
// it learnt holds at levels that the training data never had (arXiv:2205.13504, section 4, subtracts x_T; Kim et al.,
// ICLR 2022, scale). Its features then end with x_T and s of c.
//
//   auto digits = make<models::Lstm>({.input = {1, 28, 28}, .classes = 10});       // a picture, row by row
//   auto text = make<models::Lstm>({.input = {-1}, .vocabulary = 67, .hidden = 256, .per_step = true, .classes = 67});
//   auto load = make<models::Lstm>({.input = {96, 7}, .classes = 0, .outputs = 24, .continues = {6}});
#pragma once
#include "vaetl/models/sequence_encoder.hpp"
#include "vaetl/models/trunk.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/head.hpp"

namespace vaetl::models {

// Parameters: encoder.embedding.weight, encoder.rnn.weight_ih_l0, …, head. Groups: encoder.embedding, encoder.rnn,
// head.
class Lstm final : public Model, public virtual Classifier, public virtual Regressor, public virtual SequenceModel {
 public:
  static constexpr std::string_view name = "lstm";
  struct Options {
    std::vector<std::int64_t> input = {28, 28};
    std::int64_t vocabulary = 0, embedding = 64;
    std::string cell = "lstm";
    std::int64_t hidden = 128, layers = 1;
    bool bidirectional = false;
    double dropout = 0;
    nn::Insertions insert = {};
    double word_dropout = 0, input_dropout = 0;
    std::string pool = "last";
    bool per_step = false;
    std::int64_t classes = 10, outputs = 0;
    std::vector<std::int64_t> continues = {};
    std::vector<std::int64_t> head = {};
    static constexpr auto fields() {
      constexpr Range counts = between(0, 1 << 24);
      return std::tuple_cat(
          sequence_fields<Options>(),
          std::tuple{
              field("word_dropout", &Options::word_dropout, "share of the tokens seen as unknown, in training",
                    between(0, 0.99)),
              field("input_dropout", &Options::input_dropout,
                    "share of a sequence's features dropped before the layers, in training", between(0, 0.99)),
              choice("pool", &Options::pool, "features of a sequence: of the last step, the mean, the maximum, or all",
                     sequence_pools),
              field("per_step", &Options::per_step, "put out classes or values at every step, not for the whole"),
              field("classes", &Options::classes, "number of classes; 0: values or features alone", counts),
              field("outputs", &Options::outputs, "number of values to predict; then classes is 0", counts),
              field("continues", &Options::continues,
                    "features, from 0, that the outputs continue: differences from their last values",
                    between(0, 65535))},
          head_field<Options>());
    }
    void validate() const;
  };
  explicit Lstm(const Options& options);

  std::vector<LayerGroup> layer_groups() const override;
  Signature signature() const override;
  at::Tensor encode(const Fields& fields) override;
  std::int64_t feature_size() const override;
  ModelSpec classifier(std::int64_t classes) const override;
  at::Tensor classify(const at::Tensor& features) override;  // ConfigError without classes
  std::int64_t classes() const override { return options_.per_step ? 0 : options_.classes; }
  at::Tensor regress(const at::Tensor& features) override;  // ConfigError without outputs
  std::int64_t outputs() const override { return options_.per_step ? 0 : options_.outputs; }
  // From `state` on; it is empty on return where sequences have lengths or are read both ways.
  at::Tensor unroll(const Fields& fields, std::vector<at::Tensor>& state) override;
  std::int64_t step_outputs() const override { return options_.per_step ? options_.classes + options_.outputs : 0; }

 private:
  std::int64_t head_input() const;
  at::Tensor through_head(const at::Tensor& features);
  at::Tensor encode_differences(const at::Tensor& steps);

  Options options_;
  std::shared_ptr<SequenceEncoder> encoder_;
  nn::HeadLayers head_;
};

}  // namespace vaetl::models
