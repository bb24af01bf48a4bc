#include "vaetl/models/sequence_encoder.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand_like.h>

#include <limits>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/plain_forms.hpp"
#include "vaetl/nn/sequence.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::models {
namespace {

constexpr double most_steps_values = 1 << 28;
const std::string rnn_group = "encoder.rnn";

SequenceLayers with_input_size(SequenceLayers layers) {
  layers.rnn.in = layers.shape.vocabulary > 0 ? layers.embedding : layers.shape.features();
  return layers;
}

// x (N, T, F) → (N, F), over the steps before the ends.
at::Tensor mean_step(const at::Tensor& x, const at::Tensor& lengths) {
  if (!lengths.defined()) return x.mean(1);
  const at::Tensor counted = x * nn::before_end(lengths, x.size(1)).unsqueeze(2);
  return counted.sum(1) / lengths.unsqueeze(1);
}
at::Tensor largest_step(const at::Tensor& x, const at::Tensor& lengths) {
  if (!lengths.defined()) return x.amax(1);
  const at::Tensor behind = nn::before_end(lengths, x.size(1)).logical_not().unsqueeze(2);
  return x.masked_fill(behind, -std::numeric_limits<double>::infinity()).amax(1);
}

std::size_t time_of(const std::vector<std::int64_t>& input) { return input.size() == 3 ? 1 : 0; }

}  // namespace

void SequenceShape::validate() const {
  const bool ids = vocabulary > 0;
  if (ids && (input.size() != 1 || vocabulary < 2)) {
    throw ConfigError({ids && vocabulary < 2 ? "vocabulary" : "input",
                       "(T), a sequence of token ids from a vocabulary of at least 2",
                       fmt::format("{} and a vocabulary of {}", shape_text(input), vocabulary),
                       {}});
  }
  if (!ids && input.size() != 2 && input.size() != 3) {
    throw ConfigError({"input", "(T, F), steps of values, or a picture (C, H, W)", shape_text(input),
                       "for token ids say how many there are: \"vocabulary\""});
  }
  double values = 1;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const bool any = input[i] == -1 && i == time_of(input);
    if (!any && input[i] < 1) {
      throw ConfigError({"input", "sizes of at least 1; for the steps also -1, any", shape_text(input), {}});
    }
    values *= any ? 1 : static_cast<double>(input[i]);
  }
  if (values <= most_steps_values) return;
  throw ConfigError({"input", fmt::format("at most {:.0f} values", most_steps_values), shape_text(input), {}});
}

std::int64_t SequenceShape::steps() const { return input[time_of(input)]; }

std::int64_t SequenceShape::features() const {
  if (vocabulary > 0) return 1;
  return input.size() == 3 ? input[0] * input[2] : input[1];
}

FieldInfo SequenceShape::info() const {
  if (vocabulary == 0) return {.shape = input, .dtype = at::kFloat, .low = 0, .high = 1};
  return {.shape = input, .dtype = at::kLong, .low = 0, .high = static_cast<double>(vocabulary - 1)};
}

at::Tensor SequenceShape::to_steps(const at::Tensor& x) const {
  return input.size() == 3 ? x.transpose(1, 2).flatten(2) : x;
}

at::Tensor SequenceShape::from_steps(const at::Tensor& steps) const {
  if (input.size() != 3) return steps;
  return steps.unflatten(2, {input[0], input[2]}).transpose(1, 2);
}

void SequenceLayers::validate() const {
  shape.validate();
  nn::check_places(insert, {rnn_group});
  if (shape.vocabulary == 0 && word_dropout > 0) {
    throw ConfigError({"word_dropout", "0 where the input holds values", fmt::format("{}", word_dropout),
                       "input_dropout is of values too"});
  }
  if (shape.vocabulary > 0 || embedding == SequenceLayers{}.embedding) return;
  throw ConfigError({"embedding", "a vocabulary of token ids", "none", "leave it out"});
}

SequenceEncoder::SequenceEncoder(SequenceLayers layers) : layers_(with_input_size(std::move(layers))) {
  if (layers_.shape.vocabulary > 0) {
    embedding_ =
        register_module("embedding", std::make_shared<nn::Embedding>(layers_.shape.vocabulary, layers_.embedding));
  }
  rnn_ = register_module("rnn", std::make_shared<nn::Recurrent>(layers_.rnn));
  const auto inserted = nn::inserted_after(rnn_group, {shape().steps(), step_size()}, layers_.insert);
  if (!inserted) return;
  rnn_inserted_ = register_module("rnn_inserted", inserted);
  for (const auto& child : inserted->children()) {
    inserted_.push_back(std::dynamic_pointer_cast<nn::Component>(child));
    sees_other_steps_ = sees_other_steps_ || inserted_.back()->sees_other_steps();
  }
}

at::Tensor SequenceEncoder::trimmed(const at::Tensor& x, const at::Tensor& lengths) const {
  const bool shown = nn::Taps::wants(embedding_.get()) || nn::Taps::wants(rnn_.get());
  if (!lengths.defined() || !nn::may_look_at(lengths) || lengths.numel() == 0 || shown) return x;
  const auto time = static_cast<std::int64_t>(time_of(shape().input)) + 1;
  return x.narrow(time, 0, lengths.max().item<std::int64_t>());
}

at::Tensor SequenceEncoder::embed(const at::Tensor& x, const std::string& by) {
  const at::Tensor steps = shape().to_steps(x);
  if (steps.size(1) == 0) throw DataError({by, "sequences of at least one step", "empty ones", "leave them out"});
  if (!embedding_) return drop_inputs(steps);
  nn::check_ids(steps, shape().vocabulary, by);
  return drop_inputs(nn::shown(*embedding_, hide_words(steps)));
}

at::Tensor SequenceEncoder::hide_words(const at::Tensor& ids) const {
  if (layers_.word_dropout == 0 || !is_training()) return ids;
  const at::Tensor hidden = at::rand_like(ids, rnn_->parameters()[0].options()).lt(layers_.word_dropout);
  return ids.masked_fill(hidden.logical_and(ids.ne(nn::padding_id)), nn::unknown_id);
}

at::Tensor SequenceEncoder::drop_inputs(const at::Tensor& steps) const {
  if (layers_.input_dropout == 0 || !is_training()) return steps;
  return steps * at::dropout(at::ones({steps.size(0), 1, steps.size(2)}, steps.options()), layers_.input_dropout, true);
}

at::Tensor SequenceEncoder::pooled(const at::Tensor& features, const at::Tensor& lengths) const {
  if (layers_.pool == "mean") return mean_step(features, lengths);
  if (layers_.pool == "max") return largest_step(features, lengths);
  const at::Tensor last = rnn_->last(features, lengths);
  if (layers_.pool == "last") return last;
  return at::cat({last, largest_step(features, lengths), mean_step(features, lengths)}, 1);
}

at::Tensor SequenceEncoder::over_steps(at::Tensor features, const at::Tensor& lengths) {
  for (const auto& component : inserted_) features = component->over_steps(features, lengths);
  return features;
}

at::Tensor SequenceEncoder::every_step(const at::Tensor& steps, nn::Recurrent::State& state,
                                       const at::Tensor& lengths) {
  const at::Tensor output = rnn_->forward(steps, state, lengths);
  nn::Taps::show(rnn_.get(), output);
  at::Tensor features = over_steps(output, lengths);
  nn::Taps::show(rnn_inserted_.get(), features);
  return features;
}

// What sees single steps alone is spared all but the one that counts; who asks for all of them gets them besides.
at::Tensor SequenceEncoder::summary(const at::Tensor& steps, const at::Tensor& lengths) {
  const at::Tensor output = rnn_->forward(steps, lengths);
  nn::Taps::show(rnn_.get(), output);
  const bool needs_all = sees_other_steps_ || layers_.pool != "last";
  if (needs_all || nn::Taps::wants(rnn_inserted_.get())) {
    const at::Tensor features = over_steps(output, lengths);
    nn::Taps::show(rnn_inserted_.get(), features);
    if (needs_all) return pooled(features, lengths);
  }
  return over_steps(rnn_->last(output, lengths).unsqueeze(1), {}).squeeze(1);
}

at::Tensor SequenceEncoder::lengths(const Fields& fields, const std::string& by) const {
  const at::Tensor& x = fields.input();
  const bool told = fields.has("length");
  if (!told && shape().vocabulary > 0) return x.size(1) > 0 ? nn::lengths_of_ids(x).clamp_min(1) : at::Tensor();
  return told ? nn::lengths_of(fields, x.size(static_cast<std::int64_t>(time_of(shape().input)) + 1), by)
              : at::Tensor();
}

std::vector<LayerGroup> SequenceEncoder::groups() const {
  std::vector<LayerGroup> groups;
  if (embedding_) groups.push_back({"encoder.embedding", {"encoder.embedding"}});
  groups.push_back({rnn_group, {rnn_group}});
  if (!inserted_.empty()) groups.push_back({nn::inserted_group(rnn_group), {rnn_group + "_inserted"}});
  return groups;
}

}  // namespace vaetl::models
