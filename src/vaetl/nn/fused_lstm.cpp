#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/fused_support.hpp"
#include "vaetl/nn/kernels/recurrent.hpp"

namespace vaetl::nn {
namespace {

constexpr std::size_t tensors_a_layer = 4;

LstmResult plain_lstm(const at::Tensor& x, const LstmState& start, at::TensorList weights, double dropout) {
  const auto layers = static_cast<std::int64_t>(weights.size() / tensors_a_layer);
  const bool keep = at::GradMode::is_enabled();
  auto [output, h, c] = at::lstm(x, {start.h, start.c}, weights, /*has_biases=*/true, layers, dropout, keep,
                                 /*bidirectional=*/false, /*batch_first=*/true);
  return {std::move(output), {std::move(h), std::move(c)}};
}

// Rows of a step whose loop is worth a thread.
std::int64_t step_rows_a_thread(std::int64_t units) { return rows_a_thread(4 * units); }

// One layer, T steps of N rows: every tensor of steps is (T, N, …), so that a step is contiguous.
struct Layer {
  at::Tensor gates, h, c;  // (T, N, 4 H) after their activations, (T, N, H) twice
};

Layer lstm_forward(const at::Tensor& x, const at::Tensor& h0, const at::Tensor& c0, const at::Tensor& w_ih,
                   const at::Tensor& w_hh, const at::Tensor& bias) {
  const std::int64_t steps = x.size(0), n = x.size(1), units = w_hh.size(1);
  Layer layer{at::mm(x.view({steps * n, -1}), w_ih.t()).view({steps, n, 4 * units}),
              at::empty({steps, n, units}, x.options()), at::empty({steps, n, units}, x.options())};
  const at::Tensor across = w_hh.t();
  const float* offsets = bias.const_data_ptr<float>();
  for (std::int64_t t = 0; t < steps; ++t) {
    const at::Tensor before = t == 0 ? h0 : layer.h.select(0, t - 1);
    layer.gates.select(0, t).addmm_(before, across);
    const float* c_before = t == 0 ? c0.const_data_ptr<float>() : layer.c.const_data_ptr<float>() + (t - 1) * n * units;
    float* gates = layer.gates.mutable_data_ptr<float>() + t * n * 4 * units;
    float* c = layer.c.mutable_data_ptr<float>() + t * n * units;
    float* h = layer.h.mutable_data_ptr<float>() + t * n * units;
    at::parallel_for(0, n, step_rows_a_thread(units), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        const std::int64_t at = row * units;
        kernels::lstm_step(gates + 4 * at, offsets, c_before + at, c + at, h + at, units);
      }
    });
  }
  return layer;
}

struct Sums {
  at::Tensor gates, h0, c0;  // gradients: of the sums before the activations (T, N, 4 H), and of where it started
};

Sums lstm_backward(const Layer& layer, const at::Tensor& c0, const at::Tensor& w_hh, const at::Tensor& of_output,
                   at::Tensor of_c) {
  const std::int64_t steps = layer.h.size(0), n = layer.h.size(1), units = layer.h.size(2);
  Sums result{at::empty_like(layer.gates), at::zeros({n, units}, of_output.options()), std::move(of_c)};
  float* of_cell = result.c0.mutable_data_ptr<float>();
  for (std::int64_t t = steps - 1; t >= 0; --t) {
    const float* gates = layer.gates.const_data_ptr<float>() + t * n * 4 * units;
    const float* c = layer.c.const_data_ptr<float>() + t * n * units;
    const float* c_before = t == 0 ? c0.const_data_ptr<float>() : c - n * units;
    const float* of_h = of_output.const_data_ptr<float>() + t * n * units;
    const float* after = result.h0.const_data_ptr<float>();
    float* sums = result.gates.mutable_data_ptr<float>() + t * n * 4 * units;
    at::parallel_for(0, n, step_rows_a_thread(units), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        const std::int64_t at = row * units;
        kernels::lstm_step_gradient(gates + 4 * at, c_before + at, c + at, of_h + at, after + at, of_cell + at,
                                    sums + 4 * at, units);
      }
    });
    at::mm_out(result.h0, result.gates.select(0, t), w_hh);
  }
  return result;
}

at::Tensor of_recurrent_weight(const at::Tensor& of_gates, const at::Tensor& h, const at::Tensor& h0) {
  const std::int64_t steps = h.size(0), units = h.size(2);
  at::Tensor result = at::mm(of_gates.select(0, 0).t(), h0);
  if (steps == 1) return result;
  const at::Tensor later = of_gates.narrow(0, 1, steps - 1).view({-1, 4 * units});
  return result.addmm_(later.t(), h.narrow(0, 0, steps - 1).view({-1, units}));
}

struct LstmFunction : torch::autograd::Function<LstmFunction> {
  using Context = torch::autograd::AutogradContext;
  using Tensors = torch::autograd::variable_list;

  // x (T, N, F) → h of every step (T, N, H), and c of the last (N, H)
  static Tensors forward(Context* context, const at::Tensor& x, const at::Tensor& h0, const at::Tensor& c0,
                         const at::Tensor& w_ih, const at::Tensor& w_hh, const at::Tensor& b_ih,
                         const at::Tensor& b_hh) {
    const at::AutoDispatchBelowADInplaceOrView below;
    const Layer layer = lstm_forward(x, h0, c0, w_ih, w_hh, b_ih + b_hh);
    context->save_for_backward({x, h0, c0, w_ih, w_hh, layer.gates, layer.h, layer.c});
    return {layer.h, layer.c.select(0, layer.c.size(0) - 1).clone()};
  }

  static Tensors backward(Context* context, const Tensors& gradients) {
    if (at::GradMode::is_enabled()) {
      throw Error(Exit::internal, {"nn::lstm", "a gradient that is not itself differentiated", "a second one", {}});
    }
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &h0 = saved[1], &c0 = saved[2], &w_ih = saved[3], &w_hh = saved[4];
    const Layer layer{saved[5], saved[6], saved[7]};
    const at::Tensor of_output = gradients[0].defined() ? gradients[0].contiguous() : at::zeros_like(layer.h);
    const at::Tensor of_c =
        gradients[1].defined() ? gradients[1].clone(at::MemoryFormat::Contiguous) : at::zeros_like(c0);
    const Sums sums = lstm_backward(layer, c0, w_hh, of_output, of_c);
    const at::Tensor all = sums.gates.view({-1, sums.gates.size(2)});
    const at::Tensor of_bias = all.sum(0);
    return {context->needs_input_grad(0) ? at::mm(all, w_ih).view(x.sizes()) : at::Tensor(),
            sums.h0,
            sums.c0,
            context->needs_input_grad(3) ? at::mm(all.t(), x.view({all.size(0), -1})) : at::Tensor(),
            context->needs_input_grad(4) ? of_recurrent_weight(sums.gates, layer.h, h0) : at::Tensor(),
            of_bias,
            of_bias};
  }
};

}  // namespace

LstmResult lstm(const at::Tensor& x, const LstmState& start, at::TensorList weights, double dropout) {
  const bool fits = x.numel() > 0 && plain_float(x) && plain_float(weights[0]) && plain_float(start.h) && fusible();
  if (!fits) return plain_lstm(x, start, weights, dropout);
  const auto layers = static_cast<std::int64_t>(weights.size() / tensors_a_layer);
  at::Tensor values = x.transpose(0, 1).contiguous();
  std::vector<at::Tensor> h, c;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const at::Tensor* w = weights.data() + static_cast<std::size_t>(layer) * tensors_a_layer;
    if (layer > 0 && dropout > 0) values = at::dropout(values, dropout, /*train=*/true);
    const auto out = LstmFunction::apply(values, start.h.select(0, layer).contiguous(),
                                         start.c.select(0, layer).contiguous(), w[0], w[1], w[2], w[3]);
    values = out[0];
    h.push_back(values.select(0, values.size(0) - 1));
    c.push_back(out[1]);
  }
  return {values.transpose(0, 1), {at::stack(h), at::stack(c)}};
}

}  // namespace vaetl::nn
