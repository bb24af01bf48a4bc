#include "vaetl/data/transforms/colour.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/signature.hpp"
#include "vaetl/data/to_device.hpp"

namespace vaetl::transforms {
namespace {

at::Tensor each(const at::Tensor& values) { return values.view({-1, 1, 1, 1}); }

// (N) uniform in 1 ± range.
at::Tensor factors(const at::Tensor& uniform, double range) { return uniform.mul(2 * range).add_(1 - range); }

// (N, 1, H, W): the luma of ITU-R BT.601, with the digits that torchvision takes.
at::Tensor grey_of(const at::Tensor& images) {
  return images.narrow(1, 0, 1).mul(0.2989).add_(images.narrow(1, 1, 1), 0.587).add_(images.narrow(1, 2, 1), 0.114);
}

// (N, 1, H, W) in [0, 6): red at 0, green at 2, blue at 4. 0 where a pixel has no colour.
at::Tensor hue_of(const at::Tensor& images, const at::Tensor& greatest, const at::Tensor& chroma) {
  const at::Tensor red = images.narrow(1, 0, 1), green = images.narrow(1, 1, 1), blue = images.narrow(1, 2, 1);
  const at::Tensor by = at::where(chroma.eq(0), 1, chroma);
  const at::Tensor of_rest =
      at::where(greatest.eq(green), (blue - red).div_(by).add_(2), (red - green).div_(by).add_(4));
  return at::where(greatest.eq(red), (green - blue).div_(by), of_rest).remainder_(6);
}

}  // namespace

at::Tensor adjust_saturation(const at::Tensor& images, const at::Tensor& factors) {
  const at::Tensor blended = at::lerp(grey_of(images), images, each(factors));
  return blended.clamp(images.amin({1, 2, 3}, true), images.amax({1, 2, 3}, true));
}

// A channel is greatest − chroma · clamp(min(k, 4 − k), 0, 1) with k = (offset + hue) mod 6 and the offsets 5, 3, 1 of
// red, green and blue.
at::Tensor turn_hue(const at::Tensor& images, const at::Tensor& turns) {
  const at::Tensor greatest = images.amax(1, true), chroma = greatest - images.amin(1, true);
  const at::Tensor hue = hue_of(images, greatest, chroma).add_(each(turns), 6);
  const at::Tensor k = at::arange(5, 0, -2, images.options()).view({1, 3, 1, 1}).add(hue).remainder_(6);
  return greatest - chroma * at::minimum(k, 4 - k).clamp_(0, 1);
}

at::Tensor blur_images(const at::Tensor& images, const at::Tensor& sigmas, std::int64_t radius) {
  const std::int64_t count = images.size(0), channels = images.size(1);
  if (std::min(images.size(2), images.size(3)) <= radius) {
    throw DataError({"blur", fmt::format("images larger than its radius of {} pixels", radius),
                     fmt::format("{} × {}", images.size(2), images.size(3)), "choose a smaller sigma"});
  }
  if (count == 0) return images;
  const at::Tensor i = at::arange(-radius, radius + 1, sigmas.options());
  const at::Tensor bell = i.div(sigmas.unsqueeze(1)).square_().mul_(-0.5).exp_();  // (N, 2 radius + 1)
  const at::Tensor weights = bell.div(bell.sum(1, true)).to(images.scalar_type()).repeat_interleave(channels, 0);
  const std::int64_t planes = count * channels;
  const at::Tensor mirrored = at::reflection_pad2d(images, {radius, radius, radius, radius});
  at::Tensor result = mirrored.reshape({1, planes, mirrored.size(2), mirrored.size(3)});
  result = at::conv2d(result, weights.view({planes, 1, 1, -1}), {}, 1, at::IntArrayRef{0}, 1, planes);
  result = at::conv2d(result, weights.view({planes, 1, -1, 1}), {}, 1, at::IntArrayRef{0}, 1, planes);
  return result.view(images.sizes());
}

void Brightness::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const at::Tensor u = draw_uniform(2, images, generator);
  const at::Tensor low = images.amin({1, 2, 3}, true), high = images.amax({1, 2, 3}, true);
  at::Tensor result = images;
  if (options_.brightness > 0)
    result = at::lerp(low, images, each(factors(u[0], options_.brightness))).clamp_(low, high);
  if (options_.contrast > 0) {
    result = at::lerp(result.mean({1, 2, 3}, true), result, each(factors(u[1], options_.contrast))).clamp_(low, high);
  }
  fields.set("input", result);
}

void Colour::apply(Fields& fields, at::Generator& generator) const {
  at::Tensor images = images_of(fields, name);
  if (images.size(1) != 3) {
    throw DataError({name, "images of 3 channels, red, green and blue", shape_text(images.sizes().vec()), {}});
  }
  const at::Tensor u = draw_uniform(3, images, generator);
  if (options_.saturation > 0) images = adjust_saturation(images, factors(u[0], options_.saturation));
  if (options_.hue > 0) images = turn_hue(images, u[1].mul(2 * options_.hue).sub_(options_.hue));
  if (options_.grey > 0) images = at::where(each(u[2].lt(options_.grey)), grey_of(images), images);
  fields.set("input", images);
}

void Blur::Options::validate() const { check_interval("blur.sigma", sigma, 1e-3, 1e3); }

Blur::Blur(Options options) : options_(std::move(options)) { options_.validate(); }

void Blur::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const at::Tensor u = draw_uniform(2, images, generator);
  const at::Tensor sigmas = u[0].mul(options_.sigma[1] - options_.sigma[0]).add_(options_.sigma[0]);
  const at::Tensor blurred = blur_images(images, sigmas, std::llround(std::ceil(3 * options_.sigma[1])));
  fields.set("input", at::where(each(u[1].lt(options_.p)), blurred, images));
}

void Noise::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const at::Tensor noise = at::randn(images.sizes(), generator, at::kFloat);
  fields.set("input", images.add(to_device(noise, images.device()), options_.sigma));
}

}  // namespace vaetl::transforms
