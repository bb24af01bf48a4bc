#include "vaetl/recipe/classical_repair.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/transforms/resize.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::int64_t most_rounds = 2000;
constexpr double small_residual = 1e-6;  // of the first, well below a step of 8 bits

// The sum of the four neighbours within the picture.
at::Tensor neighbours(const at::Tensor& x) {
  at::Tensor sum = at::zeros_like(x);
  for (const std::int64_t dim : {2, 3}) {
    const std::int64_t last = x.size(dim) - 1;
    sum.narrow(dim, 1, last).add_(x.narrow(dim, 0, last));
    sum.narrow(dim, 0, last).add_(x.narrow(dim, 1, last));
  }
  return sum;
}

at::Tensor inner_products(const at::Tensor& a, const at::Tensor& b) { return (a * b).sum({2, 3}, /*keepdim=*/true); }

// a / b, and 0 where b is: of channels that are solved.
at::Tensor ratio(const at::Tensor& a, const at::Tensor& b) { return at::where(b.gt(0), a / b, 0); }

// Of each channel, where there is any; otherwise of the whole.
at::Tensor mean_of_known(const at::Tensor& x, const at::Tensor& known) {
  const at::Tensor count = known.sum({2, 3}, true);
  return at::where(count.gt(0), (x * known).sum({2, 3}, true) / count.clamp_min(1), x.mean({2, 3}, true));
}

}  // namespace

at::Tensor median_filtered(const at::Tensor& x, std::int64_t side) {
  const std::int64_t margin = side / 2, height = x.size(2), width = x.size(3);
  const at::Tensor padded = at::replication_pad2d(x, {margin, margin, margin, margin});
  std::vector<at::Tensor> shifted;
  for (std::int64_t i = 0; i < side * side; ++i) {
    shifted.push_back(padded.narrow(2, i / side, height).narrow(3, i % side, width));
  }
  return std::get<0>(at::stack(shifted, 4).median(4));
}

at::Tensor diffused(const at::Tensor& x, const at::Tensor& missing) {
  const at::Tensor picture = x.to(at::kDouble), gone = missing.expand_as(x).to(at::kDouble), known = 1 - gone;
  const at::Tensor degree = neighbours(at::ones_like(picture));
  const auto apply = [&](const at::Tensor& u) { return gone * (degree * u - neighbours(u)); };
  at::Tensor u = gone * mean_of_known(picture, known);
  at::Tensor residual = gone * neighbours(known * picture) - apply(u), direction = residual.clone();
  at::Tensor size = inner_products(residual, residual);
  const at::Tensor small = small_residual * small_residual * size;
  for (std::int64_t round = 0; round < most_rounds && size.gt(small).any().item<bool>(); ++round) {
    const at::Tensor changed = apply(direction), step = ratio(size, inner_products(direction, changed));
    u += step * direction;
    residual -= step * changed;
    const at::Tensor next = inner_products(residual, residual);
    direction = residual + ratio(next, size) * direction;
    size = next;
  }
  return (known * picture + u).to(x.scalar_type());
}

at::Tensor enlarged(const at::Tensor& half, std::int64_t height, std::int64_t width) {
  const at::Tensor all = transforms::resize_images(half, 2 * half.size(2), 2 * half.size(3), "bicubic");
  return all.slice(2, 0, height).slice(3, 0, width);
}

}  // namespace vaetl::recipe
