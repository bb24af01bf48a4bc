#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/fused_support.hpp"
#include "vaetl/nn/kernels/kernels.hpp"
#include "vaetl/nn/kernels/recurrent.hpp"

namespace vaetl::nn {
namespace {

using LstmTensors = std::vector<at::Tensor>;

constexpr std::size_t lstm_tensors = 4;           // of a layer
constexpr std::int64_t lstm_products = 131072;    // multiplications worth a thread
constexpr std::int64_t examples_a_product = 128;  // of a sum over all: their rows fit the first cache

LstmResult plain_lstm(const at::Tensor& x, const LstmState& start, at::TensorList weights, double dropout) {
  const auto layers = static_cast<std::int64_t>(weights.size() / lstm_tensors);
  const bool keep = at::GradMode::is_enabled();
  auto [output, h, c] = at::lstm(x, {start.h, start.c}, weights, /*has_biases=*/true, layers, dropout, keep,
                                 /*bidirectional=*/false, /*batch_first=*/true);
  return {std::move(output), {std::move(h), std::move(c)}};
}

// inputs: those of LstmLayer → h of every step, c of the last.
LstmTensors plain_layer(const LstmTensors& inputs) {
  const LstmTensors weights(inputs.begin() + 3, inputs.end());
  const auto [output, h, c] =
      at::lstm(inputs[0], {inputs[1].unsqueeze(0), inputs[2].unsqueeze(0)}, weights, /*has_biases=*/true,
               /*num_layers=*/1, /*dropout=*/0, /*train=*/true, /*bidirectional=*/false, /*batch_first=*/false);
  return {output, c.squeeze(0)};
}

// A layer's x (T, N, F), h0 and c0 (N, H), w_ih, w_hh, b_ih and b_hh.
struct LstmLayer {
  at::Tensor x, h0, c0, w_ih, w_hh, b_ih, b_hh;

  std::int64_t steps() const { return x.size(0); }
  std::int64_t rows() const { return x.size(1); }
  std::int64_t in() const { return x.size(2); }
  std::int64_t units() const { return w_hh.size(1); }
  std::int64_t gates() const { return 4 * units(); }
  std::int64_t products() const { return steps() * gates() * (in() + units()); }  // of a row
};

// Rows of (T, N, …) as plain memory; one step stands for all where no more are kept.
struct Steps {
  float* values;
  std::int64_t step, row;
  explicit Steps(const at::Tensor& tensor)
      : values(tensor.mutable_data_ptr<float>()),
        step(tensor.size(0) == 1 ? 0 : tensor.stride(0)),
        row(tensor.stride(1)) {}
  float* operator()(std::int64_t t, std::int64_t n) const { return values + t * step + n * row; }
};

at::Tensor with_plain_rows(const at::Tensor& x) { return x.stride(2) == 1 ? x : x.contiguous(); }

// Rows that kernels::multiply reads: whole panels, zeros behind the last column.
at::Tensor empty_steps(std::int64_t steps, std::int64_t rows, std::int64_t columns, const at::TensorOptions& options) {
  return at::empty({steps, rows, kernels::memory_row(columns)}, options);
}
void fill_row(float* to, const float* from, std::int64_t columns) {
  std::copy_n(from, columns, to);
  std::fill(to + columns, to + kernels::panels(columns) * kernels::panel, 0.0F);
}

// A matrix B (depth, columns) as kernels::multiply reads it.
struct Packed {
  at::Tensor values;
  std::int64_t depth, columns;

  explicit Packed(const at::Tensor& matrix) : depth(matrix.size(0)), columns(matrix.size(1)) {
    const std::int64_t panels = kernels::panels(columns), panel_size = depth * kernels::panel;
    values = at::empty({panels * panel_size}, matrix.options());
    parallel_ranges(panels, rows_a_thread(panel_size, quick_values), [&](std::int64_t a, std::int64_t b) {
      kernels::pack(values.mutable_data_ptr<float>() + a * panel_size, matrix_of(matrix), a, b);
    });
  }

  // c ← a B for so many rows, or that more.
  void multiply(std::int64_t rows, float* c, std::int64_t c_row, const float* a, std::int64_t a_row, bool add) const {
    kernels::multiply({.rows = rows,
                       .depth = depth,
                       .columns = columns,
                       .c = c,
                       .c_row = c_row,
                       .a = a,
                       .a_row = a_row,
                       .a_depth = 1,
                       .b = values.const_data_ptr<float>(),
                       .b_depth = kernels::panel,
                       .b_panel = depth * kernels::panel,
                       .add = add});
  }
};

// What backward needs of the steps: x, the h before it and the gates in rows for kernels::multiply, c from c0 on (T +
// 1, N, H) and tanh c (T, N, H). Without backward there is room for one step.
struct LstmSteps {
  at::Tensor x, h, gates, c, tanh_c;

  LstmSteps(const LstmLayer& layer, bool keep) {
    const std::int64_t steps = keep ? layer.steps() : 1, rows = layer.rows(), units = layer.units();
    const auto options = layer.x.options();
    x = empty_steps(steps, rows, layer.in(), options);
    h = empty_steps(steps, rows, units, options);
    gates = empty_steps(steps, rows, layer.gates(), options);
    c = at::empty({keep ? steps + 1 : 1, rows, units}, options);
    tanh_c = at::empty({steps, rows, units}, options);
  }
  LstmSteps(at::TensorList saved) : x(saved[0]), h(saved[1]), gates(saved[2]), c(saved[3]), tanh_c(saved[4]) {}
};

// A thread takes its rows, so many at once, through all steps: what a step needs of them stays in its cache, and
// threads wait for one another once.
void by_rows(const LstmLayer& layer, const Ranges& work) {
  constexpr std::int64_t at_once = 64;
  parallel_ranges(layer.rows(), rows_a_thread(layer.products(), lstm_products), [&](std::int64_t a, std::int64_t b) {
    for (std::int64_t first = a; first < b; first += at_once) work(first, std::min(b, first + at_once));
  });
}

// → h of every step (T, N, H)
at::Tensor forward_steps(const LstmLayer& layer, const LstmSteps& kept) {
  const std::int64_t steps = layer.steps(), in = layer.in(), units = layer.units();
  const Packed w_ih(layer.w_ih.t()), w_hh(layer.w_hh.t());
  const at::Tensor bias = at::add(layer.b_ih, layer.b_hh), x = with_plain_rows(layer.x);
  at::Tensor output = at::empty({steps, layer.rows(), units}, x.options());
  const Steps given_at(x), h0_at(layer.h0.unsqueeze(0)), c0_at(layer.c0.unsqueeze(0)), output_at(output);
  const Steps x_at(kept.x), h_at(kept.h), gates_at(kept.gates), c_at(kept.c), tanh_at(kept.tanh_c);
  by_rows(layer, [&](std::int64_t a, std::int64_t b) {
    for (std::int64_t n = a; n < b; ++n) std::copy_n(c0_at(0, n), units, c_at(0, n));
    for (std::int64_t t = 0; t < steps; ++t) {
      for (std::int64_t n = a; n < b; ++n) {
        fill_row(x_at(t, n), given_at(t, n), in);
        fill_row(h_at(t, n), t == 0 ? h0_at(0, n) : output_at(t - 1, n), units);
      }
      w_ih.multiply(b - a, gates_at(t, a), gates_at.row, x_at(t, a), x_at.row, false);
      w_hh.multiply(b - a, gates_at(t, a), gates_at.row, h_at(t, a), h_at.row, true);
      for (std::int64_t n = a; n < b; ++n) {
        kernels::lstm_step(gates_at(t, n), bias.const_data_ptr<float>(), c_at(t, n), c_at(t + 1, n), tanh_at(t, n),
                           output_at(t, n), units);
      }
    }
  });
  return output;
}

// What backward computes.
struct LstmWanted {
  bool x, h0, c0, w_ih, w_hh, b_ih, b_hh;
  bool bias() const { return b_ih || b_hh; }
  bool parameters() const { return w_ih || w_hh || bias(); }
};

// Gradients of the sums before the activations, in rows of 4 H for kernels::multiply, of x, and of the start.
struct LstmSums {
  at::Tensor sums, x, h0, c0;
};

// of_output (T, N, H), of_c (1, N, H): becomes that of c0.
LstmSums backward_steps(const LstmLayer& layer, const LstmSteps& kept, const at::Tensor& of_output,
                        const at::Tensor& of_c, const LstmWanted& wanted) {
  const std::int64_t steps = layer.steps(), rows = layer.rows(), in = layer.in(), units = layer.units();
  const auto options = layer.x.options();
  LstmSums result{empty_steps(wanted.parameters() ? steps : 1, rows, layer.gates(), options),
                  {},
                  at::zeros({1, rows, units}, options),
                  of_c};
  if (wanted.x) result.x = at::empty({steps, rows, in}, options);
  const Packed w_hh(layer.w_hh);
  const std::optional<Packed> w_ih = wanted.x ? std::optional<Packed>(layer.w_ih) : std::nullopt;
  const Steps gates_at(kept.gates), c_at(kept.c), tanh_at(kept.tanh_c), output_at(of_output), sums_at(result.sums),
      x_at(wanted.x ? result.x : result.sums), h0_at(result.h0), c0_at(of_c);
  by_rows(layer, [&](std::int64_t a, std::int64_t b) {
    for (std::int64_t t = steps - 1; t >= 0; --t) {
      for (std::int64_t n = a; n < b; ++n) {
        kernels::lstm_step_gradient(sums_at(t, n), gates_at(t, n), c_at(t, n), tanh_at(t, n), output_at(t, n),
                                    h0_at(0, n), c0_at(0, n), units);
      }
      if (t > 0 || wanted.h0) w_hh.multiply(b - a, h0_at(0, a), units, sums_at(t, a), sums_at.row, false);
      if (w_ih) w_ih->multiply(b - a, x_at(t, a), in, sums_at(t, a), sums_at.row, false);
    }
  });
  return result;
}

// Rows a to b − 1 of a weight's gradient, by the examples from `first` on: the gradients of their sums times inputs.
void add_examples(const at::Tensor& of_weight, const at::Tensor& sums, const at::Tensor& inputs, std::int64_t first,
                  std::int64_t count, std::int64_t a, std::int64_t b) {
  const std::int64_t columns = of_weight.size(1), sums_row = sums.size(2), inputs_row = inputs.size(2);
  kernels::multiply({.rows = b - a,
                     .depth = count,
                     .columns = columns,
                     .c = of_weight.mutable_data_ptr<float>() + a * columns,
                     .c_row = columns,
                     .a = sums.const_data_ptr<float>() + first * sums_row + a,
                     .a_row = 1,
                     .a_depth = sums_row,
                     .b = inputs.const_data_ptr<float>() + first * inputs_row,
                     .b_depth = inputs_row,
                     .b_panel = kernels::panel,
                     .add = first > 0});
}

struct LstmParameters {
  at::Tensor w_ih, w_hh, bias;
};

// The gates are shared out among the threads: sums over the examples stay whole.
LstmParameters lstm_parameter_gradients(const LstmLayer& layer, const LstmSteps& kept, const at::Tensor& sums,
                                        const LstmWanted& wanted) {
  LstmParameters result;
  const auto options = layer.x.options();
  if (wanted.w_ih) result.w_ih = at::empty(layer.w_ih.sizes(), options);
  if (wanted.w_hh) result.w_hh = at::empty(layer.w_hh.sizes(), options);
  if (wanted.bias()) result.bias = at::empty(layer.b_ih.sizes(), options);
  float* bias = wanted.bias() ? result.bias.mutable_data_ptr<float>() : nullptr;
  const float* values = sums.const_data_ptr<float>();
  const std::int64_t examples = sums.size(0) * sums.size(1);
  const std::int64_t grain = rows_a_thread(layer.rows() * layer.products() / layer.gates(), lstm_products);
  parallel_ranges(layer.gates(), grain, [&](std::int64_t a, std::int64_t b) {
    if (wanted.bias()) std::fill(bias + a, bias + b, 0.0F);
    for (std::int64_t first = 0; first < examples; first += examples_a_product) {
      const std::int64_t count = std::min(examples_a_product, examples - first);
      if (wanted.w_ih) add_examples(result.w_ih, sums, kept.x, first, count, a, b);
      if (wanted.w_hh) add_examples(result.w_hh, sums, kept.h, first, count, a, b);
      if (wanted.bias()) kernels::add_rows(bias + a, values + first * sums.size(2) + a, count, sums.size(2), b - a);
    }
  });
  return result;
}

struct LstmFunction : torch::autograd::Function<LstmFunction> {
  using Context = torch::autograd::AutogradContext;

  // → h of every step (T, N, H), and c of the last (N, H)
  static LstmTensors forward(Context* context, const at::Tensor& x, const at::Tensor& h0, const at::Tensor& c0,
                             const at::Tensor& w_ih, const at::Tensor& w_hh, const at::Tensor& b_ih,
                             const at::Tensor& b_hh) {
    const Recorded recorded("vaetl::lstm");
    const at::AutoDispatchBelowADInplaceOrView below;
    const LstmLayer layer{x, h0, c0, w_ih, w_hh, b_ih, b_hh};
    const LstmSteps kept(layer, true);
    at::Tensor output = forward_steps(layer, kept);
    context->save_for_backward({x, h0, c0, w_ih, w_hh, b_ih, b_hh, kept.x, kept.h, kept.gates, kept.c, kept.tanh_c});
    return {output, kept.c.select(0, layer.steps())};
  }

  static LstmTensors backward(Context* context, const LstmTensors& gradients) {
    const Recorded recorded("vaetl::lstm_backward");
    const auto s = context->get_saved_variables();
    const LstmLayer layer{s[0], s[1], s[2], s[3], s[4], s[5], s[6]};
    if (at::GradMode::is_enabled()) {
      return differentiable_gradients(*context, LstmTensors(s.begin(), s.begin() + 7), gradients, plain_layer);
    }
    const LstmSteps kept(at::TensorList(s).slice(7));
    const auto needs = [&](std::size_t input) { return context->needs_input_grad(input); };
    const LstmWanted wanted{needs(0), needs(1), needs(2), needs(3), needs(4), needs(5), needs(6)};
    const std::int64_t rows = layer.rows(), units = layer.units();
    const auto zeros = [&](std::int64_t n) { return at::zeros({1, n, units}, layer.x.options()); };
    const at::Tensor of_output =
        gradients[0].defined() ? with_plain_rows(gradients[0]) : zeros(1).expand({layer.steps(), rows, units});
    const at::Tensor of_c =
        gradients[1].defined() ? gradients[1].clone(at::MemoryFormat::Contiguous).unsqueeze(0) : zeros(rows);
    const LstmSums of = backward_steps(layer, kept, of_output, of_c, wanted);
    LstmParameters parameters;
    if (wanted.parameters()) parameters = lstm_parameter_gradients(layer, kept, of.sums, wanted);
    const auto when = [](bool needed, const at::Tensor& gradient) { return needed ? gradient : at::Tensor(); };
    return {of.x,
            when(wanted.h0, of.h0.squeeze(0)),
            when(wanted.c0, of.c0.squeeze(0)),
            parameters.w_ih,
            parameters.w_hh,
            when(wanted.b_ih, parameters.bias),
            when(wanted.b_hh, parameters.bias)};
  }
};

LstmTensors run_layer(const LstmLayer& l) {
  const auto any = [](std::initializer_list<at::Tensor> tensors) {
    return std::any_of(tensors.begin(), tensors.end(), [](const at::Tensor& x) { return x.requires_grad(); });
  };
  if (at::GradMode::is_enabled() && any({l.x, l.h0, l.c0, l.w_ih, l.w_hh, l.b_ih, l.b_hh})) {
    return LstmFunction::apply(l.x, l.h0, l.c0, l.w_ih, l.w_hh, l.b_ih, l.b_hh);
  }
  const at::AutoDispatchBelowADInplaceOrView below;
  const LstmSteps kept(l, false);
  at::Tensor output = forward_steps(l, kept);
  return {output, kept.c.select(0, 0)};
}

// Weights are packed once for all steps, and every thread reads all of them at each: LibTorch shares them out, which is
// faster for few rows and more weights than a thread's cache holds.
bool worth_packing(const at::Tensor& x, std::int64_t units) {
  constexpr std::int64_t fewest_rows = 12, rows_of_a_thread = 4, cached_weights = 262144;
  const std::int64_t weights = 4 * units * (std::max(x.size(2), units) + units);
  return x.size(0) * x.size(1) >= fewest_rows &&
         (weights <= cached_weights || x.size(0) >= rows_of_a_thread * at::get_num_threads());
}

bool fits_lstm(const at::Tensor& x, const LstmState& start, at::TensorList weights) {
  if (x.dim() != 3 || x.numel() == 0 || !plain_float(x) || !fusible() || !kernels::quick_products()) return false;
  const std::int64_t layers = static_cast<std::int64_t>(weights.size() / lstm_tensors), units = weights[1].size(1);
  if (!worth_packing(x, units)) return false;
  for (const at::Tensor* state : {&start.h, &start.c}) {
    if (!plain_float(*state) || state->sizes() != at::IntArrayRef({layers, x.size(0), units})) return false;
  }
  const auto fits = [](const at::Tensor& w, std::int64_t out, std::int64_t in) {
    return plain_float(w) && w.is_contiguous() && w.sizes() == at::IntArrayRef({out, in});
  };
  for (std::size_t i = 0; i < weights.size(); i += lstm_tensors) {
    const std::int64_t in = i == 0 ? x.size(2) : units;
    if (!fits(weights[i], 4 * units, in) || !fits(weights[i + 1], 4 * units, units)) return false;
    if (!fits_weight(weights[i + 2], weights[i]) || !fits_weight(weights[i + 3], weights[i])) return false;
  }
  return true;
}

}  // namespace

LstmResult lstm(const at::Tensor& x, const LstmState& start, at::TensorList weights, double dropout) {
  if (!fits_lstm(x, start, weights)) return plain_lstm(x, start, weights, dropout);
  at::Tensor values = x.transpose(0, 1);
  LstmTensors h, c;
  for (std::size_t i = 0; i < weights.size(); i += lstm_tensors) {
    const auto layer = static_cast<std::int64_t>(i / lstm_tensors);
    if (layer > 0 && dropout > 0 && at::GradMode::is_enabled()) values = at::dropout(values, dropout, /*train=*/true);
    const LstmTensors out =
        run_layer({values, start.h.select(0, layer).contiguous(), start.c.select(0, layer).contiguous(), weights[i],
                   weights[i + 1], weights[i + 2], weights[i + 3]});
    values = out[0];
    h.push_back(values.select(0, values.size(0) - 1));
    c.push_back(out[1]);
  }
  return {values.transpose(0, 1), {at::stack(h), at::stack(c)}};
}

}  // namespace vaetl::nn
