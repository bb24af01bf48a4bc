// What the image transforms share.
#pragma once
#include <string>
#include <vector>

#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

// `input` as (N, C, H, W) floating point; DataError says which transform found what.
const at::Tensor& images_of(const Fields& fields, std::string_view transform);

// (rows, N) numbers in [0, 1): one draw from the generator, moved to the device of `images`.
at::Tensor draw_uniform(std::int64_t rows, const at::Tensor& images, at::Generator& generator);

// What comes into sight beyond an image's edge: 0, a copy of the edge pixels, or the image mirrored (padding mirrors at
// the centre of the edge pixels, what samples between pixels at their outer edge).
inline constexpr Choices fills = {"zero", "border", "reflect"};

// (2, N): heights and widths in pixels, not whole, of boxes with a share of the images' area uniform in `scale` and a
// ratio of width to height log-uniform in `ratio`; one that is too long for the image is shortened. `u`: (2, N) numbers
// in [0, 1).
at::Tensor box_sizes(const at::Tensor& u, const at::Tensor& images, const std::vector<double>& scale,
                     const std::vector<double>& ratio);

// The images with a box of each filled from `filling`, which has their shape or broadcasts to it. `boxes`: (4, N) top,
// left, height, width in whole pixels.
at::Tensor fill_boxes(const at::Tensor& images, const at::Tensor& boxes, const at::Tensor& filling);

// Options such as scale = [low, high]: two numbers, lowest ≤ low ≤ high ≤ highest, or a ConfigError.
void check_interval(const std::string& where, const std::vector<double>& interval, double lowest, double highest);

}  // namespace vaetl::transforms
