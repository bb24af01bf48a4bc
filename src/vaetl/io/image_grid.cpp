#include <ATen/ops/full.h>
#include <fmt/ranges.h>

#include "vaetl/core/error.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl {

at::Tensor image_grid(const at::Tensor& images, std::int64_t columns, std::int64_t padding, std::uint8_t background) {
  if (!images.defined() || images.dim() != 4 || images.scalar_type() != at::kByte || images.size(0) == 0) {
    throw DataError({.where = "image grid",
                     .expected = "uint8 images of N×C×H×W, at least one",
                     .found = images.defined()
                                  ? fmt::format("{} [{}]", c10::toString(images.scalar_type()),
                                                fmt::join(images.sizes().begin(), images.sizes().end(), ", "))
                                  : "an undefined tensor"});
  }
  if (columns < 1 || padding < 0) {
    throw DataError({.where = "image grid",
                     .expected = "at least 1 column and no negative padding",
                     .found = fmt::format("{} and {}", columns, padding)});
  }
  const std::int64_t count = images.size(0), height = images.size(2) + padding, width = images.size(3) + padding;
  const std::int64_t across = std::min(columns, count), down = (count + across - 1) / across;
  auto grid = at::full({images.size(1), down * height + padding, across * width + padding},
                       static_cast<std::int64_t>(background), images.options());
  for (std::int64_t i = 0; i < count; ++i) {
    grid.narrow(1, i / across * height + padding, images.size(2))
        .narrow(2, i % across * width + padding, images.size(3))
        .copy_(images[i]);
  }
  return grid;
}

}  // namespace vaetl
