// A convolution of stride 1 that keeps the size, relu and max pooling by 2 × 2 of one image with few channels, in one
// pass; internal to nn. What lies between them never reaches memory, so that a step is bound by its arithmetic.
//
// Output channels are taken 16 at a time, a lane each: a block of weights is (taps, 16), tap (c K + ky) K + kx.
#pragma once
#include <cstdint>

namespace vaetl::nn::kernels {

inline constexpr std::int64_t conv_lanes = 16;

struct ConvShape {
  std::int64_t channels, kernel, height, width;  // of the image
  std::int64_t taps() const { return channels * kernel * kernel; }
  std::int64_t padded_size() const { return channels * (height + kernel - 1) * (width + kernel - 1); }
  std::int64_t pooled() const { return (height / 2) * (width / 2); }
};

// Is there a kernel for these channels and this size?
bool has_conv_kernel(std::int64_t channels, std::int64_t kernel);

// image (C, H, W) into the middle of padded (C, H + K − 1, W + K − 1), which is zero around it.
void pad_image(const ConvShape& shape, const float* image, float* padded);

// One block of output channels: out (pooled, 16), and in `choice` (pooled, 16) which of the four places it came from, 4
// where relu stopped it.
void conv_relu_pool(const ConvShape& shape, const float* padded, const float* weight, const float* bias, float* out,
                    std::uint8_t* choice);

// Its derivative: adds to of_weight (taps, 16) and of_bias (16) what `gradient` (pooled, 16) gives.
void conv_relu_pool_gradient(const ConvShape& shape, const float* padded, const float* gradient,
                             const std::uint8_t* choice, float* of_weight, float* of_bias);

// (rows, 16) → the first `lanes` of its columns as rows, (lanes, rows); and back, where further lanes are 0.
void lanes_to_rows(const float* from, std::int64_t rows, std::int64_t lanes, float* to);
void rows_to_lanes(const float* from, std::int64_t rows, std::int64_t lanes, float* to);

}  // namespace vaetl::nn::kernels
