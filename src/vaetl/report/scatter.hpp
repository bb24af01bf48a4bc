// Points on a plane, coloured by class, as a picture of its own: SVG or pixels.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace vaetl {

struct Scatter {
  std::string title = {};
  at::Tensor points = {};                // (N, 2) on the CPU, both axes to one scale
  std::vector<std::int64_t> group = {};  // of each point, below names.size(); empty: one colour, no legend
  std::vector<std::string> names = {};
};

std::string scatter_svg(const Scatter& scatter);     // a complete file
at::Tensor scatter_picture(const Scatter& scatter);  // uint8 (3, H, W); names in capitals, as far as ASCII has them

}  // namespace vaetl
