#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/fused_support.hpp"
#include "vaetl/nn/kernels/kernels.hpp"
#include "vaetl/nn/variational.hpp"

namespace vaetl::nn {
namespace {

at::Tensor plain_gaussian_kl(const at::Tensor& mean, const at::Tensor& log_var) {
  return kl_by_dimension({mean, log_var}).sum(1);
}

at::Tensor plain_gaussian_sample(const at::Tensor& mean, const at::Tensor& log_var, const at::Tensor& noise) {
  return mean + (0.5 * log_var).exp() * noise;
}

struct GaussianKlFunction : torch::autograd::Function<GaussianKlFunction> {
  using Tensors = torch::autograd::variable_list;

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& mean,
                            const at::Tensor& log_var) {
    const Recorded recorded("vaetl::gaussian_kl");
    at::Tensor result = at::empty({mean.size(0)}, mean.options()), derivative = at::empty_like(log_var);
    const float *means = mean.const_data_ptr<float>(), *log_vars = log_var.const_data_ptr<float>();
    float *sums = result.mutable_data_ptr<float>(), *d = derivative.mutable_data_ptr<float>();
    for_rows(mean, [&](std::int64_t row, std::int64_t from, std::int64_t size) {
      sums[row] = kernels::gaussian_kl(means + from, log_vars + from, d + from, size);
    });
    context->save_for_backward({mean, log_var, derivative});
    return result;
  }

  static Tensors backward(torch::autograd::AutogradContext* context, const Tensors& gradients) {
    const Recorded recorded("vaetl::gaussian_kl_backward");
    const auto saved = context->get_saved_variables();
    const at::Tensor &mean = saved[0], &log_var = saved[1];
    if (!at::GradMode::is_enabled()) return {scaled_rows(mean, gradients[0]), scaled_rows(saved[2], gradients[0])};
    const at::Tensor of_rows = for_each_value(gradients[0].contiguous(), mean);
    return {of_rows * mean, of_rows * (0.5 * (log_var.exp() - 1))};
  }
};

struct GaussianSampleFunction : torch::autograd::Function<GaussianSampleFunction> {
  using Tensors = torch::autograd::variable_list;

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& mean,
                            const at::Tensor& log_var, const at::Tensor& noise) {
    const Recorded recorded("vaetl::gaussian_sample");
    at::Tensor z = at::empty_like(mean), derivative = at::empty_like(log_var);
    const float *means = mean.const_data_ptr<float>(), *log_vars = log_var.const_data_ptr<float>();
    const float* draws = noise.const_data_ptr<float>();
    float *samples = z.mutable_data_ptr<float>(), *d = derivative.mutable_data_ptr<float>();
    for_rows(mean, [&](std::int64_t, std::int64_t from, std::int64_t size) {
      kernels::gaussian_sample(samples + from, d + from, means + from, log_vars + from, draws + from, size);
    });
    context->save_for_backward({log_var, noise, derivative});
    return z;
  }

  static Tensors backward(torch::autograd::AutogradContext* context, const Tensors& gradients) {
    const Recorded recorded("vaetl::gaussian_sample_backward");
    const auto saved = context->get_saved_variables();
    const at::Tensor slope = at::GradMode::is_enabled() ? 0.5 * (0.5 * saved[0]).exp() * saved[1] : saved[2];
    return {gradients[0], gradients[0] * slope, {}};
  }
};

}  // namespace

at::Tensor gaussian_kl(const at::Tensor& mean, const at::Tensor& log_var) {
  if (!fusible() || mean.dim() != 2 || !same_plain(mean, log_var)) return plain_gaussian_kl(mean, log_var);
  return GaussianKlFunction::apply(mean, log_var);
}

at::Tensor gaussian_sample(const at::Tensor& mean, const at::Tensor& log_var, const at::Tensor& noise) {
  const bool fits = fusible() && same_plain(mean, log_var) && same_plain(mean, noise) && !noise.requires_grad();
  return fits ? GaussianSampleFunction::apply(mean, log_var, noise) : plain_gaussian_sample(mean, log_var, noise);
}

}  // namespace vaetl::nn
