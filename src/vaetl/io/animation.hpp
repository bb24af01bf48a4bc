// Animated PNG: pictures one after the other, without end, in a file that shows the first of them where animation is
// not known (Portable Network Graphics, third edition, 2025, acTL, fcTL and fdAT).
#pragma once
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

namespace vaetl {

// uint8 (N, C, H, W), C 1 … 4, on any device; `rate`: pictures a second, 0.1 … 100. DataError for anything else. The
// file is replaced atomically.
void write_animation(const std::filesystem::path& path, const at::Tensor& pictures, double rate);
std::string encode_animation(const at::Tensor& pictures, double rate);

}  // namespace vaetl
