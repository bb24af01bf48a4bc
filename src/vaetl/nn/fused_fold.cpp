// Convolutions from many channels to few: a product of matrices and a sum of patches (kernels/fold.hpp), where oneDNN
// on a CPU is several times slower. They are the result of a transposed convolution, and the gradient of x of a plain
// one.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/fused_support.hpp"
#include "vaetl/nn/kernels/fold.hpp"

namespace vaetl::nn {
namespace {

using FoldContext = torch::autograd::AutogradContext;
using FoldTensors = torch::autograd::variable_list;

constexpr std::int64_t planes_at_once = 16384;      // values, so that they stay in a core's cache
constexpr std::int64_t products_a_thread = 131072;  // multiplications worth one

// Adds up `count` images, whose planes lie next to each other in `planes` (places, ≥ count · h · w).
void fold_planes(const kernels::FoldShape& shape, const at::Tensor& planes, const at::Tensor& bias, std::int64_t count,
                 float* images) {
  std::vector<float> lines(static_cast<std::size_t>(shape.lines_size()));
  for (std::int64_t i = 0; i < count; ++i) {
    kernels::fold(shape, planes.const_data_ptr<float>() + i * shape.centres(), planes.stride(0),
                  bias.defined() ? bias.const_data_ptr<float>() : nullptr, lines.data(),
                  images + i * shape.image_size());
  }
}

// x (N, C, h, w), weight (C, channels, K, K) → (N, channels, H, W), both with channels last. A thread takes whole
// images, and as many at once whatever the number of threads: the same bits.
at::Tensor fold_images(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const kernels::FoldShape& shape) {
  const std::int64_t images = x.size(0), centres = shape.centres();
  const std::int64_t at_once = std::clamp<std::int64_t>(planes_at_once / (centres * shape.places()), 1, images);
  const at::Tensor rows = channels_last(x).permute({0, 2, 3, 1}).reshape({images * centres, x.size(1)});
  const at::Tensor to_places = weight.reshape({weight.size(0), shape.places()}).t();
  const at::Tensor result = at::empty({images, shape.out_height, shape.out_width, shape.channels}, x.options());
  float* values = result.mutable_data_ptr<float>();
  const std::int64_t grain = rows_a_thread(at_once * centres * weight.numel(), products_a_thread);
  parallel_ranges((images + at_once - 1) / at_once, grain, [&](std::int64_t first, std::int64_t last) {
    const at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor room = at::empty({shape.places(), at_once * centres}, x.options());
    for (std::int64_t image = first * at_once; image < std::min(images, last * at_once); image += at_once) {
      const std::int64_t count = std::min(at_once, images - image);
      const at::Tensor planes = room.narrow(1, 0, count * centres);
      multiply(planes, to_places, rows.narrow(0, image * centres, count * centres).t());
      fold_planes(shape, planes, bias, count, values + image * shape.image_size());
    }
  });
  return result.permute({0, 3, 1, 2});
}

struct FoldGeometry {
  std::int64_t stride, padding;
  std::vector<std::int64_t> output_padding = {0, 0};
  bool transposed = false;

  // Of the convolution that takes a map of this size by the transposed way.
  std::int64_t out_size(std::int64_t size, std::int64_t kernel, std::size_t axis) const {
    return (size - 1) * stride - 2 * padding + kernel + output_padding[axis];
  }
};

// From a map with many channels to one of few, whose size is `out`.
at::Tensor to_few(const at::Tensor& map, const at::Tensor& weight, const at::Tensor& bias, const FoldGeometry& g,
                  std::array<std::int64_t, 2> out) {
  return fold_images(map, weight, bias,
                     {weight.size(1), weight.size(2), g.stride, g.padding, map.size(2), map.size(3), out[0], out[1]});
}

struct FoldFunction : torch::autograd::Function<FoldFunction> {
  // A tensor that may be undefined is an optional one here, and has no input's number then.
  static at::Tensor forward(FoldContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, const FoldGeometry& g) {
    const Recorded recorded("vaetl::fold");
    const at::AutoDispatchBelowADInplaceOrView below;
    const c10::impl::ExcludeDispatchKeyGuard in_float(c10::autocast_dispatch_keyset);
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = g.stride;
    context->saved_data["padding"] = g.padding;
    context->saved_data["output_padding"] = g.output_padding;
    context->saved_data["transposed"] = g.transposed;
    context->saved_data["bias"] = bias->defined();
    if (!g.transposed) return at::conv2d(x, weight, bias, g.stride, g.padding);
    const std::int64_t kernel = weight.size(2);
    return to_few(x, weight, *bias, g, {g.out_size(x.size(2), kernel, 0), g.out_size(x.size(3), kernel, 1)});
  }

  static FoldTensors backward(FoldContext* context, const FoldTensors& gradients) {
    const Recorded recorded("vaetl::fold_backward");
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &gradient = gradients[0];
    auto& data = context->saved_data;
    const FoldGeometry g{data["stride"].toInt(), data["padding"].toInt(), data["output_padding"].toIntVector(),
                         data["transposed"].toBool()};
    const bool x_wanted = context->needs_input_grad(0), weight_wanted = context->needs_input_grad(1);
    const bool bias_wanted = data["bias"].toBool() && context->needs_input_grad(2);
    // A gradient that is itself differentiated comes from the operator, which can be.
    const bool folds = x_wanted && !g.transposed && !at::GradMode::is_enabled();
    const std::array<bool, 3> wanted = {x_wanted && !folds, weight_wanted, bias_wanted};
    auto [input, of_weight, of_bias] =
        at::convolution_backward(gradient, x, weight, at::IntArrayRef(gradient.size(1)), {g.stride, g.stride},
                                 {g.padding, g.padding}, {1, 1}, g.transposed, g.output_padding, /*groups=*/1, wanted);
    if (folds) input = to_few(gradient, weight, {}, g, {x.size(2), x.size(3)});
    return {input, of_weight, of_bias, {}};
  }
};

// With these a fold is faster than oneDNN's way at every size, with kernels of 2 to 7 and strides of 1 to 3; faster
// than its way in bfloat16 as well, so autocast does not keep from it.
bool folds_quickly(const at::Tensor& x, const at::Tensor& weight) {
  const bool fits = x.dim() == 4 && x.numel() > 0 && (plain_float(x) || cast_by_autocast(x)) && plain_float(weight) &&
                    weight.dim() == 4 && weight.size(2) == weight.size(3);
  return fits && weight.size(2) > 1 && weight.size(1) <= 8 && weight.size(0) >= 4 * weight.size(1);
}

bool fits_channels(const at::Tensor& bias, std::int64_t channels) {
  return plain_float(bias) && bias.dim() == 1 && bias.is_contiguous() && bias.size(0) == channels;
}

bool fits_transposed(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const FoldGeometry& g) {
  if (!folds_quickly(x, weight) || x.size(1) != weight.size(0) || g.stride < 1 || g.padding < 0) return false;
  if (bias.defined() && !fits_channels(bias, weight.size(1))) return false;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t size = x.size(static_cast<std::int64_t>(axis) + 2), more = g.output_padding[axis];
    if (more < 0 || more >= g.stride || g.out_size(size, weight.size(2), axis) < 1) return false;
  }
  return true;
}

}  // namespace

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                    std::int64_t padding, std::int64_t groups) {
  const bool wanted = at::GradMode::is_enabled() && x.requires_grad();
  if (!wanted || groups != 1 || !folds_quickly(x, weight)) {
    return at::conv2d(x, weight, bias, stride, padding, /*dilation=*/1, groups);
  }
  return FoldFunction::apply(x.to(at::kFloat), weight, std::optional(bias), FoldGeometry{stride, padding});
}

at::Tensor convolve_transposed(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                               std::int64_t stride, std::int64_t padding,
                               const std::array<std::int64_t, 2>& output_padding, std::int64_t groups) {
  const FoldGeometry geometry{stride, padding, {output_padding[0], output_padding[1]}, /*transposed=*/true};
  if (groups != 1 || !fits_transposed(x, weight, bias, geometry)) {
    return at::conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups);
  }
  return FoldFunction::apply(x.to(at::kFloat), weight, std::optional(bias), geometry);
}

}  // namespace vaetl::nn
