#include "vaetl/data/transforms/colour.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/to_device.hpp"
#include "vaetl/data/transforms/images.hpp"

namespace vaetl::transforms {
namespace {

// (N, 1, 1, 1) uniform in 1 ± range.
at::Tensor factors(const at::Tensor& uniform, double range) {
  return uniform.mul(2 * range).add_(1 - range).view({-1, 1, 1, 1});
}

}  // namespace

void Brightness::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const at::Tensor u = draw_uniform(2, images, generator);
  const at::Tensor low = images.amin({1, 2, 3}, true), high = images.amax({1, 2, 3}, true);
  at::Tensor result = images;
  if (options_.brightness > 0) result = at::lerp(low, images, factors(u[0], options_.brightness)).clamp_(low, high);
  if (options_.contrast > 0) {
    result = at::lerp(result.mean({1, 2, 3}, true), result, factors(u[1], options_.contrast)).clamp_(low, high);
  }
  fields.set("input", result);
}

void Noise::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const at::Tensor noise = at::randn(images.sizes(), generator, at::kFloat);
  fields.set("input", images.add(to_device(noise, images.device()), options_.sigma));
}

}  // namespace vaetl::transforms
