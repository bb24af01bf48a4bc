// The second half of a transposed convolution of one image as a product of matrices and a sum; internal to nn. The
// product gives, for each of the C · K · K places (c, ky, kx) of a patch, a plane of the patches' (h, w) centres:
//   image[c, y, x] = bias_c + Σ planes[(c, ky, kx), i, j] over y = stride i + ky − padding, x = stride j + kx −
//   padding.
#pragma once
#include <cstdint>

namespace vaetl::nn::kernels {

struct FoldShape {
  std::int64_t channels, kernel, stride, padding;
  std::int64_t height, width;          // of a plane
  std::int64_t out_height, out_width;  // of the image
  std::int64_t places() const { return channels * kernel * kernel; }
  std::int64_t centres() const { return height * width; }
  std::int64_t image_size() const { return channels * out_height * out_width; }
  std::int64_t lines_size() const;  // of the room that fold needs
};

// Planes lie plane_stride apart; image (out_height, out_width, C); bias may be null.
void fold(const FoldShape& shape, const float* planes, std::int64_t plane_stride, const float* bias, float* lines,
          float* image);

}  // namespace vaetl::nn::kernels
