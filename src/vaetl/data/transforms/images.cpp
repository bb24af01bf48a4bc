#include "vaetl/data/transforms/images.hpp"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include "vaetl/data/to_device.hpp"

namespace vaetl::transforms {

const at::Tensor& images_of(const Fields& fields, std::string_view transform) {
  const at::Tensor& input = fields.input();
  if (input.dim() == 4 && input.is_floating_point()) return input;
  throw DataError({std::string(transform),
                   "images (N, C, H, W) of floats",
                   fmt::format("{} {}", shape_text(input.sizes().vec()), dtype_name(input.scalar_type())),
                   {}});
}

at::Tensor draw_uniform(std::int64_t rows, const at::Tensor& images, at::Generator& generator) {
  return to_device(at::rand({rows, images.size(0)}, generator, at::kFloat), images.device());
}

void check_interval(const std::string& where, const std::vector<double>& interval, double lowest, double highest) {
  if (interval.size() == 2 && lowest <= interval[0] && interval[0] <= interval[1] && interval[1] <= highest) return;
  throw ConfigError({where,
                     fmt::format("[low, high] between {} and {}", lowest, highest),
                     fmt::format("[{}]", fmt::join(interval, ", ")),
                     {}});
}

}  // namespace vaetl::transforms
