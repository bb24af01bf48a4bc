// A matrix of counts as a picture: a confusion matrix.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace vaetl {

struct Matrix {
  std::string title = {};
  at::Tensor counts = {};               // int64 (K, K) on the CPU
  std::vector<std::string> names = {};  // of rows and columns; empty: numbers
  std::string rows = {}, columns = {};  // what they are
};

// A complete SVG file: each cell as dark as its share of its row, with its number where there are few classes.
std::string matrix_svg(const Matrix& matrix);

}  // namespace vaetl
