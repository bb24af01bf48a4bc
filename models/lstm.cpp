#include "vaetl/models/lstm.hpp"

#include <ATen/ops/cat.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/models/options.hpp"

namespace vaetl::models {
namespace {

constexpr double least_variance = 0.0025;  // of a window that stands still, in standardised units

std::string by_name(const Model& model) { return "model " + quote(model.spec().name); }

void check_continues(const Lstm::Options& o) {
  if (o.continues.empty()) return;
  auto refuse = [](std::string expected, std::string found) {
    throw ConfigError({"continues", std::move(expected), std::move(found), "leave it out"});
  };
  const auto count = static_cast<std::int64_t>(o.continues.size());
  if (o.per_step || o.vocabulary > 0 || o.input.size() != 2) refuse("a forecaster of values (T, F)", "another model");
  if (o.outputs % count != 0) {
    refuse(fmt::format("features that divide the {} outputs", o.outputs), std::to_string(count));
  }
  for (const std::int64_t feature : o.continues) {
    if (feature >= o.input[1]) refuse(fmt::format("features below {}", o.input[1]), std::to_string(feature));
  }
}

// What a recipe may leave to the data is known when the model is made, not when its options are read.
SequenceLayers known_layers(const Lstm::Options& options) {
  SequenceLayers layers = sequence_layers(options);
  layers.word_dropout = options.word_dropout;
  layers.input_dropout = options.input_dropout;
  layers.pool = options.pool;
  layers.validate();
  check_continues(options);
  if (options.dropout > 0 && options.layers == 1 && options.classes + options.outputs == 0) {
    throw ConfigError({"dropout", "0 where there is one layer and no head", fmt::format("{}", options.dropout),
                       "it acts between layers and before the head alone"});
  }
  return layers;
}

}  // namespace

void Lstm::Options::validate() const {
  if (classes > 0 && outputs > 0) {
    throw ConfigError({"outputs", "0 where there are classes", std::to_string(outputs), "set classes to 0"});
  }
  check_classes(classes);
  if (per_step && classes + outputs == 0) {
    throw ConfigError({"per_step", "classes or outputs, for every step", "neither", {}});
  }
}

Lstm::Lstm(const Options& options)
    : Model(vaetl::spec<Lstm>(checked<Lstm>(options))),
      options_(options),
      encoder_(register_module("encoder", std::make_shared<SequenceEncoder>(known_layers(options)))) {
  if (options.per_step && !options.bidirectional && encoder_->sees_other_steps()) {
    throw ConfigError({"insert",
                       "components that see single steps, as every step's output is to depend on no later one",
                       "one that sees all steps", "set bidirectional, or put it into a model without per_step"});
  }
  const std::int64_t size = options.classes + options.outputs;
  nn::check_head(options.head, size);
  if (size == 0) return;
  head_ = nn::make_head(head_input(), options.head, size);
  register_module("head", head_.module);
}

std::vector<LayerGroup> Lstm::layer_groups() const {
  auto groups = encoder_->groups();
  if (head_) groups.push_back({"head", {"head"}});
  return groups;
}

// What a model does at every step does not depend on how many there are.
Signature Lstm::signature() const {
  FieldInfo info = encoder_->shape().info();
  if (options_.per_step) info.shape[info.shape.size() == 3 ? 1 : 0] = -1;
  return {{{"input", std::move(info)}}};
}

std::int64_t Lstm::head_input() const { return options_.per_step ? encoder_->step_size() : encoder_->feature_size(); }

std::int64_t Lstm::feature_size() const {
  return encoder_->feature_size() + 2 * static_cast<std::int64_t>(options_.continues.size());
}

at::Tensor Lstm::encode(const Fields& fields) {
  const at::Tensor& x = checked_input(*this, fields);
  const at::Tensor lengths = encoder_->lengths(fields, by_name(*this));
  const at::Tensor steps = encoder_->embed(encoder_->trimmed(x, lengths), by_name(*this));
  if (options_.continues.empty()) return encoder_->summary(steps, lengths);
  if (lengths.defined()) {
    throw DataError({by_name(*this), "windows of equal length, whose features the outputs continue",
                     "sequences with a length each", "leave `continues` out of its description"});
  }
  return encode_differences(steps);
}

at::Tensor Lstm::encode_differences(const at::Tensor& steps) {
  const at::Tensor last = steps.narrow(1, steps.size(1) - 1, 1);
  const at::Tensor spread = (steps.var(1, /*correction=*/0, /*keepdim=*/true) + least_variance).sqrt();
  const at::Tensor h = encoder_->summary((steps - last) / spread, {});
  std::vector<at::Tensor> parts = {h};
  for (const at::Tensor& each : {last, spread}) {
    for (const std::int64_t feature : options_.continues) parts.push_back(each.select(2, feature));
  }
  return at::cat(parts, 1);
}

ModelSpec Lstm::classifier(std::int64_t classes) const {
  Options options = options_;
  if (options.per_step) options.input[options.input.size() == 3 ? 1 : 0] = -1;  // windows of a text are no texts
  options.per_step = false;
  options.classes = classes;
  options.outputs = 0;
  options.head.clear();
  if (classes == 0 && options.layers == 1) options.dropout = 0;
  return vaetl::spec<Lstm>(options);
}

at::Tensor Lstm::through_head(const at::Tensor& features) {
  const at::Tensor h = features.narrow(-1, 0, head_input());
  return head_.forward(h, options_.dropout);
}

at::Tensor Lstm::classify(const at::Tensor& features) {
  require_capability(*this, Classifier::capability, "classify");
  return through_head(features);
}

at::Tensor Lstm::regress(const at::Tensor& features) {
  require_capability(*this, Regressor::capability, "regress");
  const at::Tensor values = through_head(features);
  const auto count = static_cast<std::int64_t>(options_.continues.size());
  if (count == 0) return values;
  const at::Tensor level = features.narrow(1, encoder_->feature_size(), count).unsqueeze(1);
  const at::Tensor spread = features.narrow(1, encoder_->feature_size() + count, count).unsqueeze(1);
  return (level + spread * values.view({values.size(0), -1, count})).flatten(1);
}

at::Tensor Lstm::unroll(const Fields& fields, std::vector<at::Tensor>& state) {
  require_capability(*this, SequenceModel::capability, "unroll");
  const at::Tensor& x = checked_input(*this, fields);
  const at::Tensor steps = encoder_->embed(x, by_name(*this));
  // Read forwards alone, padding of token ids is behind all that counts; with lengths there is no state to carry.
  const bool ends = options_.bidirectional || fields.has("length");
  const at::Tensor lengths = ends ? encoder_->lengths(fields, by_name(*this)) : at::Tensor();
  return through_head(encoder_->every_step(steps, state, lengths));
}

}  // namespace vaetl::models
