#include <ATen/core/Reduction.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/sigmoid.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <span>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/fused_support.hpp"
#include "vaetl/nn/kernels/kernels.hpp"

namespace vaetl::nn {
namespace {

at::Tensor plain_bernoulli_log_prob(const at::Tensor& logits, const at::Tensor& x) {
  return -at::binary_cross_entropy_with_logits(logits, x, {}, {}, at::Reduction::None).flatten(1).sum(1);
}

at::Tensor plain_squared_distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).square().flatten(1).sum(1);
}

// Sums of many terms are not for the 8 bits of bfloat16.
at::Tensor full_precision(const at::Tensor& x) { return x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x; }

// A sum over an example's values of a function of logits and targets, whose derivative is computed with it.
struct BernoulliSum {
  static constexpr const char *name = "vaetl::bernoulli_log_prob",
                              *backward_name = "vaetl::bernoulli_log_prob_backward";
  static constexpr auto kernel = kernels::bernoulli_log_prob;
  static at::Tensor derivative(const at::Tensor& logits, const at::Tensor& x) { return x - at::sigmoid(logits); }
};

struct SigmoidDistanceSum {
  static constexpr const char *name = "vaetl::sigmoid_distance", *backward_name = "vaetl::sigmoid_distance_backward";
  static constexpr auto kernel = kernels::sigmoid_squared_distance;
  static at::Tensor derivative(const at::Tensor& logits, const at::Tensor& x) {
    const at::Tensor y = at::sigmoid(logits);
    return 2 * (y - x) * y * (1 - y);
  }
};

template <class Sum>
struct LogitsFunction : torch::autograd::Function<LogitsFunction<Sum>> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& logits, const at::Tensor& x) {
    const Recorded recorded(Sum::name);
    at::Tensor result = at::empty({logits.size(0)}, logits.options()), derivative = at::empty_like(logits);
    const float *l = logits.const_data_ptr<float>(), *values = x.const_data_ptr<float>();
    float *sums = result.mutable_data_ptr<float>(), *d = derivative.mutable_data_ptr<float>();
    for_rows(logits, [&](std::int64_t row, std::int64_t from, std::int64_t size) {
      sums[row] = Sum::kernel(l + from, values + from, d + from, size);
    });
    context->save_for_backward({logits, x, derivative});
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const Recorded recorded(Sum::backward_name);
    const auto saved = context->get_saved_variables();
    const at::Tensor &logits = saved[0], &derivative = saved[2];
    const at::Tensor of_rows = gradients[0].contiguous();
    if (at::GradMode::is_enabled()) {
      return {for_each_value(of_rows, logits) * Sum::derivative(logits, saved[1]), {}};
    }
    return {scaled_rows(derivative, of_rows), {}};
  }
};

at::Tensor plain_losses(const at::Tensor& logits, const at::Tensor& labels, double smoothing) {
  return at::cross_entropy_loss(logits, labels, {}, at::Reduction::None, /*ignore_index=*/-100, smoothing);
}

bool all_below(const at::Tensor& labels, std::int64_t classes) {
  const std::span values(labels.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.numel()));
  return std::all_of(values.begin(), values.end(), [&](auto label) { return label >= 0 && label < classes; });
}

struct CrossEntropyFunction : torch::autograd::Function<CrossEntropyFunction> {
  using Tensors = torch::autograd::variable_list;

  static Tensors forward(torch::autograd::AutogradContext* context, const at::Tensor& logits, const at::Tensor& labels,
                         double smoothing) {
    const Recorded recorded("vaetl::cross_entropy");
    at::Tensor losses = at::empty({logits.size(0)}, logits.options()), right = at::empty_like(losses);
    at::Tensor derivative = at::empty_like(logits);
    const auto rate = static_cast<float>(smoothing);
    const float* l = logits.const_data_ptr<float>();
    const std::int64_t* label = labels.const_data_ptr<std::int64_t>();
    float *values = losses.mutable_data_ptr<float>(), *hits = right.mutable_data_ptr<float>();
    float* d = derivative.mutable_data_ptr<float>();
    for_rows(logits, [&](std::int64_t row, std::int64_t from, std::int64_t size) {
      const auto [loss, hit] = kernels::cross_entropy(l + from, label[row], rate, d + from, size);
      values[row] = loss;
      hits[row] = hit ? 1.0F : 0.0F;
    });
    context->save_for_backward({logits, labels, derivative});
    context->saved_data["smoothing"] = smoothing;
    context->mark_non_differentiable({right});
    return {losses, right};
  }

  static Tensors backward(torch::autograd::AutogradContext* context, const Tensors& gradients) {
    const Recorded recorded("vaetl::cross_entropy_backward");
    const auto saved = context->get_saved_variables();
    const at::Tensor& logits = saved[0];
    if (!at::GradMode::is_enabled()) return {scaled_rows(saved[2], gradients[0]), {}, {}};
    const double smoothing = context->saved_data["smoothing"].toDouble();
    auto result = differentiable_gradients(*context, {logits}, {gradients[0]}, [&](const Tensors& own) {
      return Tensors{plain_losses(own[0], saved[1], smoothing)};
    });
    return {result[0], {}, {}};
  }
};

struct DistanceFunction : torch::autograd::Function<DistanceFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& a, const at::Tensor& b) {
    const Recorded recorded("vaetl::squared_distance");
    at::Tensor result = at::empty({a.size(0)}, a.options());
    const float *left = a.const_data_ptr<float>(), *right = b.const_data_ptr<float>();
    float* sums = result.mutable_data_ptr<float>();
    for_rows(a, [&](std::int64_t row, std::int64_t from, std::int64_t size) {
      sums[row] = kernels::squared_distance(left + from, right + from, size);
    });
    context->save_for_backward({a, b});
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const Recorded recorded("vaetl::squared_distance_backward");
    const auto saved = context->get_saved_variables();
    const at::Tensor &a = saved[0], &b = saved[1];
    const at::Tensor of_rows = gradients[0].contiguous();
    at::Tensor result;
    if (at::GradMode::is_enabled()) {
      result = for_each_value(2 * of_rows, a) * (a - b);
    } else {
      result = at::empty_like(a);
      const float *scale = of_rows.const_data_ptr<float>(), *left = a.const_data_ptr<float>();
      const float* right = b.const_data_ptr<float>();
      float* out = result.mutable_data_ptr<float>();
      for_rows(a, [&](std::int64_t row, std::int64_t from, std::int64_t size) {
        kernels::scaled_difference(out + from, left + from, right + from, 2 * scale[row], size);
      });
    }
    return {context->needs_input_grad(0) ? result : at::Tensor(),
            context->needs_input_grad(1) ? result.neg() : at::Tensor()};
  }
};

}  // namespace

ClassLosses cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing, bool with_right) {
  const at::Tensor values = full_precision(logits).contiguous(), given = labels.contiguous();
  const bool fits = values.dim() == 2 && values.numel() > 0 && plain_float(values) && given.is_cpu() &&
                    given.scalar_type() == at::kLong && given.dim() == 1 && given.size(0) == values.size(0);
  if (!fits || !all_below(given, values.size(1))) {
    ClassLosses result{plain_losses(values, given, smoothing), {}};
    if (with_right) result.right = values.detach().argmax(1).eq(given).to(values.scalar_type());
    return result;
  }
  const auto results = CrossEntropyFunction::apply(values, given, smoothing);
  return {results[0], results[1]};
}

at::Tensor bernoulli_log_prob(const at::Tensor& logits, const at::Tensor& x) {
  const at::Tensor given = x.contiguous(), values = full_precision(logits).contiguous();
  if (!same_plain(values, given) || x.requires_grad()) return plain_bernoulli_log_prob(values, given);
  return LogitsFunction<BernoulliSum>::apply(values, given);
}

at::Tensor sigmoid_squared_distance(const at::Tensor& logits, const at::Tensor& x) {
  const at::Tensor given = x.contiguous(), values = full_precision(logits).contiguous();
  if (!same_plain(values, given) || x.requires_grad()) return plain_squared_distance(at::sigmoid(values), given);
  return LogitsFunction<SigmoidDistanceSum>::apply(values, given);
}

at::Tensor squared_distance(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor left = full_precision(a).contiguous(), right = full_precision(b).contiguous();
  if (!same_plain(left, right)) return plain_squared_distance(left, right);
  return DistanceFunction::apply(left, right);
}

}  // namespace vaetl::nn
