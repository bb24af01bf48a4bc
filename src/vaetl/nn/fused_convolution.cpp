#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/fused_support.hpp"
#include "vaetl/nn/kernels/convolution.hpp"

namespace vaetl::nn {
namespace {

using kernels::conv_lanes;
using kernels::ConvShape;

at::Tensor plain_conv_relu_pool(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor h = at::conv2d(channels_last(x), weight, bias, 1, weight.size(2) / 2);
  return at::relu(at::max_pool2d(h, {2, 2}));
}

ConvShape shape_of(const at::Tensor& x, const at::Tensor& weight) {
  return {x.size(1), weight.size(2), x.size(2), x.size(3)};
}

std::int64_t blocks_of(std::int64_t channels) { return (channels + conv_lanes - 1) / conv_lanes; }

// Of the channels of block b, how many are there.
std::int64_t lanes_of(std::int64_t channels, std::int64_t block) {
  return std::min(conv_lanes, channels - block * conv_lanes);
}

// (out, taps) → (blocks, taps, 16), and back.
at::Tensor in_blocks(const at::Tensor& weight, std::int64_t taps) {
  const std::int64_t out = weight.size(0), blocks = blocks_of(out);
  at::Tensor padded = at::zeros({blocks * conv_lanes, taps}, weight.options());
  padded.narrow(0, 0, out).copy_(weight.reshape({out, taps}));
  return padded.view({blocks, conv_lanes, taps}).transpose(1, 2).contiguous();
}

at::Tensor from_blocks(const at::Tensor& blocks, std::int64_t out) {
  return blocks.transpose(1, 2).reshape({-1, blocks.size(1)}).narrow(0, 0, out);
}

struct Pooled {
  at::Tensor values;  // (N, out, H / 2, W / 2)
  at::Tensor choice;  // (N, blocks, pooled, 16) uint8
};

Pooled forward_images(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const ConvShape shape = shape_of(x, weight);
  const std::int64_t n = x.size(0), out = weight.size(0), blocks = blocks_of(out), pooled = shape.pooled();
  const at::Tensor laid = in_blocks(weight, shape.taps()), offsets = in_blocks(bias, 1);
  Pooled result{at::empty({n, out, shape.height / 2, shape.width / 2}, x.options()),
                at::empty({n, blocks, pooled, conv_lanes}, x.options().dtype(at::kByte))};
  const float *images = x.const_data_ptr<float>(), *w = laid.const_data_ptr<float>(),
              *b = offsets.const_data_ptr<float>();
  float* values = result.values.mutable_data_ptr<float>();
  std::uint8_t* choice = result.choice.mutable_data_ptr<std::uint8_t>();
  parallel_ranges(n, 4, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> padded(static_cast<std::size_t>(shape.padded_size()));
    std::vector<float> block_values(static_cast<std::size_t>(pooled * conv_lanes));
    for (std::int64_t image = first; image < last; ++image) {
      kernels::pad_image(shape, images + image * shape.channels * shape.height * shape.width, padded.data());
      for (std::int64_t block = 0; block < blocks; ++block) {
        kernels::conv_relu_pool(shape, padded.data(), w + block * shape.taps() * conv_lanes, b + block * conv_lanes,
                                block_values.data(), choice + (image * blocks + block) * pooled * conv_lanes);
        kernels::lanes_to_rows(block_values.data(), pooled, lanes_of(out, block),
                               values + (image * out + block * conv_lanes) * pooled);
      }
    }
  });
  return result;
}

// Images are shared out in as many parts whatever the number of threads, and the parts are summed in order: the same
// bits.
constexpr std::int64_t gradient_parts = 16;

struct WeightGradient {
  at::Tensor weight, bias;  // (out, taps), (out)
};

WeightGradient gradient_of_images(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& gradient,
                                  const at::Tensor& choice) {
  const ConvShape shape = shape_of(x, weight);
  const std::int64_t n = x.size(0), out = weight.size(0), blocks = blocks_of(out), pooled = shape.pooled();
  at::Tensor of_weight = at::zeros({gradient_parts, blocks, shape.taps(), conv_lanes}, x.options());
  at::Tensor of_bias = at::zeros({gradient_parts, blocks, 1, conv_lanes}, x.options());
  const float *images = x.const_data_ptr<float>(), *given = gradient.const_data_ptr<float>();
  const std::uint8_t* places = choice.const_data_ptr<std::uint8_t>();
  float *w = of_weight.mutable_data_ptr<float>(), *b = of_bias.mutable_data_ptr<float>();
  parallel_ranges(gradient_parts, 2, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> padded(static_cast<std::size_t>(shape.padded_size()));
    std::vector<float> lanes(static_cast<std::size_t>(pooled * conv_lanes));
    for (std::int64_t part = first; part < last; ++part) {
      for (std::int64_t image = part * n / gradient_parts; image < (part + 1) * n / gradient_parts; ++image) {
        kernels::pad_image(shape, images + image * shape.channels * shape.height * shape.width, padded.data());
        for (std::int64_t block = 0; block < blocks; ++block) {
          kernels::rows_to_lanes(given + (image * out + block * conv_lanes) * pooled, pooled, lanes_of(out, block),
                                 lanes.data());
          kernels::conv_relu_pool_gradient(
              shape, padded.data(), lanes.data(), places + (image * blocks + block) * pooled * conv_lanes,
              w + (part * blocks + block) * shape.taps() * conv_lanes, b + (part * blocks + block) * conv_lanes);
        }
      }
    }
  });
  return {from_blocks(of_weight.sum(0), out), from_blocks(of_bias.sum(0), out).flatten()};
}

struct ConvFunction : torch::autograd::Function<ConvFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias) {
    const Recorded recorded("vaetl::conv_relu_pool");
    const at::AutoDispatchBelowADInplaceOrView below;
    auto [values, choice] = forward_images(x, weight, bias);
    context->save_for_backward({x, weight, bias, choice});
    return values;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const Recorded recorded("vaetl::conv_relu_pool_backward");
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2];
    if (at::GradMode::is_enabled()) {
      return differentiable_gradients(*context, {x, weight, bias}, gradients, [](const auto& own) {
        return torch::autograd::variable_list{plain_conv_relu_pool(own[0], own[1], own[2])};
      });
    }
    const auto [of_weight, of_bias] = gradient_of_images(x, weight, gradients[0].contiguous(), saved[3]);
    return {{}, of_weight.reshape(weight.sizes()), of_bias};
  }
};

}  // namespace

at::Tensor channels_last(const at::Tensor& x) {
  if (x.size(1) != 1) return x.contiguous(at::MemoryFormat::ChannelsLast);
  return x.reshape({x.size(0), x.size(2), x.size(3), 1}).permute({0, 3, 1, 2});
}

at::Tensor conv_relu_pool(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const bool fits = x.dim() == 4 && x.numel() > 0 && x.size(2) > 1 && x.size(3) > 1 && plain_float(x) &&
                    plain_float(weight) && weight.dim() == 4 && weight.size(2) == weight.size(3) &&
                    fits_weight(bias, weight) && !x.requires_grad() && x.size(1) == weight.size(1) &&
                    kernels::has_conv_kernel(x.size(1), weight.size(2));
  if (!fits) return plain_conv_relu_pool(x, weight, bias);
  return ConvFunction::apply(x.contiguous(), weight, bias);
}

}  // namespace vaetl::nn
