#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/relu.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/fused_support.hpp"
#include "vaetl/nn/kernels/batch_norm.hpp"

namespace vaetl::nn {
namespace {

using Tensors = std::vector<at::Tensor>;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

at::Tensor plain_norm_relu(const at::Tensor& x, const at::Tensor& plus, const NormParameters& norm) {
  at::Tensor y = at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var, /*training=*/true,
                                norm.momentum, norm.epsilon, /*cudnn_enabled=*/true);
  if (plus.defined()) y += plus;
  return at::relu_(y);
}

bool lies_channels_last(const at::Tensor& x) {
  return plain_float(x) && x.dim() == 4 && x.numel() > 0 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

// The values as rows of several pixels, and what is left over; rows go to threads in chunks whose size does not depend
// on how many threads there are, so neither do sums.
struct PixelRows {
  explicit PixelRows(const at::Tensor& x)
      : channels(x.size(1)),
        row(channels * std::max<std::int64_t>(1, 64 / channels)),
        rows(x.numel() / row),
        rest(x.numel() % row),
        chunk_rows(std::max<std::int64_t>(1, 32768 / row)),
        chunks((rows + chunk_rows - 1) / chunk_rows),
        count(static_cast<double>(x.numel() / channels)) {}

  std::int64_t channels, row, rows, rest, chunk_rows, chunks;
  double count;  // values of a channel

  Floats repeated(const Doubles& of_channels) const {
    Floats result(static_cast<std::size_t>(row));
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = static_cast<float>(of_channels[i % static_cast<std::size_t>(channels)]);
    }
    return result;
  }

  // work(chunk, values before it, rows, values of a row); what is left over is a chunk of one short row.
  template <class Work>
  void for_chunks(Work work) const {
    const std::int64_t all = chunks + (rest > 0 ? 1 : 0), grain = quick_values / (row * chunk_rows);
    parallel_ranges(all, std::max<std::int64_t>(1, grain), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t c = first; c < last; ++c) {
        const std::int64_t start = std::min(c * chunk_rows, rows);
        c < chunks ? work(c, start * row, std::min(chunk_rows, rows - start), row) : work(c, start * row, 1, rest);
      }
    });
  }

  // Two sums of each channel, of what moments(sums, others, values before, rows, values of a row) finds in chunks.
  template <class Moments>
  std::pair<Doubles, Doubles> sums(Moments moments) const {
    const auto size = static_cast<std::size_t>(row);
    Floats parts(2 * size * static_cast<std::size_t>(chunks + 1));
    for_chunks([&](std::int64_t chunk, std::int64_t before, std::int64_t count, std::int64_t width) {
      float* part = parts.data() + 2 * row * chunk;
      moments(part, part + row, before, count, width);
    });
    std::pair<Doubles, Doubles> result{Doubles(static_cast<std::size_t>(channels)),
                                       Doubles(static_cast<std::size_t>(channels))};
    for (std::size_t part = 0; part < parts.size(); part += 2 * size) {
      for (std::size_t i = 0; i < size; ++i) {
        result.first[i % result.first.size()] += static_cast<double>(parts[part + i]);
        result.second[i % result.second.size()] += static_cast<double>(parts[part + size + i]);
      }
    }
    return result;
  }
};

struct Statistics {
  Doubles mean, variance;  // of each channel; divided by the number of values
};

// Differences to the first pixel, so that little cancels.
Statistics statistics(const PixelRows& pixels, const float* x) {
  const Doubles start(x, x + pixels.channels);
  const Floats shift = pixels.repeated(start);
  const auto [sums, squares] =
      pixels.sums([&](float* s, float* q, std::int64_t before, std::int64_t rows, std::int64_t width) {
        kernels::shifted_moments(s, q, x + before, shift.data(), rows, width);
      });
  Statistics result{start, Doubles(sums.size())};
  for (std::size_t c = 0; c < sums.size(); ++c) {
    const double mean = sums[c] / pixels.count;
    result.mean[c] += mean;
    result.variance[c] = std::max(0.0, squares[c] / pixels.count - mean * mean);
  }
  return result;
}

void follow(const at::Tensor& running, const Doubles& values, double momentum, double factor) {
  if (!running.defined()) return;
  float* kept = running.mutable_data_ptr<float>();
  for (std::size_t c = 0; c < values.size(); ++c) {
    kept[c] = static_cast<float>((1 - momentum) * static_cast<double>(kept[c]) + momentum * factor * values[c]);
  }
}

// `plus` is defined: without values there is nothing to add.
struct NormReluFunction : torch::autograd::Function<NormReluFunction> {
  using Context = torch::autograd::AutogradContext;

  static at::Tensor forward(Context* context, const at::Tensor& x, const at::Tensor& plus, const at::Tensor& weight,
                            const at::Tensor& bias, const NormParameters& norm) {
    const Recorded recorded("vaetl::batch_norm_relu");
    const at::AutoDispatchBelowADInplaceOrView below;
    const PixelRows pixels(x);
    const float* values = x.const_data_ptr<float>();
    const Statistics found = statistics(pixels, values);
    follow(norm.running_mean, found.mean, norm.momentum, 1);
    follow(norm.running_var, found.variance, norm.momentum, pixels.count / (pixels.count - 1));
    const float *w = weight.const_data_ptr<float>(), *b = bias.const_data_ptr<float>();
    Doubles scale, shift, deviation;
    for (std::size_t c = 0; c < found.mean.size(); ++c) {
      deviation.push_back(std::sqrt(found.variance[c] + norm.epsilon));
      scale.push_back(static_cast<double>(w[c]) / deviation[c]);
      shift.push_back(static_cast<double>(b[c]) - found.mean[c] * scale[c]);
    }
    const Floats scales = pixels.repeated(scale), shifts = pixels.repeated(shift);
    at::Tensor y = at::empty_like(x);
    float* out = y.mutable_data_ptr<float>();
    const float* more = plus.numel() > 0 ? plus.const_data_ptr<float>() : nullptr;
    pixels.for_chunks([&](std::int64_t, std::int64_t before, std::int64_t rows, std::int64_t width) {
      kernels::scale_shift_relu(out + before, values + before, more ? more + before : nullptr, scales.data(),
                                shifts.data(), rows, width);
    });
    context->save_for_backward({x, plus, weight, bias, y});
    context->saved_data["mean"] = found.mean;
    context->saved_data["deviation"] = deviation;
    context->saved_data["epsilon"] = norm.epsilon;
    return y;
  }

  static Tensors backward(Context* context, const Tensors& gradients) {
    const Recorded recorded("vaetl::batch_norm_relu_backward");
    const auto saved = context->get_saved_variables();
    Tensors result;
    if (at::GradMode::is_enabled()) {
      const double epsilon = context->saved_data["epsilon"].toDouble();
      result = differentiable_gradients(
          *context, {saved[0], saved[1], saved[2], saved[3]}, gradients, [&](const Tensors& own) {
            const at::Tensor plus = own[1].numel() > 0 ? own[1] : at::Tensor();
            return Tensors{plain_norm_relu(own[0], plus, {.weight = own[2], .bias = own[3], .epsilon = epsilon})};
          });
    } else {
      result = quick_gradients(context, saved, gradients[0].contiguous(at::MemoryFormat::ChannelsLast));
    }
    result.emplace_back();
    return result;
  }

  // With the mean μ and deviation σ of a channel's m values, x̂ = (x − μ) / σ and g the gradient where y > 0:
  // w/σ (g − Σg/m − x̂ Σ(g x̂)/m)   (arXiv:1502.03167, section 3)
  static Tensors quick_gradients(Context* context, const Tensors& saved, const at::Tensor& gradient) {
    const at::Tensor &x = saved[0], &plus = saved[1], &weight = saved[2], &y = saved[4];
    const PixelRows pixels(x);
    const auto means = context->saved_data["mean"].toDoubleVector();
    const auto deviations = context->saved_data["deviation"].toDoubleVector();
    const float *values = x.const_data_ptr<float>(), *results = y.const_data_ptr<float>();
    const float *given = gradient.const_data_ptr<float>(), *w = weight.const_data_ptr<float>();
    const Floats mean = pixels.repeated(means);
    const auto [sums, products] = pixels.sums([&](float* s, float* p, std::int64_t before, std::int64_t rows,
                                                  std::int64_t width) {
      kernels::relu_gradient_moments(s, p, given + before, results + before, values + before, mean.data(), rows, width);
    });
    at::Tensor weights = at::empty_like(weight), biases = at::empty_like(weight);
    Doubles by_gradient, by_value, constant;
    for (std::size_t c = 0; c < means.size(); ++c) {
      weights.mutable_data_ptr<float>()[c] = static_cast<float>(products[c] / deviations[c]);
      biases.mutable_data_ptr<float>()[c] = static_cast<float>(sums[c]);
      by_gradient.push_back(static_cast<double>(w[c]) / deviations[c]);
      by_value.push_back(-by_gradient[c] * products[c] / (pixels.count * deviations[c] * deviations[c]));
      constant.push_back(-by_gradient[c] * sums[c] / pixels.count - by_value[c] * means[c]);
    }
    const Floats a = pixels.repeated(by_gradient), b = pixels.repeated(by_value), d = pixels.repeated(constant);
    at::Tensor before = at::empty_like(x), masked = plus.numel() > 0 ? at::empty_like(x) : at::Tensor();
    float *out = before.mutable_data_ptr<float>(),
          *more = plus.numel() > 0 ? masked.mutable_data_ptr<float>() : nullptr;
    pixels.for_chunks([&](std::int64_t, std::int64_t from, std::int64_t rows, std::int64_t width) {
      kernels::relu_norm_gradient(out + from, more ? more + from : nullptr, given + from, results + from, values + from,
                                  a.data(), b.data(), d.data(), rows, width);
    });
    return {before, masked, weights, biases};
  }
};

}  // namespace

at::Tensor norm_relu(const at::Tensor& x, const at::Tensor& plus, const NormParameters& norm) {
  const bool fits = lies_channels_last(x) && x.numel() > x.size(1) && plain_float(norm.weight) &&
                    (!plus.defined() || (lies_channels_last(plus) && plus.sizes() == x.sizes()));
  if (!fits) return plain_norm_relu(x, plus, norm);
  const at::Tensor more = plus.defined() ? plus : at::empty({0}, x.options());
  return NormReluFunction::apply(x, more, norm.weight, norm.bias, norm);
}

}  // namespace vaetl::nn
