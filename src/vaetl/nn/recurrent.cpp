#include "vaetl/nn/recurrent.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_cudnn_rnn_flatten_weight.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cudnn_is_acceptable.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gru.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/sequence.hpp"

namespace vaetl::nn {
namespace {

constexpr std::size_t tensors_a_layer = 4;
constexpr double most_weights = 4294967296.0;  // as of the other layers: more is a slip in a description

void check_recurrent_size(const RecurrentOptions& o) {
  const double hidden = static_cast<double>(o.hidden), gates = o.cell == "lstm" ? 4 : 3;
  const double weights = gates * hidden * (static_cast<double>(o.in) + hidden) * static_cast<double>(o.layers);
  if (o.in > 0 && o.hidden > 0 && o.layers > 0 && weights <= most_weights) return;
  throw ConfigError({"recurrent layers", fmt::format("between 1 and {:.0f} weights", most_weights),
                     fmt::format("{} layers of {} units over {} features", o.layers, o.hidden, o.in),
                     "change the sizes in the model's description"});
}

}  // namespace

struct Recurrent::Stack {
  at::ArrayRef<at::Tensor> weights;
  double dropout;
  std::int64_t layers() const { return static_cast<std::int64_t>(weights.size() / tensors_a_layer); }
};

Recurrent::Recurrent(RecurrentOptions options) : options_(std::move(options)) {
  check_recurrent_size(options_);
  const std::int64_t hidden = options_.hidden, gates = (options_.cell == "lstm" ? 4 : 3) * hidden;
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    weights_.push_back(register_parameter(name, at::empty(shape).uniform_(-bound, bound)));
  };
  for (std::int64_t layer = 0; layer < options_.layers; ++layer) {
    const std::int64_t in = layer == 0 ? options_.in : features();
    for (const char* way : {"", "_reverse"}) {
      if (*way != '\0' && !options_.bidirectional) continue;
      const std::string& suffix = suffixes_.emplace_back(fmt::format("l{}{}", layer, way));
      add("weight_ih_" + suffix, {gates, in});
      add("weight_hh_" + suffix, {gates, hidden});
      add("bias_ih_" + suffix, {gates});
      add("bias_hh_" + suffix, {gates});
    }
  }
}

LayerMaps Recurrent::maps() const {
  LayerMaps result{.maps = {}, .features = features()};
  for (std::size_t i = 0; i < suffixes_.size(); ++i) {
    const at::Tensor* own = weights_.data() + i * tensors_a_layer;
    result.maps.push_back({"_ih_" + suffixes_[i], own[0], own[2]});
    result.maps.push_back({"_hh_" + suffixes_[i], own[1], own[3]});
  }
  return result;
}

std::vector<at::Tensor> Recurrent::adapted_weights() const {
  if (!adapter()) return weights_;
  const auto own = maps().maps;
  std::vector<at::Tensor> result;
  for (std::size_t i = 0; i < own.size(); i += 2) {
    for (const std::size_t map : {i, i + 1}) result.push_back(adapted_weight(own[map], map));
    for (const std::size_t map : {i, i + 1}) result.push_back(adapted_bias(own[map], map));
  }
  return result;
}

// cuDNN wants the weights of one call behind one another, and copies them at every call otherwise. They stay the same
// tensors, as views of one piece of memory.
void Recurrent::flatten() {
  if (adapter() || !weights_[0].is_cuda() || !at::cudnn_is_acceptable(weights_[0])) return;
  const std::size_t call = options_.bidirectional ? tensors_a_layer : weights_.size();
  const std::int64_t mode = options_.cell == "lstm" ? 2 : 3;
  const at::NoGradGuard no_grad;
  for (std::size_t first = 0; first < weights_.size(); first += call) {
    const at::ArrayRef<at::Tensor> own(weights_.data() + first, call);
    if (own[1].is_alias_of(own[0])) continue;
    at::_cudnn_rnn_flatten_weight(own, tensors_a_layer, own[0].size(1), mode, options_.hidden, /*proj_size=*/0,
                                  static_cast<std::int64_t>(call / tensors_a_layer), /*batch_first=*/true,
                                  /*bidirectional=*/false);
  }
}

Recurrent::State Recurrent::zeros(std::int64_t layers, const at::Tensor& x) const {
  const at::Tensor h = at::zeros({layers, x.size(0), options_.hidden}, x.options());
  return options_.cell == "lstm" ? State{h, h} : State{h};
}

void Recurrent::check_state(const State& state, const at::Tensor& x) const {
  const std::vector<std::int64_t> shape = {options_.layers, x.size(0), options_.hidden};
  const std::size_t parts = options_.cell == "lstm" ? 2 : 1;
  bool fits = state.size() == parts && !options_.bidirectional;
  for (const at::Tensor& part : state) fits = fits && part.sizes() == at::IntArrayRef(shape);
  if (fits || state.empty()) return;
  throw DataError({"recurrent layers",
                   options_.bidirectional ? "no state, as they run both ways"
                                          : fmt::format("a state of {} tensors {}", parts, shape_text(shape)),
                   fmt::format("{} of {}", state.size(), shape_text(state[0].sizes().vec())),
                   "start from an empty state where the number of sequences changes"});
}

// Kernels keep what backward needs where gradients are wanted, which a frozen layer in evaluation mode may be asked
// for.
at::Tensor Recurrent::run(const Stack& stack, const at::Tensor& x, State& state) const {
  const bool keep = at::GradMode::is_enabled();
  const double dropout = is_training() ? stack.dropout : 0;
  if (state.empty()) state = zeros(stack.layers(), x);
  if (options_.cell == "gru") {
    const auto [output, h] = at::gru(x, state[0], stack.weights, /*has_biases=*/true, stack.layers(), dropout, keep,
                                     /*bidirectional=*/false, /*batch_first=*/true);
    state = {h};
    return output;
  }
  auto [output, stopped] = lstm(x, {state[0], state[1]}, stack.weights, dropout);
  state = {stopped.h, stopped.c};
  return output;
}

at::Tensor Recurrent::both_ways(at::TensorList weights, const at::Tensor& x, const at::Tensor& lengths) const {
  at::Tensor values = x;
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(options_.layers); ++layer) {
    const at::Tensor* first = weights.data() + 2 * layer * tensors_a_layer;
    State forwards, backwards;
    if (layer > 0) values = at::dropout(values, options_.dropout, is_training());
    const at::Tensor there = run({{first, tensors_a_layer}, 0}, values, forwards);
    const at::Tensor back = run({{first + tensors_a_layer, tensors_a_layer}, 0}, reversed(values, lengths), backwards);
    values = at::cat({there, reversed(back, lengths)}, 2);
  }
  return values;
}

at::Tensor Recurrent::forward(const at::Tensor& x, State& state, const at::Tensor& lengths) {
  flatten();
  check_state(state, x);
  const auto weights = adapted_weights();
  at::Tensor output = adapted_output(options_.bidirectional ? both_ways(weights, x, lengths)
                                                            : run({weights, options_.dropout}, x, state));
  if (lengths.defined()) {
    state.clear();
    output = output.mul(before_end(lengths, x.size(1)).unsqueeze(2));
  }
  return output;
}

at::Tensor Recurrent::forward(const at::Tensor& x, const at::Tensor& lengths) {
  State state;
  return forward(x, state, lengths);
}

at::Tensor Recurrent::last(const at::Tensor& output, const at::Tensor& lengths) const {
  if (!options_.bidirectional) return last_step(output, lengths);
  const auto halves = output.split(options_.hidden, 2);
  return at::cat({last_step(halves[0], lengths), halves[1].select(1, 0)}, 1);
}

}  // namespace vaetl::nn
