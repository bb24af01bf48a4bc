#include "vaetl/objectives/picture_corruption.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/where.h>

#include "vaetl/core/error.hpp"

namespace vaetl::corruptions {
namespace {

void check_pictures(const at::Tensor& x, std::string_view corruption) {
  if (x.dim() == 4 && x.is_floating_point()) return;
  throw DataError({"corruption " + std::string(corruption), "pictures (N, C, H, W)", shape_text(x.sizes().vec()),
                   "choose gaussian, masking or salt_and_pepper"});
}

std::int64_t part_of(std::int64_t side, double share) {
  return std::clamp<std::int64_t>(std::llround(share * static_cast<double>(side)), 1, side);
}

// (N, side) bool: which places lie within the part that begins at the share `place` (N) of what room it leaves.
at::Tensor within(const at::Tensor& place, std::int64_t side, std::int64_t part) {
  const at::Tensor start = (place * (side - part + 1)).floor().clamp_max(side - part).unsqueeze(1);
  const at::Tensor at = at::arange(side, place.options()).unsqueeze(0);
  return at.ge(start).logical_and(at.lt(start + part));
}

at::Tensor filled_where(const at::Tensor& x, const at::Tensor& missing, double fill, const FieldInfo& info) {
  if (info.low < info.high) return x.masked_fill(missing, info.low + fill * (info.high - info.low));
  return at::where(missing, x.min().lerp(x.max(), fill), x);
}

}  // namespace

at::Tensor Box::draw(const at::Tensor& x) const {
  check_pictures(x, name);
  return at::rand({x.size(0), 2}, x.options());
}

at::Tensor Box::missing(const at::Tensor& x, const at::Tensor& noise) const {
  const std::int64_t height = x.size(2), width = x.size(3);
  const at::Tensor rows = within(noise.select(1, 0), height, part_of(height, options_.side));
  const at::Tensor columns = within(noise.select(1, 1), width, part_of(width, options_.side));
  return rows.unsqueeze(2).logical_and(columns.unsqueeze(1)).unsqueeze(1);
}

at::Tensor Box::apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const {
  return filled_where(x, missing(x, noise), options_.fill, info);
}

at::Tensor Strokes::draw(const at::Tensor& x) const {
  check_pictures(x, name);
  return at::rand({x.size(0), options_.count, 4}, x.options());
}

// What is nearer to one of the lines than half a stroke's width.
at::Tensor Strokes::missing(const at::Tensor& x, const at::Tensor& noise) const {
  const std::int64_t height = x.size(2), width = x.size(3);
  const at::Tensor row = at::arange(height, x.options()).view({1, height, 1}) + 0.5;
  const at::Tensor column = at::arange(width, x.options()).view({1, 1, width}) + 0.5;
  const double radius = 0.5 * std::max(1.0, options_.width * static_cast<double>(std::min(height, width)));
  at::Tensor result;
  for (std::int64_t k = 0; k < options_.count; ++k) {
    const auto end = [&](std::int64_t i, std::int64_t side) {
      return (noise.select(1, k).select(1, i) * side).view({-1, 1, 1});
    };
    const at::Tensor y = end(0, height), dy = end(2, height) - y, z = end(1, width), dz = end(3, width) - z;
    const at::Tensor length = (dy.square() + dz.square()).clamp_min(1e-6);
    const at::Tensor along = (((row - y) * dy + (column - z) * dz) / length).clamp(0, 1);
    const at::Tensor distance = (row - y - along * dy).square() + (column - z - along * dz).square();
    const at::Tensor near = distance.le(radius * radius);
    result = result.defined() ? result.logical_or(near) : near;
  }
  return result.unsqueeze(1);
}

at::Tensor Strokes::apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const {
  return filled_where(x, missing(x, noise), options_.fill, info);
}

at::Tensor halved_picture(const at::Tensor& x) {
  return at::avg_pool2d(x, {2, 2}, {2, 2}, {0, 0}, /*ceil_mode=*/true, /*count_include_pad=*/false);
}

at::Tensor doubled_picture(const at::Tensor& half, std::int64_t height, std::int64_t width) {
  return half.repeat_interleave(2, 2).repeat_interleave(2, 3).slice(2, 0, height).slice(3, 0, width);
}

at::Tensor Halve::draw(const at::Tensor& x) const {
  check_pictures(x, name);
  return at::empty({0}, x.options());
}

at::Tensor Halve::apply(const at::Tensor& x, const at::Tensor& /*noise*/, const FieldInfo& /*info*/) const {
  return doubled_picture(halved_picture(x), x.size(2), x.size(3));
}

}  // namespace vaetl::corruptions
