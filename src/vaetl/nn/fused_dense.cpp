#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tanh.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/fused_support.hpp"
#include "vaetl/nn/kernels/kernels.hpp"

namespace vaetl::nn {
namespace {

using kernels::Rule;
using Tensors = std::vector<at::Tensor>;

constexpr std::int64_t quick_products = 131072;  // multiplications worth a thread

at::Tensor plain_dense(const at::Tensor& x, std::span<const DenseLayer> layers) {
  at::Tensor h = x;
  for (const DenseLayer& layer : layers) h = layer.activation(at::linear(h, layer.weight, layer.bias));
  return h;
}

bool takes(const DenseLayer& layer, std::int64_t in) {
  return layer.activation.derivative() && plain_float(layer.weight) && layer.weight.dim() == 2 &&
         layer.weight.size(1) == in && fits_weight(layer.bias, layer.weight);
}

bool fits(const at::Tensor& x, std::span<const DenseLayer> layers) {
  if (x.dim() < 2 || x.numel() == 0 || !plain_float(x) || !fusible()) return false;
  std::int64_t in = x.size(-1);
  for (const DenseLayer& layer : layers) {
    if (!takes(layer, in)) return false;
    in = layer.weight.size(0);
  }
  return true;
}

void activate_in_place(at::Tensor& y, Rule rule) {
  if (rule == Rule::sigmoid) y.sigmoid_();
  if (rule == Rule::tanh) y.tanh_();
  if (rule == Rule::elu) at::elu_(y);
}

// Layer l has x_l (N, in), W_l (out, in), b_l and y_l = x_{l+1}; g_l is the gradient before its activation, (N, out).
struct Chain {
  Tensors weights, biases;
  std::vector<std::int64_t> rules;
  std::vector<double> slopes;

  std::size_t size() const { return weights.size(); }
  Rule rule(std::size_t l) const { return static_cast<Rule>(rules[l]); }
  float slope(std::size_t l) const { return static_cast<float>(slopes[l]); }
  std::int64_t products() const {  // of an example
    std::int64_t sum = 0;
    for (const at::Tensor& weight : weights) sum += weight.numel();
    return sum;
  }
};

// Some rows of a layer, or some of its outputs, from output c on.
void forward_part(const Chain& chain, std::size_t l, const at::Tensor& x, const at::Tensor& y, std::int64_t c) {
  at::Tensor part = y;
  multiply(part, x, chain.weights[l].narrow(0, c, y.size(1)).t());
  kernels::add_bias(part.mutable_data_ptr<float>(), chain.biases[l].const_data_ptr<float>() + c, y.size(0), y.size(1),
                    y.stride(0), chain.rule(l), chain.slope(l));
  activate_in_place(part, chain.rule(l));
}

// A weight that is larger than what it is applied to stays in the threads' caches, a part in each, from one step to the
// next: so do its gradient and what the optimiser keeps of it, which are shared out likewise.
bool shares_outputs(const Chain& chain, std::size_t l, std::int64_t rows) {
  const at::Tensor& weight = chain.weights[l];
  return weight.numel() > rows * (weight.size(0) + weight.size(1));
}

// Elsewhere a thread takes its rows through all layers: they stay in its cache, and threads wait for one another once.
Tensors forward_layers(const Chain& chain, const at::Tensor& x) {
  const std::int64_t rows = x.size(0);
  Tensors outputs;
  for (const at::Tensor& weight : chain.weights) outputs.push_back(at::empty({rows, weight.size(0)}, x.options()));
  const auto input = [&](std::size_t l) -> const at::Tensor& { return l == 0 ? x : outputs[l - 1]; };
  for (std::size_t first = 0, end = 0; first < chain.size(); first = end) {
    end = first + 1;
    const at::Tensor& weight = chain.weights[first];
    if (shares_outputs(chain, first, rows)) {
      const std::int64_t grain = rows_a_thread(rows * weight.size(1), quick_products);
      parallel_ranges(weight.size(0), grain, [&](std::int64_t a, std::int64_t b) {
        const at::AutoDispatchBelowADInplaceOrView below;
        forward_part(chain, first, input(first), outputs[first].narrow(1, a, b - a), a);
      });
      continue;
    }
    std::int64_t products = weight.numel();
    for (; end < chain.size() && !shares_outputs(chain, end, rows); ++end) products += chain.weights[end].numel();
    parallel_ranges(rows, rows_a_thread(products, quick_products), [&](std::int64_t a, std::int64_t b) {
      const at::AutoDispatchBelowADInplaceOrView below;
      for (std::size_t l = first; l < end; ++l) {
        forward_part(chain, l, input(l).narrow(0, a, b - a), outputs[l].narrow(0, a, b - a), 0);
      }
    });
  }
  return outputs;
}

// What backward computes: gradients of x and of layers from `first` on.
struct Wanted {
  bool input = false;
  std::vector<bool> weights, biases;
  std::size_t first() const {
    std::size_t l = 0;
    while (!input && l + 1 < weights.size() && !weights[l] && !biases[l]) ++l;
    return l;
  }
};

struct Backward {
  Tensors before;    // g_l, of layers from Wanted::first() on
  at::Tensor input;  // the gradient of x
};

Backward backward_rows(const Chain& chain, const Tensors& outputs, const at::Tensor& gradient, const Wanted& wanted) {
  const std::size_t first = wanted.first(), last = chain.size() - 1;
  const at::Tensor given = gradient.contiguous();
  Backward result{Tensors(chain.size()), {}};
  for (std::size_t l = first; l < last; ++l) result.before[l] = at::empty_like(outputs[l]);
  result.before[last] = chain.rule(last) == Rule::identity ? given : at::empty_like(given);
  if (wanted.input) result.input = at::empty({given.size(0), chain.weights[0].size(1)}, given.options());
  if (first == last && chain.rule(last) == Rule::identity && !wanted.input) return result;
  const auto rows = [&](const at::Tensor& tensor, std::int64_t a, std::int64_t b) {
    return tensor.narrow(0, a, b - a);
  };
  parallel_ranges(given.size(0), rows_a_thread(chain.products(), quick_products), [&](std::int64_t a, std::int64_t b) {
    const at::AutoDispatchBelowADInplaceOrView below;
    at::Tensor after = rows(given, a, b);  // the gradient of y_l
    for (std::size_t l = last + 1; l-- > first;) {
      at::Tensor before = rows(result.before[l], a, b);
      if (l < last) {
        multiply(before, rows(result.before[l + 1], a, b), chain.weights[l + 1]);
        after = before;
      }
      if (chain.rule(l) != Rule::identity) {
        kernels::activation_gradient(before.mutable_data_ptr<float>(), after.const_data_ptr<float>(),
                                     rows(outputs[l], a, b).const_data_ptr<float>(), before.numel(), chain.rule(l),
                                     chain.slope(l));
      }
    }
    if (!wanted.input) return;
    multiply(rows(result.input, a, b), rows(result.before[0], a, b), chain.weights[0]);
  });
  return result;
}

struct ParameterGradients {
  Tensors weights, biases;
};

// Outputs of all layers are shared out among the threads, each with as many weights: sums over the examples stay whole.
ParameterGradients parameter_gradients(const Chain& chain, const at::Tensor& x, const Tensors& outputs,
                                       const Tensors& before, const Wanted& wanted) {
  ParameterGradients result{Tensors(chain.size()), Tensors(chain.size())};
  std::int64_t total = 0;
  for (std::size_t l = 0; l < chain.size(); ++l) {
    if (wanted.weights[l]) result.weights[l] = at::empty(chain.weights[l].sizes(), x.options());
    if (wanted.biases[l]) result.biases[l] = at::empty(chain.biases[l].sizes(), x.options());
    if (wanted.weights[l] || wanted.biases[l]) total += chain.weights[l].numel();
  }
  const auto work = [&](std::size_t l, std::int64_t a, std::int64_t b) {
    const at::Tensor& g = before[l];
    if (wanted.weights[l]) {
      multiply(result.weights[l].narrow(0, a, b - a), g.narrow(1, a, b - a).t(), l == 0 ? x : outputs[l - 1]);
    }
    if (!wanted.biases[l]) return;
    float* bias = result.biases[l].mutable_data_ptr<float>();
    std::fill(bias + a, bias + b, 0.0F);
    kernels::add_rows(bias + a, g.const_data_ptr<float>() + a, g.size(0), g.size(1), b - a);
  };
  const std::int64_t parts = std::clamp<std::int64_t>(total * x.size(0) / quick_products, 1, at::get_num_threads());
  parallel_ranges(parts, 1, [&](std::int64_t part, std::int64_t end) {
    const at::AutoDispatchBelowADInplaceOrView below;
    std::int64_t from = part * total / parts, to = end * total / parts;  // in weights, counted over the layers
    for (std::size_t l = 0; l < chain.size() && to > 0; ++l) {
      if (!wanted.weights[l] && !wanted.biases[l]) continue;
      const std::int64_t out = chain.weights[l].size(0), in = chain.weights[l].size(1);
      const auto place = [&](std::int64_t weight) { return std::clamp<std::int64_t>(weight / in, 0, out); };
      if (place(from) < place(to)) work(l, place(from), place(to));
      from -= out * in;
      to -= out * in;
    }
  });
  return result;
}

at::Tensor activated(const at::Tensor& h, Rule rule, float slope) {
  switch (rule) {
    case Rule::identity:
      return h;
    case Rule::relu:
      return at::relu(h);
    case Rule::leaky_relu:
      return at::leaky_relu(h, slope);
    case Rule::sigmoid:
      return at::sigmoid(h);
    case Rule::tanh:
      return at::tanh(h);
    case Rule::elu:
      return at::elu(h);
  }
  return h;
}

// inputs: x, the weights, the biases.
at::Tensor plain_chain(const Chain& chain, const Tensors& inputs) {
  at::Tensor y = inputs[0];
  for (std::size_t l = 0; l < chain.size(); ++l) {
    y = activated(at::linear(y, inputs[1 + l], inputs[1 + chain.size() + l]), chain.rule(l), chain.slope(l));
  }
  return y;
}

struct DenseFunction : torch::autograd::Function<DenseFunction> {
  using Context = torch::autograd::AutogradContext;

  static at::Tensor forward(Context* context, const at::Tensor& x, at::TensorList weights, at::TensorList biases,
                            const std::vector<std::int64_t>& rules, const std::vector<double>& slopes) {
    const Recorded recorded("vaetl::dense");
    const at::AutoDispatchBelowADInplaceOrView below;
    const Chain chain{weights.vec(), biases.vec(), rules, slopes};
    Tensors outputs = forward_layers(chain, x);
    at::Tensor y = outputs.back();
    // The identity's gradient needs no y: what follows may overwrite it.
    if (chain.rule(chain.size() - 1) == Rule::identity) outputs.back() = at::Tensor();
    Tensors saved = {x};
    for (const auto& more : {chain.weights, chain.biases, outputs}) saved.insert(saved.end(), more.begin(), more.end());
    context->save_for_backward(std::move(saved));
    context->saved_data["rules"] = rules;
    context->saved_data["slopes"] = slopes;
    return y;
  }

  static Tensors backward(Context* context, const Tensors& gradients) {
    const Recorded recorded("vaetl::dense_backward");
    const auto saved = context->get_saved_variables();
    const std::size_t size = saved.size() / 3;
    const auto part = [&](std::size_t number) {
      const auto start = saved.begin() + static_cast<std::ptrdiff_t>(1 + number * size);
      return Tensors(start, start + static_cast<std::ptrdiff_t>(size));
    };
    const Chain chain{part(0), part(1), context->saved_data["rules"].toIntVector(),
                      context->saved_data["slopes"].toDoubleVector()};
    Tensors result;
    if (at::GradMode::is_enabled()) {
      const Tensors inputs(saved.begin(), saved.begin() + static_cast<std::ptrdiff_t>(1 + 2 * size));
      result = differentiable_gradients(*context, inputs, gradients,
                                        [&](const Tensors& own) { return Tensors{plain_chain(chain, own)}; });
    } else {
      result = plain_gradients(context, chain, saved[0], part(2), gradients[0]);
    }
    result.resize(result.size() + 2);  // rules and slopes have none
    return result;
  }

  static Tensors plain_gradients(Context* context, const Chain& chain, const at::Tensor& x, const Tensors& outputs,
                                 const at::Tensor& gradient) {
    Wanted wanted{context->needs_input_grad(0), {}, {}};
    for (std::size_t l = 0; l < chain.size(); ++l) {
      wanted.weights.push_back(context->needs_input_grad(1 + l));
      wanted.biases.push_back(context->needs_input_grad(1 + chain.size() + l));
    }
    const auto [before, input] = backward_rows(chain, outputs, gradient, wanted);
    const auto [weights, biases] = parameter_gradients(chain, x, outputs, before, wanted);
    Tensors result = {input};
    result.insert(result.end(), weights.begin(), weights.end());
    result.insert(result.end(), biases.begin(), biases.end());
    return result;
  }
};

}  // namespace

at::Tensor dense(const at::Tensor& x, std::span<const DenseLayer> layers) {
  if (layers.empty() || !fits(x, layers)) return plain_dense(x, layers);
  Tensors weights, biases;
  std::vector<std::int64_t> rules;
  std::vector<double> slopes;
  for (const DenseLayer& layer : layers) {
    weights.push_back(layer.weight);
    biases.push_back(layer.bias);
    const Derivative derivative = *layer.activation.derivative();
    rules.push_back(static_cast<std::int64_t>(derivative.rule));
    slopes.push_back(derivative.slope);
  }
  const at::Tensor rows = x.dim() == 2 ? x : x.reshape({-1, x.size(-1)});
  const at::Tensor y = DenseFunction::apply(rows, at::TensorList(weights), at::TensorList(biases), rules, slopes);
  if (x.dim() == 2) return y;
  auto shape = x.sizes().vec();
  shape.back() = weights.back().size(0);
  return y.view(shape);
}

}  // namespace vaetl::nn
