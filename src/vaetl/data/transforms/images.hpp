// What the image transforms share.
#pragma once
#include <string>

#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

// `input` as (N, C, H, W) floating point; DataError says which transform found what.
const at::Tensor& images_of(const Fields& fields, std::string_view transform);

// (rows, N) numbers in [0, 1): one draw from the generator, moved to the device of `images`.
at::Tensor draw_uniform(std::int64_t rows, const at::Tensor& images, at::Generator& generator);

// Options such as scale = [low, high]: two numbers, lowest ≤ low ≤ high ≤ highest, or a ConfigError.
void check_interval(const std::string& where, const std::vector<double>& interval, double lowest, double highest);

}  // namespace vaetl::transforms
