#include "vaetl/data/transforms/images.hpp"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include "vaetl/data/to_device.hpp"

namespace vaetl::transforms {
namespace {

// bool (N, size): which positions along one axis lie inside.
at::Tensor inside(const at::Tensor& start, const at::Tensor& length, std::int64_t size) {
  const at::Tensor position = at::arange(size, start.options());
  const at::Tensor from = start.unsqueeze(1), to = (start + length).unsqueeze(1);
  return position.ge(from).logical_and_(position.lt(to));
}

}  // namespace

const at::Tensor& images_of(const Fields& fields, std::string_view transform) {
  const at::Tensor& input = fields.input();
  if (input.dim() == 4 && input.is_floating_point() && input.size(2) > 0 && input.size(3) > 0) return input;
  throw DataError({std::string(transform),
                   "images (N, C, H, W) of floats",
                   fmt::format("{} {}", shape_text(input.sizes().vec()), dtype_name(input.scalar_type())),
                   {}});
}

at::Tensor draw_uniform(std::int64_t rows, const at::Tensor& images, at::Generator& generator) {
  return to_device(at::rand({rows, images.size(0)}, generator, at::kFloat), images.device());
}

at::Tensor box_sizes(const at::Tensor& u, const at::Tensor& images, const std::vector<double>& scale,
                     const std::vector<double>& ratio) {
  const auto height = static_cast<double>(images.size(2)), width = static_cast<double>(images.size(3));
  const double narrow = std::log(ratio[0]), wide = std::log(ratio[1]);
  const at::Tensor area = u[0].mul(scale[1] - scale[0]).add_(scale[0]).mul_(height * width);
  const at::Tensor shape = u[1].mul(wide - narrow).add_(narrow).exp_();
  return at::stack({area.div(shape).sqrt_().clamp_max_(height), area.mul(shape).sqrt_().clamp_max_(width)});
}

at::Tensor fill_boxes(const at::Tensor& images, const at::Tensor& boxes, const at::Tensor& filling) {
  const at::Tensor rows = inside(boxes[0], boxes[2], images.size(2)).unsqueeze(2);
  const at::Tensor columns = inside(boxes[1], boxes[3], images.size(3)).unsqueeze(1);
  return at::where(rows.logical_and(columns).unsqueeze(1), filling, images);
}

void check_interval(const std::string& where, const std::vector<double>& interval, double lowest, double highest) {
  if (interval.size() == 2 && lowest <= interval[0] && interval[0] <= interval[1] && interval[1] <= highest) return;
  throw ConfigError({where,
                     fmt::format("[low, high] between {} and {}", lowest, highest),
                     fmt::format("[{}]", fmt::join(interval, ", ")),
                     {}});
}

}  // namespace vaetl::transforms
