// Recurrent layers with PyTorch's parameter names, shapes and initial values, U(−1/√H, 1/√H), so that the weights of
// torch.nn.LSTM and torch.nn.GRU travel both ways:
//   lstm  i, f, o = σ(…), g = tanh(…) of W x_t + b + U h_{t−1} + c;  c_t = f c_{t−1} + i g,  h_t = o tanh c_t
//   gru   r, z = σ(…) of the same;  n = tanh(W x_t + b + r (U h_{t−1} + c)),  h_t = (1 − z) n + z h_{t−1}
// (Hochreiter and Schmidhuber 1997, with forget gates: Gers et al. 2000; arXiv:1406.1078, as modified by cuDNN.)
//
// Sequences of unequal length run as they are padded, by the fused kernels of the whole batch: forwards no step sees
// what is behind it, and backwards each sequence is reversed by itself, so that its padding stays behind its end. This
// needs neither sorting nor a wait for the device, and on a CPU it is faster than packed sequences.
//
//   nn::Recurrent rnn({.in = 12, .hidden = 64, .bidirectional = true});
//   at::Tensor h = rnn.last(rnn.forward(x, lengths), lengths);   // (N, T, 12) → (N, 128)
#pragma once
#include <torch/nn/module.h>

#include <string>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/adaptable.hpp"

namespace vaetl::nn {

inline constexpr Choices recurrent_cells = {"lstm", "gru"};

struct RecurrentOptions {
  std::string cell = "lstm";
  std::int64_t in = 1, hidden = 1, layers = 1;
  bool bidirectional = false;
  double dropout = 0;  // between layers, in training
};

class Recurrent final : public torch::nn::Module, public Adaptable {
 public:
  // What is carried from step to step: h, and c of an LSTM, (layers, N, hidden) each; empty: zeros.
  using State = std::vector<at::Tensor>;

  explicit Recurrent(RecurrentOptions options);
  // x (N, T, in), T at least 1 → (N, T, D hidden), D = 2 where it runs both ways; 0 behind the ends that `lengths`
  // says. On return `state` is where the sequences stopped; empty where they have lengths or run both ways, as then
  // they are whole. DataError for a state of another shape.
  at::Tensor forward(const at::Tensor& x, State& state, const at::Tensor& lengths = {});
  at::Tensor forward(const at::Tensor& x, const at::Tensor& lengths = {});
  // Of that output, (N, D hidden): forwards at the last step, backwards at the first.
  at::Tensor last(const at::Tensor& output, const at::Tensor& lengths = {}) const;
  // W, b and U, c of each layer and direction, with the suffixes _ih_l0, _hh_l0, _ih_l0_reverse, …; adapters compute
  // with them as of dense layers, and change the output of the last layer.
  LayerMaps maps() const override;
  std::int64_t features() const { return options_.hidden * (options_.bidirectional ? 2 : 1); }

 private:
  struct Stack;  // of layers that run one way by themselves

  void flatten();
  void check_state(const State& state, const at::Tensor& x) const;
  State zeros(std::int64_t layers, const at::Tensor& x) const;
  at::Tensor run(const Stack& stack, const at::Tensor& x, State& state) const;
  at::Tensor both_ways(at::TensorList weights, const at::Tensor& x, const at::Tensor& lengths) const;
  std::vector<at::Tensor> adapted_weights() const;

  RecurrentOptions options_;
  std::vector<at::Tensor> weights_;    // w_ih, w_hh, b_ih, b_hh of each layer, forwards then backwards
  std::vector<std::string> suffixes_;  // l0, l0_reverse, …: of each four of them
};

}  // namespace vaetl::nn
